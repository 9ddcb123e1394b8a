/*
 * The content of one file of the fake disk: what a process sees, and what would be left of it.
 * What no sync covered is kept as a list of changes; a crash replays some of them over the synced
 * image. A sector has one of its past contents afterwards: changes of it after a point of time are
 * lost, a different point for each sector.
 */
#ifndef TESTS_SIM_FAKE_INODE_H
#define TESTS_SIM_FAKE_INODE_H

#include "base/buffer.h"
#include "tests/sim/chance.h"

#include <stdbool.h>
#include <stdint.h>

struct inode_change {
    uint64_t offset; /* of the bytes; the new size when it is one of the size alone */
    struct buffer bytes;
    bool is_size;
};

struct fake_inode {
    struct buffer now, synced;
    uint64_t allocated; /* bytes that are backed by space; at least now.len */
    bool tracks;
    struct inode_change *changes; /* since the last sync */
    size_t count, room;
    unsigned names, handles; /* that refer to it; the disk counts */
};

struct fake_inode *fake_inode_new(bool tracks);
void fake_inode_free(struct fake_inode *inode);

void fake_inode_write(struct fake_inode *inode, uint64_t offset, struct slice bytes);
void fake_inode_resize(struct fake_inode *inode, uint64_t bytes);

void fake_inode_sync(struct fake_inode *inode);
/* The sync failed: some changes are on disk, the others never will be, though the process sees them. */
void fake_inode_fail_sync(struct fake_inode *inode, struct chance *chance);
/* Returns how many sectors lost something. */
uint64_t fake_inode_crash(struct fake_inode *inode, struct chance *chance);

#endif
