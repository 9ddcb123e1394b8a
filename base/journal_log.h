/*
 * The journal on a disk for one thread at a time: the caller locks. Appends to the active segment,
 * begins the next one when it is full, uses files again once their records are forgotten, and stays
 * within the budget. What was there before the start is journal_replay.h's.
 *
 * Requests leave a reserve in every segment, for ticks and configurations: minutes can be closed
 * although the journal takes no request, so that what is full can become empty.
 *
 * After a failed sync nobody knows what the disk has: everything that was not durable is void, in
 * memory and by the header of the next segment, and its LSNs are not given again.
 */
#ifndef BASE_JOURNAL_LOG_H
#define BASE_JOURNAL_LOG_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/journal.h"
#include "base/journal_files.h"
#include "base/journal_segment.h"

#include <stdbool.h>
#include <stdint.h>

struct journal_replay;

/* Its parts (journal_log.c, journal_log_forget.c, journal_log_sync.c) see this; everybody else uses the functions. */
struct journal_log {
    struct journal_options options;
    const struct disk *disk;
    struct journal_files files;
    uint64_t segment_bytes, reserve_bytes;
    struct journal_segment *segments; /* oldest first */
    size_t count, capacity;
    bool has_active; /* the last segment takes records */
    /* Segments that were there at the start, only right then; and journal_recovery's promise. */
    size_t recovered;
    struct journal_header promise;
    bool has_forgotten;
    uint64_t journal_id;
    uint64_t next_lsn; /* what the next record gets */
    uint64_t end_lsn;  /* the last record that counts */
    uint64_t durable_lsn;
    uint64_t recovered_end; /* end_lsn at the start */
    uint64_t retry_ns;      /* monotonic; no segment is begun before it */
    uint64_t ask_space_ns;  /* monotonic; `is_short` holds until then */
    bool is_short, has_refused_request;
    struct journal_stats stats; /* what is counted here */
};

/* NULL when the directory cannot be listed or written; a full disk is no failure. */
struct journal_log *journal_log_open(const struct journal_options *options,
                                     struct error *err) MUST_CHECK;
void journal_log_free(struct journal_log *log);

/* Reads what was there before the start; the caller frees it. */
struct journal_replay *journal_log_replay(struct journal_log *log,
                                          void (*damaged)(void *self, uint64_t first_lsn),
                                          void *self);
/* To be called for what replay says is damaged. */
void journal_log_mark_damaged(struct journal_log *log, uint64_t first_lsn);

/* Gives the record its LSN and writes it; ERROR_BUSY or ERROR_TOO_LARGE. `body_crc` is checksum_crc32c() of its body. */
bool journal_log_append(struct journal_log *log, struct journal_record *record,
                        uint32_t body_crc, struct error *err) MUST_CHECK;

/* Counts a record that became void as refused. */
void journal_log_take_back(struct journal_log *log, const struct journal_record *record);

/* Up to which LSN records are as durable as configured. */
uint64_t journal_log_durable(const struct journal_log *log);

/* Everything but `replayed`, and of `lost_records` what was missing at the journal's end. */
void journal_log_read_stats(const struct journal_log *log, struct journal_stats *stats);

/* For journal_log_sync.h. */

/* Begins the next segment, with room for a record of so many bytes. */
bool journal_log_begin(struct journal_log *log, uint64_t record_bytes,
                       struct error *err) MUST_CHECK;
struct journal_segment *journal_log_find(struct journal_log *log, uint64_t first_lsn);
void journal_log_note(struct journal_log *log, const struct error *err);

#endif
