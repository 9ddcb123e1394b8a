/*
 * Every record that was offered to the journal, and what became of it: the truth against which the
 * journal is held. Receive times are unique in a simulation, so a record is recognised by its own.
 *
 * Rules: a record that was acknowledged comes back from every journal behind the checkpoint, in LSN
 * order, unchanged. One that was not may come back or not, even one that was refused (its bytes may
 * have reached the disk when the power went), but only where nothing that came after it had counted:
 * the engine went on without it.
 */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include "base/buffer.h"
#include "base/hash.h"
#include "base/journal.h"
#include "base/table.h"
#include "tests/sim/senders.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_record {
    enum journal_kind kind;
    uint64_t receive_ns;
    const struct sim_request *request; /* JOURNAL_REQUEST */
    struct buffer config;              /* JOURNAL_CONFIG */
    bool is_acknowledged, is_refused;
    uint64_t lsn; /* when it was last given to the engine; 0: never, or not any more */
};

struct history {
    struct history_record *records; /* as they were offered */
    size_t count, room;
    size_t
        settled; /* records up to here were refused for good, unless they were not refused */
    struct table by_time;
    uint32_t *by_lsn; /* index of the record, TABLE_NONE: none; place 0 is LSN 1 */
    size_t last_lsn, lsn_room;
    uint64_t floor_lsn; /* known when the process began: new records are above it */
    uint64_t violations;
    char violation[256];          /* the first one */
    uint64_t replaced;            /* unacknowledged records that gave way to others */
    bool tolerates_loss;          /* of acknowledged records, which are counted */
    uint64_t lost, lost_from_lsn; /* the lowest since somebody set it; 0: none */
};

/* Zero-initialise it. */
void history_release(struct history *history);

/* Returns its index. `body` is looked at for JOURNAL_CONFIG. */
size_t history_offer(struct history *history, const struct journal_record *record,
                     const struct sim_request *request);
/* What journal_append() said. */
void history_answer(struct history *history, size_t index, enum error_kind kind);

/* The engine of a process whose state stood at `before_lsn` was given the record. */
void history_give(struct history *history, const struct journal_record *record,
                  uint64_t before_lsn);
/* A process began; all that the journal kept was given, the last one with that LSN. Checkpoint and
 * outbox know LSNs up to the other. */
void history_end_recovery(struct history *history, uint64_t last_lsn, uint64_t known_lsn);

/* The record with that LSN; NULL when there is none. */
const struct history_record *history_at(const struct history *history, uint64_t lsn);

/* Acknowledged records that the engine was never given. */
size_t history_count_missing(const struct history *history);

#endif
