/*
 * A file system for SQLite that fails when told to: full disks, failing syncs and reads, and a sync
 * that waits. Wraps the default one; registered under the name "fault". One test at a time.
 */
#ifndef TESTS_EXPORTER_FAULT_VFS_H
#define TESTS_EXPORTER_FAULT_VFS_H

#include <stdbool.h>
#include <stdint.h>

struct fault_vfs {
    bool is_full;     /* files cannot grow; what they have can be written again */
    bool fails_write; /* EIO */
    bool fails_sync;
    bool fails_read;
    bool reads_garbage;       /* reads of the database give other bytes */
    unsigned read_only_opens; /* so many databases may only be read */
    void (*on_sync)(void *self);
    void *self;
    uint64_t syncs, writes, written_bytes;
};

/* Registers it on first use; everything is in order again. */
struct fault_vfs *fault_vfs_reset(void);

#endif
