/*
 * A directory of state files. The journal and the checkpoint reach their files through these
 * functions only, so that tests can put a disk under them that loses what was not synced, tears
 * writes, fills up and fails.
 *
 * Names are flat (no slashes). What write() took survives the end of the process; only what sync()
 * covered (of a file) and sync_names() covered (creations, renames, removals) survives the end of
 * the machine. After sync() failed nothing is known about the bytes written since the last one.
 *
 * Errors: ERROR_BUSY where space is missing (ENOSPC, EDQUOT), ERROR_NOT_FOUND for a missing name,
 * else ERROR_INTERNAL. The text names file and cause. Any thread; one thread per file.
 */
#ifndef BASE_DISK_H
#define BASE_DISK_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk_file;

enum disk_open {
    DISK_READ,
    DISK_WRITE,  /* reads too; created when it is missing */
    DISK_REPLACE /* created empty */
};

struct disk {
    void *self;
    /* NULL on failure. */
    struct disk_file *(*open)(void *self, const char *name, enum disk_open how,
                              struct error *err);
    void (*close)(void *self, struct disk_file *file);
    /* *got is less than len only at the end of the file. */
    bool (*read)(void *self, struct disk_file *file, uint64_t offset, char *to,
                 size_t len, size_t *got, struct error *err);
    /* Writes the parts one after the other; on failure some of the bytes may be there. */
    bool (*write)(void *self, struct disk_file *file, uint64_t offset,
                  const struct slice *parts, size_t count, struct error *err);
    /* Makes the file `bytes` long and backed by space, so that writing inside cannot run out. */
    bool (*allocate)(void *self, struct disk_file *file, uint64_t bytes,
                     struct error *err);
    bool (*truncate)(void *self, struct disk_file *file, uint64_t bytes,
                     struct error *err);
    bool (*sync)(void *self, struct disk_file *file, struct error *err);
    uint64_t (*size)(void *self, struct disk_file *file);
    /* Replaces `to`. */
    bool (*rename)(void *self, const char *from, const char *to, struct error *err);
    bool (*remove)(void *self, const char *name, struct error *err);
    bool (*sync_names)(void *self, struct error *err);
    /* Calls for each file, in no order. */
    bool (*list)(void *self, void (*found)(void *found_self, const char *name),
                 void *found_self, struct error *err);
    uint64_t (*free_bytes)(void *self);
    /* ERROR_NOT_FOUND when the directory's path does not lead to it any more, or when the file (NULL:
     * none is asked for) has no name left: whatever is written there, nobody will find it. */
    bool (*check)(void *self, const struct disk_file *file, struct error *err);
};

/* The directory at `path`, created with mode 0700 when it is missing. NULL on failure. */
struct disk *disk_open_directory(const char *path, struct error *err) MUST_CHECK;
void disk_free_directory(struct disk *disk);

/*
 * Renames the file to the first free of NAME.bad, NAME.1.bad, ...: it is kept for a person. False
 * when even that fails; the text in err says why.
 */
bool disk_set_aside(const struct disk *disk, const char *name,
                    struct error *err) MUST_CHECK;

#endif
