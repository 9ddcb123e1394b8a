/*
 * The journal: an ordered log of everything that changes the engine's state. Records get log
 * sequence numbers (LSN) from 1, rising (a start or a failed sync may leave some out); LSN order is
 * apply order. A sender is told OK once its record is as durable as configured, so the engine's state is
 * a fold of the journal.
 *
 * Two stores stand behind the functions. Memory: a record lives until it is forgotten, an append
 * never fails. Disk: append-only segments in a state directory; a record survives the process
 * (JOURNAL_PROCESS) or the machine (JOURNAL_FSYNC, group commit) before it is done, and is read
 * again after a restart. A Kafka partition could take their place.
 *
 * A full journal or disk refuses records; nothing half-written counts, and it takes records again
 * by itself once there is room. Requests leave a reserve in every segment to ticks and configurations,
 * which are taken as well while the disk is short of min_free_bytes.
 *
 * A directory that was removed or moved away while it is used takes no requests, for no later process
 * would find them; ticks are taken still. Where only the active segment was removed, a new one follows.
 *
 * A record that was refused is never read by this process. Where the disk failed, and the process then
 * ended before it could write that down, a later one may read it: to the sender that is a lost answer.
 *
 * Threads: append from any thread; next, wait and forget from the one reader (the engine).
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum journal_kind {
    JOURNAL_REQUEST = 1,
    JOURNAL_TICK = 2,
    JOURNAL_CONFIG = 3, /* body: the pipeline options from here on, as text */
};

struct journal_record {
    enum journal_kind kind;
    uint64_t lsn;        /* given by append */
    uint64_t receive_ns; /* Unix time; the only clock that the engine knows */
    uint8_t media_type;  /* request: enum otlp_media */
    uint8_t coding;      /* request: enum otlp_coding */
    struct slice body;   /* request: as received; borrowed from `context` */
    void *
        context; /* what was appended with it (a request); NULL when read back from disk */
};

struct journal;

struct journal *journal_new_memory(void);

enum journal_durability {
    JOURNAL_PROCESS, /* done once the operating system has it: survives kill -9 */
    JOURNAL_FSYNC,   /* done once the disk has it: survives power loss */
};

struct journal_options {
    const struct disk *disk; /* borrowed */
    enum journal_durability durability;
    uint64_t max_bytes;     /* of all segments together; above it records are refused */
    uint64_t segment_bytes; /* 0: the default */
    uint64_t
        min_free_bytes; /* refuse while the disk has less: outbox and checkpoint need it */
    uint64_t after_lsn; /* what the checkpoint has: next() begins behind it */
    uint64_t known_lsn; /* highest LSN known anywhere else: new ones are above it */
    bool is_manual;     /* no thread for group commit: the caller calls journal_flush() */
};

/*
 * Opens what is in the directory. A torn tail is cut, anything else that cannot be read is set
 * aside as *.bad and counted; neither is a failure, nor is a full disk. NULL only when the directory
 * cannot be listed or no segment be created for another reason. Damage inside segments shows as they
 * are read; such a segment is set aside when it is forgotten.
 */
struct journal *journal_open(const struct journal_options *options,
                             struct error *err) MUST_CHECK;
/* What waits for a sync is synced first. */
void journal_free(struct journal *journal);

/*
 * Called exactly once for an append, before the reader sees the record, on the appending thread or
 * on the journal's own: ERROR_NONE once the record is durable; ERROR_BUSY when it was not taken
 * (no room, or the disk failed), ERROR_TOO_LARGE when it never will be (it needs more than half of
 * max_bytes): then the reader never sees it and its context is still the caller's. Must not block and must not call the journal.
 */
typedef void journal_done(void *self, enum error_kind kind);

/* Appends; never blocks on the reader. `done` may be NULL. */
void journal_append(struct journal *journal, const struct journal_record *record,
                    journal_done *done, void *self);

/* Syncs what waits for it; only with is_manual. */
void journal_flush(struct journal *journal);

/*
 * The next record in LSN order, or false when there is none yet. A body without a context is valid
 * until the next call.
 */
bool journal_next(struct journal *journal, struct journal_record *record);

/* Blocks until a record is there, the Unix time `until_ns` is reached or journal_wake() is called. */
void journal_wait(struct journal *journal, uint64_t until_ns);
void journal_wake(struct journal *journal);

/* Frees everything up to and including lsn. What was not read yet stays. */
void journal_forget(struct journal *journal, uint64_t lsn);

/* Any thread. */
struct journal_stats {
    bool is_on_disk, is_refusing; /* no record was taken since the last was refused */
    uint64_t bytes, max_bytes;    /* held in segments; the budget */
    uint64_t segments;
    uint64_t first_lsn, last_lsn;               /* kept; last_lsn 0: none ever */
    uint64_t appended, appended_bytes, refused; /* records since the start */
    uint64_t replayed;                          /* records read back from disk */
    uint64_t syncs, failed_syncs;
    uint64_t torn_bytes; /* cut from the tail at the start */
    uint64_t bad_files, bad_bytes,
        lost_records;     /* set aside; records known to be missing */
    char last_error[256]; /* why it refuses or set aside; may be empty */
};

void journal_read_stats(struct journal *journal, struct journal_stats *stats);

#endif
