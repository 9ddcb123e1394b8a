/*
 * SQLite on a struct disk: a VFS that reaches its files through base/disk.h only, so that a database
 * loses unsynced pages in a crash like any other file of the simulated disk.
 *
 * One process at a time opens a database, with PRAGMA locking_mode = EXCLUSIVE where it is in WAL
 * mode: locks always succeed and there is no shared memory. Directory entries are synced where
 * SQLite's own unix VFS does it: with the first sync of a file that was created, and with removals
 * that ask for it. Random numbers and the time are the simulation's.
 */
#ifndef TESTS_SIM_SIM_VFS_H
#define TESTS_SIM_SIM_VFS_H

#include "base/disk.h"
#include "tests/sim/chance.h"

#include <stdint.h>

#define SIM_VFS_NAME "sim"

struct sim_vfs;

/* Registers it as the default. `now_ns` (Unix time) is read whenever SQLite asks; borrowed. */
struct sim_vfs *sim_vfs_new(const struct disk *disk, uint64_t seed,
                            const uint64_t *now_ns);
void sim_vfs_free(struct sim_vfs *vfs);

#endif
