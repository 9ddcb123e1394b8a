/*
 * What is in the directory when the journal is opened: the segments that have records, in order, the
 * files that can be used again, and where the journal ends. Files that cannot be read at all are set
 * aside here; a segment that is damaged in part stays where it is, as long as its readable records
 * are needed (journal_replay.h), and is set aside when they are forgotten.
 *
 * Only the last segment is read through. Of the others the headers tell enough; their damage shows
 * when they are replayed.
 */
#ifndef BASE_JOURNAL_RECOVER_H
#define BASE_JOURNAL_RECOVER_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/journal_segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_recovery {
    const struct disk
        *disk;      /* borrowed; set by the caller as the next one, the rest zero */
    bool is_synced; /* what counts has to outlast the machine */

    struct journal_segment *segments; /* closed; by first LSN */
    size_t count, capacity;
    char (*idle)[JOURNAL_NAME_BYTES]; /* files without records, to be used again */
    size_t idle_count, idle_capacity;
    /* The last segment, if it has no record yet: not to be used again before there is another that
     * says what is void. Else empty. */
    char empty[JOURNAL_NAME_BYTES];
    uint64_t journal_id; /* 0: there is no segment */
    /* Of the first segment behind the last record: it says how far records went. Zero: there is none. */
    struct journal_header promise;
    uint64_t durable_lsn; /* as far as the last record knew */
    uint64_t end_lsn;     /* the last record that is there */
    uint64_t next_lsn;    /* the first that no segment claims */
    uint64_t torn_bytes, bad_files, bad_bytes, failed_syncs;
    char last_error[256]; /* why something was set aside */
};

/* False only when the directory cannot be listed. */
bool journal_recover(struct journal_recovery *recovery, struct error *err) MUST_CHECK;
void journal_recovery_release(struct journal_recovery *recovery);

#endif
