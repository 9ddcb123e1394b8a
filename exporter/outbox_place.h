/*
 * The files of the outbox's database and those beside it: NAME, its logs (NAME-wal, NAME-journal,
 * NAME-shm), NAME.new while a damaged one is rebuilt, NAME.bad and NAME.1.bad... that were set aside.
 * They are renamed through base/disk.h, so that tests can put another disk under them; SQLite opens
 * them by path.
 */
#ifndef EXPORTER_OUTBOX_PLACE_H
#define EXPORTER_OUTBOX_PLACE_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox_place {
    char *path;       /* of the database */
    const char *name; /* its last part */
    const struct disk *disk;
    struct disk *own; /* the same when it is ours, else NULL */
};

/* `disk` is the directory of the path; NULL: opens it. */
bool outbox_place_open(struct outbox_place *place, const char *path,
                       const struct disk *disk, struct error *err) MUST_CHECK;
void outbox_place_release(struct outbox_place *place);

/* Path of the file with that suffix; free it. */
char *outbox_place_path(const struct outbox_place *place, const char *suffix);

/* Whatever it is. */
bool outbox_place_exists(const struct outbox_place *place, const char *suffix);
/* Can the file and its logs be opened, and read from beginning to end? */
bool outbox_place_is_usable(const struct outbox_place *place, const char *suffix);
/* 0 when it is not there, UINT64_MAX when it cannot be opened. */
uint64_t outbox_place_bytes(const struct outbox_place *place, const char *suffix);

/* Renames the file and its logs, if they are there. */
bool outbox_place_rename(const struct outbox_place *place, const char *from,
                         const char *to, struct error *err) MUST_CHECK;

/* The file and its logs. */
void outbox_place_remove(const struct outbox_place *place, const char *suffix);

/*
 * Writes the file's bytes once more and syncs them. After a sync that failed the system may hold bytes
 * that it does not mean to write any more: a process that finds them there takes them for safe, until
 * the power goes. Nothing to do where there is no such file.
 */
bool outbox_place_rewrite(const struct outbox_place *place, const char *suffix,
                          struct error *err) MUST_CHECK;

/* Renames the database and its logs to the first free name, which `name` gets. */
bool outbox_place_set_aside(const struct outbox_place *place, char *name, size_t size,
                            struct error *err) MUST_CHECK;

#endif
