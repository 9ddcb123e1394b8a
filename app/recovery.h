/*
 * What a start finds in the state directory becomes a fold and a journal to go on with: the
 * checkpoint is read, the journal behind it replayed. Nothing in there stops a start: what cannot be
 * read is set aside as *.bad, said and counted, and the rest is used as far as it reaches. Without a
 * directory both begin empty, in memory.
 */
#ifndef APP_RECOVERY_H
#define APP_RECOVERY_H

#include "app/fold.h"
#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct recovery_options {
    const struct disk *disk;  /* of the state directory; NULL: memory */
    struct fold_options fold; /* the seed comes from the checkpoint or from chance */
    enum journal_durability durability;
    uint64_t journal_max_bytes;
    bool is_manual; /* as in struct journal_options */
    /* Now and then during the replay; may block so that what it emits does not pile up. */
    void (*progress)(void *self, const struct fold *fold);
    void *self;
};

struct recovery_report {
    uint64_t checkpoint_lsn; /* 0: none was read */
    uint64_t records, bytes; /* replayed; of bodies */
    uint64_t duration_ns;
    uint64_t clock_behind_ns;            /* the machine's clock, of the state */
    uint64_t bad_checkpoints;            /* set aside */
    char bad_checkpoint[ERROR_TEXT_MAX]; /* why; may be empty */
};

struct recovery {
    uint64_t seed; /* of hashes, from now on */
    struct fold *fold;
    struct journal *journal;
    struct recovery_report report;
};

/* False only when no journal can be made. Fold and journal are the caller's; one may be there. */
bool recovery_run(const struct recovery_options *options, struct recovery *recovery,
                  struct error *err) MUST_CHECK;

#endif
