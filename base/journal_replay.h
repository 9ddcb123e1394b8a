/*
 * Reads again what the journal had when it was opened, segment by segment, one record in memory at a
 * time. Damage is passed over; the caller is told which segment has it, and how many records are
 * known to be missing. What was not durable yet when the machine lost power is not: where later records
 * do not say that the missing ones were durable, they were never acknowledged.
 *
 * Works on its own copies, so that it may run while others append. One thread.
 */
#ifndef BASE_JOURNAL_REPLAY_H
#define BASE_JOURNAL_REPLAY_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/journal_segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_replay;

struct journal_replay_options {
    const struct disk *disk;                /* borrowed */
    const struct journal_segment *segments; /* copied */
    size_t count;
    uint64_t after_lsn; /* begins behind it */
    /* Of a segment behind these, which has no record: it tells where they end. Zero: there is none. */
    struct journal_header promise;
    /* Something in the segment that begins with first_lsn cannot be read. */
    void (*damaged)(void *self, uint64_t first_lsn);
    void *self;
};

struct journal_replay *journal_replay_new(const struct journal_replay_options *options);
void journal_replay_free(struct journal_replay *replay);

/* The next readable record; its body is valid until the next call. False at the end. */
bool journal_replay_next(struct journal_replay *replay, struct journal_record *record);

/* Records known to be missing so far. */
uint64_t journal_replay_lost(const struct journal_replay *replay);

#endif
