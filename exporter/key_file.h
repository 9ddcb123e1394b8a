/*
 * The API key in a file of its own, as secrets are mounted: one line, blanks around it ignored. A
 * secret that is rotated shows as another file (Kubernetes moves a symbolic link) or as another time
 * or size; key_watch remembers what the file was.
 */
#ifndef EXPORTER_KEY_FILE_H
#define EXPORTER_KEY_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

/* The key on the heap (free()), or NULL with an error that names the file and never the key. */
char *key_file_read(const char *path, struct error *err);

enum {
    /* One stat() every few seconds: a rotated key is in use before the old one is withdrawn. */
    KEY_WATCH_MS = 3000
};

/* Zero-initialised: not looked yet. */
struct key_watch {
    uint64_t due_ms; /* monotonic */
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec written;
};

/*
 * True when the file is another one than at the last look, and at the first look. At most one look
 * in KEY_WATCH_MS. A file that is not there has not changed: the key that is in use stays.
 */
bool key_watch_look(struct key_watch *watch, const char *path, uint64_t now_ms);

#endif
