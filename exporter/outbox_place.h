/*
 * The files of the outbox's database and those beside it: NAME, its log NAME-wal, NAME.new while a
 * damaged one is rebuilt, NAME.bad and NAME.1.bad... that were set aside. With a disk (base/disk.h)
 * they are renamed through it, so that tests can put another one under them.
 */
#ifndef EXPORTER_OUTBOX_PLACE_H
#define EXPORTER_OUTBOX_PLACE_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"

#include <stdbool.h>

enum {
    OUTBOX_PATH_MAX = 4096
};

struct outbox_place {
    const char *path;        /* borrowed */
    const struct disk *disk; /* of its directory; NULL: rename(2) */
};

/* Path of the file with that suffix. */
void outbox_place_path(const struct outbox_place *place, const char *suffix,
                       char path[OUTBOX_PATH_MAX]);

bool outbox_place_exists(const struct outbox_place *place, const char *suffix);

/* Renames the file and its log, if they are there. */
bool outbox_place_rename(const struct outbox_place *place, const char *from,
                         const char *to, struct error *err) MUST_CHECK;

void outbox_place_remove(const struct outbox_place *place, const char *suffix);

/* Renames the database to the first free name; `path` gets it. */
bool outbox_place_set_aside(const struct outbox_place *place, char path[OUTBOX_PATH_MAX],
                            struct error *err) MUST_CHECK;

#endif
