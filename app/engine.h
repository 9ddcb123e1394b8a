/*
 * The engine: one thread that applies the journal in LSN order. It owns the fold, takes no clock but
 * the records' own times, and gives closed minutes to the outbox.
 *
 * It is also the receiver's intake: a request is stamped with the receive time, appended to the
 * journal, and its sender is answered once the record is as durable as configured; what the engine
 * does with it afterwards changes no answer. Bytes in flight (received, not yet applied) have one
 * budget; above it requests are refused.
 *
 * A tick record is appended only when the pipeline has something due, a configuration record when
 * what is in force is not what the options say; the first record of a new state is one.
 *
 * With a state directory the engine recovers before it takes anything, writes checkpoints, and at
 * the end leaves open minutes to its successor. Without one the journal is in memory, and at the end
 * every minute that is over is closed early.
 *
 * Receive times never fall along the journal, over restarts too: where the machine's clock is behind
 * the state, time runs at half pace until it has caught up.
 */
#ifndef APP_ENGINE_H
#define APP_ENGINE_H

#include "app/inspection.h"
#include "app/recovery.h"
#include "app/saver.h"
#include "app/state.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/journal.h"
#include "base/ledger.h"
#include "pipeline/pipeline.h"
#include "receiver/intake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

struct engine_options {
    struct pipeline_options pipeline; /* watch_start_ns follows from the first record */
    size_t max_inflight_bytes;
    /* Takes closed rows, on the thread that applies: in engine_start() and then the engine's. */
    void (*put)(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn);
    /* The rest only with state on disk. */
    struct state *state; /* NULL: memory */
    enum journal_durability durability;
    uint64_t journal_max_bytes;
    /* Newest tick that the outbox has made durable. Any thread. */
    uint64_t (*committed_lsn)(void *self);
    /* Between records that are replayed: may block, so that what was put does not pile up. */
    void (*pause)(void *self);
    void *self;
};

/* Can be read from at once, and takes no requests yet. Texts in options are borrowed. */
struct engine *engine_new(const struct engine_options *options);

/* Recovers, if there is state, and begins to take requests. */
bool engine_start(struct engine *engine, struct error *err) MUST_CHECK;

/* The receiver's way in, once started; valid until engine_free(). */
struct intake engine_intake(struct engine *engine);

/* New requests are refused from now on. */
void engine_refuse(struct engine *engine);

/*
 * Applies what was accepted and ends the thread. Memory: closes every minute that is over. Disk:
 * saves a checkpoint, for which the outbox must go on committing; without one nothing is lost, the
 * next start only takes longer.
 */
void engine_finish(struct engine *engine);
void engine_free(struct engine *engine);

/* Runs the look on the engine's thread and waits for it (app/inspection.h). One thread at a time, not
 * after engine_finish(). */
bool engine_inspect(struct engine *engine, inspection_look *look, void *self) MUST_CHECK;

/* The books and counts after the record applied last: they always balance. Any thread. */
struct engine_picture {
    struct point_ledger ledger;
    struct pipeline_counts counts;
    struct pipeline_budget_use budget_use;
    uint64_t lsn;
    size_t inflight_bytes, max_inflight_bytes;
    bool is_accepting;
    bool
        is_recovered; /* what was found has been replayed; before that books are behind */
    /* Requests, by why they were refused: no room in flight, journal, not accepting. */
    uint64_t refused_room, refused_journal, refused_closed;
    struct journal_stats journal;
    struct recovery_report recovery;
    struct saver_status checkpoint;
};

void engine_read(struct engine *engine, struct engine_picture *picture);

#endif
