/*
 * The saver: writes checkpoints, so that the journal need not be kept for ever and a start need not
 * replay all of it.
 *
 * A checkpoint has two halves. The engine's thread writes its fold into checkpoint.new, which is a
 * memory copy into the page cache; the saver's own thread waits for the disk, then for the outbox to
 * have committed every tick whose rows the fold has given away, and only then renames the file: a
 * checkpoint that counts never knows more than the outbox. While one is under way no second begins.
 * What fails is tried again later; the journal is kept meanwhile.
 *
 * Threads: the engine's, except for saver_read(); start and end may be elsewhere.
 */
#ifndef APP_SAVER_H
#define APP_SAVER_H

#include "app/fold.h"
#include "app/state.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct saver;

/* Often enough that a start replays seconds, rarely enough that nobody notices. */
#define SAVER_INTERVAL_NS (UINT64_C(300) * 1000000000)

/*
 * After a replay of this length the next checkpoint is due at once. A process that is killed again and
 * again lives shorter than an interval: without this it would replay more every time.
 */
#define SAVER_LONG_REPLAY_NS UINT64_C(1000000000)

/* How much may be appended to a journal of that budget between two checkpoints. */
uint64_t saver_journal_bytes(uint64_t journal_max_bytes);

struct saver_options {
    struct state *state;
    struct journal *journal;
    uint64_t seed;      /* of the hashes in the fold */
    uint64_t lsn;       /* of the checkpoint that is there; 0: none */
    uint64_t replay_ns; /* how long the replay behind it took */
    uint64_t interval_ns;
    uint64_t max_journal_bytes; /* appended since the last checkpoint */
    /* The newest tick that the outbox has made durable; any thread. */
    uint64_t (*committed_lsn)(void *self);
    void *self;
    /* The reserve is taken back once the disk has as much beside it. */
    uint64_t spare_bytes;
};

struct saver *saver_new(const struct saver_options *options,
                        struct error *err) MUST_CHECK;
void saver_free(struct saver *saver);

/* Lets the journal forget what the checkpoint in force holds. */
void saver_forget(struct saver *saver);

/*
 * To be called now and then: begins a checkpoint when it is time, and forgets. `journal_bytes` counts
 * what was applied or replayed since the start. Wakes who waits at the journal when one is in force.
 */
void saver_tend(struct saver *saver, const struct fold *fold, uint64_t journal_bytes);

/* The last one, so that a successor has nothing to replay. Waits for it, within reason. */
void saver_finish(struct saver *saver, const struct fold *fold);

struct saver_status {
    uint64_t lsn, time_ns; /* in force; time 0: not from this process */
    uint64_t bytes;
    uint64_t write_ns, sync_ns;      /* how long its halves took */
    uint64_t saved, failed;          /* since the start */
    char last_error[ERROR_TEXT_MAX]; /* empty once one worked */
};

/* Any thread. */
void saver_read(struct saver *saver, struct saver_status *status);

#endif
