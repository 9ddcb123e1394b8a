/*
 * A disk in memory that knows what would survive. Two things can end a process on it:
 *
 *   killed      what write() took stays, the call in which the process died has happened in part;
 *               from then on every call fails and does nothing, until fake_disk_revive()
 *   the machine fake_disk_crash(): of what no sync covered each 512-byte sector, each file size and
 *               each change of names is kept or lost on its own, by the seed
 *
 * It also fills up (capacity less what others take), and fails calls: the n-th one or one in so
 * many. A failed write may have written a part; after a failed sync some of the bytes are lost
 * although later syncs succeed, as Linux does it.
 *
 * Calls that change something are counted, so that a run can be killed at any of them. Not for
 * threads.
 */
#ifndef TESTS_SIM_FAKE_DISK_H
#define TESTS_SIM_FAKE_DISK_H

#include "base/disk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FAKE_DISK_SECTOR = 512
};

struct fake_disk;

struct fake_disk_options {
    uint64_t seed;
    uint64_t capacity;     /* bytes */
    bool survives_in_part; /* keep books of what no sync covered; needed for crashes */
};

struct fake_disk *fake_disk_new(const struct fake_disk_options *options);
void fake_disk_free(struct fake_disk *disk);
/* What the gateway sees; valid until fake_disk_free(). */
const struct disk *fake_disk_handle(struct fake_disk *disk);

/* ---- faults ------------------------------------------------------------------------------ */

struct fake_disk_faults {
    unsigned write_one_in, sync_one_in; /* EIO; 0: never */
};

void fake_disk_set_faults(struct fake_disk *disk, const struct fake_disk_faults *faults);
/* Fails one call, the n-th change from now on; 0: none. */
void fake_disk_fail_at(struct fake_disk *disk, uint64_t calls);
/* Bytes that somebody else takes. */
void fake_disk_take_space(struct fake_disk *disk, uint64_t bytes);

/* ---- ends -------------------------------------------------------------------------------- */

/* The process dies in the n-th change from now on; 0: not any more. */
void fake_disk_kill_at(struct fake_disk *disk, uint64_t calls);
/* It dies now. */
void fake_disk_kill(struct fake_disk *disk);
bool fake_disk_is_dead(const struct fake_disk *disk);
/* Loses what the seed says of what no sync covered. The process must be dead. */
void fake_disk_crash(struct fake_disk *disk);
/* For the next process; the last one must have closed its files. */
void fake_disk_revive(struct fake_disk *disk);

/* ---- books ------------------------------------------------------------------------------- */

struct fake_disk_stats {
    uint64_t calls; /* that changed something, or tried to */
    uint64_t bytes, files;
    uint64_t failed_writes, failed_syncs, full; /* that were made to fail */
    uint64_t lost_sectors;                      /* in crashes */
};

void fake_disk_read_stats(const struct fake_disk *disk, struct fake_disk_stats *stats);

#endif
