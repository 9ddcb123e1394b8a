#include "app/engine.h"

#include "app/admission.h"
#include "app/budget_watch.h"
#include "app/chore.h"
#include "app/fold.h"
#include "app/journal_watch.h"
#include "base/clock.h"
#include "base/journal.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_OVERHEAD = 48, /* of a record in the journal, beside its body */
    /* A small journal under load fills faster than the clock says. */
    HOUSE_BYTES = 1 << 20,
};

struct engine {
    struct engine_options options;
    struct buffer config; /* what should be in force */
    struct fold *fold;    /* engine thread */
    struct journal *journal;
    struct saver *saver; /* NULL: memory */
    struct clock *clock;
    uint64_t seed;
    pthread_t thread;
    bool is_running;
    struct chore tick_chore, config_chore;
    /* Stamps and appends as one step, so that receive times never fall along the journal. */
    pthread_mutex_t append_lock;
    struct admission admission;
    atomic_size_t unapplied; /* requests that were submitted and are ours still */
    atomic_bool is_finishing;
    struct journal_watch journal_watch;
    struct budget_watch budget_watch;
    /* Engine thread: applied or replayed, and when to look after the house again. */
    uint64_t applied_bytes, house_bytes, house_ns;
    pthread_mutex_t picture_lock;
    struct engine_picture picture;
    struct inspection inspection;
};

/* ---- intake ------------------------------------------------------------------------------ */

static bool reserve(void *self, size_t bytes)
{
    struct engine *engine = self;

    return admission_take(&engine->admission, bytes);
}

static void unreserve(void *self, size_t bytes)
{
    struct engine *engine = self;

    admission_give(&engine->admission, bytes);
}

static bool accepting(void *self)
{
    struct engine *engine = self;

    return admission_enter(&engine->admission);
}

/* The request is ours again, or still. */
static void discard(struct engine *engine, struct intake_request *request)
{
    size_t reserved = request->reserved;

    intake_request_free(request);
    unreserve(engine, reserved);
    atomic_fetch_sub(&engine->unapplied, 1);
}

/* Whom to answer: copied out of the request, which may be applied and freed before that. */
struct submission {
    struct engine *engine;
    struct intake_request *request;
    void (*answer)(void *self, enum error_kind kind);
    void *answer_self;
};

static void conclude(void *self, enum error_kind kind)
{
    struct submission *submission = self;

    if (kind != ERROR_NONE) {
        if (error_is_retryable(kind))
            atomic_fetch_add(&submission->engine->admission.refused_journal, 1);
        discard(submission->engine, submission->request);
    }
    submission->answer(submission->answer_self, kind);
    free(submission);
}

static void submit(void *self, struct intake_request *request)
{
    struct engine *engine = self;
    struct submission *submission = memory_new(1, sizeof(*submission));

    *submission = (struct submission){
        .engine = engine,
        .request = request,
        .answer = request->answer,
        .answer_self = request->answer_self,
    };
    atomic_fetch_add(&engine->unapplied, 1);
    pthread_mutex_lock(&engine->append_lock);
    request->receive_ns = clock_read(engine->clock);
    journal_append(engine->journal,
                   &(struct journal_record){
                       .kind = JOURNAL_REQUEST,
                       .receive_ns = request->receive_ns,
                       .media_type = (uint8_t)request->media,
                       .coding = (uint8_t)request->coding,
                       .body = {request->body, request->body_len},
                       .context = request,
                   },
                   conclude, submission);
    pthread_mutex_unlock(&engine->append_lock);
}

struct intake engine_intake(struct engine *engine)
{
    return (struct intake){
        .self = engine,
        .reserve = reserve,
        .unreserve = unreserve,
        .submit = submit,
        .accepting = accepting,
        .seed = engine->seed,
    };
}

/* ---- the engine's own records ------------------------------------------------------------ */

static void offer(struct engine *engine, struct chore *chore, enum journal_kind kind,
                  struct slice body)
{
    if (!chore_begin(chore, clock_monotonic_ns()))
        return;
    pthread_mutex_lock(&engine->append_lock);
    journal_append(engine->journal,
                   &(struct journal_record){
                       .kind = kind,
                       .receive_ns = clock_read(engine->clock),
                       .body = body,
                   },
                   chore_done, chore);
    pthread_mutex_unlock(&engine->append_lock);
}

static void offer_config(struct engine *engine)
{
    struct slice config = buffer_slice(&engine->config);

    if (!slice_equal(fold_config(engine->fold), config))
        offer(engine, &engine->config_chore, JOURNAL_CONFIG, config);
}

/* ---- applying ---------------------------------------------------------------------------- */

static void publish(struct engine *engine, const struct fold *fold)
{
    const struct pipeline *pipeline = fold_pipeline(fold);

    pthread_mutex_lock(&engine->picture_lock);
    engine->picture.ledger = *pipeline_ledger(pipeline);
    pipeline_read_counts(pipeline, &engine->picture.counts);
    pipeline_read_budget_use(pipeline, &engine->picture.budget_use);
    engine->picture.lsn = fold_lsn(fold);
    pthread_mutex_unlock(&engine->picture_lock);
}

static void end_chore(struct engine *engine, enum journal_kind kind)
{
    switch (kind) {
    case JOURNAL_REQUEST: break;
    case JOURNAL_TICK: chore_end(&engine->tick_chore); break;
    case JOURNAL_CONFIG: chore_end(&engine->config_chore); break;
    }
}

static void apply(struct engine *engine, const struct journal_record *record)
{
    struct intake_request *request = record->context;

    fold_apply(engine->fold, record, request ? request->batch : NULL);
    engine->applied_bytes += record->body.len + RECORD_OVERHEAD;
    end_chore(engine, record->kind);
    if (request)
        discard(engine, request);
    publish(engine, engine->fold);
    if (!engine->saver)
        journal_forget(engine->journal, record->lsn);
}

/* ---- housekeeping ------------------------------------------------------------------------ */

/* False when nothing is due yet; *due_ns says when. */
static bool offer_tick(struct engine *engine, uint64_t now_ns, uint64_t *due_ns)
{
    static const struct slice nothing = SLICE("");

    *due_ns = pipeline_next_due(fold_pipeline(engine->fold));
    if (*due_ns > now_ns)
        return false;
    offer(engine, &engine->tick_chore, JOURNAL_TICK, nothing);
    return true;
}

/* Also while requests keep coming: minutes close under any load. */
static void keep_house(struct engine *engine)
{
    const uint64_t interval_ns = 200000000;
    uint64_t now_ns = clock_monotonic_ns(), due_ns;
    struct journal_stats stats;

    if (now_ns < engine->house_ns && engine->applied_bytes < engine->house_bytes)
        return;
    engine->house_ns = now_ns + interval_ns;
    engine->house_bytes = engine->applied_bytes + HOUSE_BYTES;
    offer_tick(engine, clock_read(engine->clock), &due_ns);
    journal_read_stats(engine->journal, &stats);
    journal_watch_look(&engine->journal_watch, &stats, now_ns);
    budget_watch_look(&engine->budget_watch, &engine->picture.budget_use,
                      &engine->picture.counts, &engine->picture.ledger, now_ns);
    if (!engine->saver)
        return;
    state_is_there(engine->options.state); /* or says so */
    saver_tend(engine->saver, engine->fold, engine->applied_bytes);
}

/* ---- the thread -------------------------------------------------------------------------- */

/* Waits for a record or for the next thing due; a second at most, should the clock be stepping. */
static void rest(struct engine *engine)
{
    const uint64_t max_rest_ns = 1000000000;
    uint64_t now_ns = clock_read(engine->clock), due_ns, rest_ns = max_rest_ns;

    offer_config(engine);
    if (!offer_tick(engine, now_ns, &due_ns) && due_ns - now_ns < max_rest_ns)
        rest_ns = due_ns - now_ns;
    journal_wait(engine->journal, clock_now_ns() + rest_ns);
    if (engine->saver)
        saver_forget(engine->saver);
}

static void *run(void *self)
{
    struct engine *engine = self;
    struct journal_record record;

    for (;;) {
        keep_house(engine);
        inspection_serve(&engine->inspection, fold_pipeline(engine->fold));
        if (journal_next(engine->journal, &record))
            apply(engine, &record);
        else if (atomic_load(&engine->is_finishing) &&
                 atomic_load(&engine->unapplied) == 0)
            break;
        else
            rest(engine);
    }
    if (engine->saver && state_is_there(engine->options.state))
        saver_finish(engine->saver, engine->fold);
    else
        fold_finish(engine->fold, clock_read(engine->clock));
    publish(engine, engine->fold);
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------- */

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *engine = memory_new(1, sizeof(*engine));

    engine->options = *options;
    engine->admission.max_bytes = options->max_inflight_bytes;
    fold_write_config(&options->pipeline, &engine->config);
    pthread_mutex_init(&engine->append_lock, NULL);
    pthread_mutex_init(&engine->picture_lock, NULL);
    inspection_init(&engine->inspection);
    return engine;
}

static void show_progress(void *self, const struct fold *fold)
{
    struct engine *engine = self;

    publish(engine, fold);
    if (engine->options.state)
        engine->options.pause(engine->options.self);
}

static bool start_saver(struct engine *engine, struct error *err)
{
    const struct engine_options *options = &engine->options;
    struct saver *saver = saver_new(
        &(struct saver_options){
            .state = options->state,
            .journal = engine->journal,
            .seed = engine->seed,
            .lsn = engine->picture.recovery.checkpoint_lsn,
            .replay_ns = engine->picture.recovery.duration_ns,
            .interval_ns = SAVER_INTERVAL_NS,
            .max_journal_bytes = saver_journal_bytes(options->journal_max_bytes),
            .committed_lsn = options->committed_lsn,
            .self = options->self,
            .spare_bytes = 2 * options->journal_max_bytes / STATE_FREE_SHARE,
        },
        err);

    pthread_mutex_lock(&engine->picture_lock);
    engine->saver = saver;
    pthread_mutex_unlock(&engine->picture_lock);
    return saver != NULL;
}

static bool recover(struct engine *engine, struct error *err)
{
    const struct engine_options *options = &engine->options;
    struct recovery recovery;
    bool is_done = recovery_run(
        &(struct recovery_options){
            .disk = options->state ? state_disk(options->state) : NULL,
            .fold = {.initial = &options->pipeline,
                     .outbox_lsn = options->state ? options->committed_lsn(options->self)
                                                  : 0,
                     .put = options->put,
                     .self = options->self},
            .durability = options->durability,
            .journal_max_bytes = options->journal_max_bytes,
            .progress = show_progress,
            .self = engine,
        },
        &recovery, err);

    engine->seed = recovery.seed;
    engine->fold = recovery.fold;
    engine->applied_bytes = recovery.report.bytes;
    pthread_mutex_lock(&engine->picture_lock);
    engine->journal = recovery.journal; /* which says that the books are complete */
    engine->picture.recovery = recovery.report;
    pthread_mutex_unlock(&engine->picture_lock);
    return is_done;
}

bool engine_start(struct engine *engine, struct error *err)
{
    if (!recover(engine, err))
        return false;
    if (engine->options.state && !start_saver(engine, err))
        return false;
    engine->clock = clock_new_after(fold_receive_ns(engine->fold));
    /* Before any request. */
    offer_config(engine);
    atomic_store(&engine->admission.is_open, true);
    if (pthread_create(&engine->thread, NULL, run, engine) != 0)
        return FAIL(err, ERROR_INTERNAL, "cannot start the engine thread");
    engine->is_running = true;
    return true;
}

void engine_refuse(struct engine *engine)
{
    atomic_store(&engine->admission.is_open, false);
}

void engine_finish(struct engine *engine)
{
    if (!engine->is_running)
        return;
    engine_refuse(engine);
    atomic_store(&engine->is_finishing, true);
    journal_wake(engine->journal);
    pthread_join(engine->thread, NULL);
    engine->is_running = false;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    engine_finish(engine);
    saver_free(engine->saver);
    fold_free(engine->fold);
    journal_free(engine->journal);
    clock_free(engine->clock);
    buffer_release(&engine->config);
    pthread_mutex_destroy(&engine->append_lock);
    pthread_mutex_destroy(&engine->picture_lock);
    inspection_release(&engine->inspection);
    free(engine);
}

static void wake(void *self)
{
    const struct engine *engine = self;

    journal_wake(engine->journal);
}

bool engine_inspect(struct engine *engine, inspection_look *look, void *self)
{
    pthread_mutex_lock(&engine->picture_lock);

    bool is_recovered = engine->journal != NULL;

    pthread_mutex_unlock(&engine->picture_lock);
    return is_recovered && inspection_ask(&engine->inspection, look, self, wake, engine);
}

void engine_read(struct engine *engine, struct engine_picture *picture)
{
    pthread_mutex_lock(&engine->picture_lock);
    *picture = engine->picture;

    struct journal *journal = engine->journal;
    struct saver *saver = engine->saver;

    pthread_mutex_unlock(&engine->picture_lock);
    picture->is_recovered = journal != NULL;
    if (journal)
        journal_read_stats(journal, &picture->journal);
    if (saver)
        saver_read(saver, &picture->checkpoint);
    picture->inflight_bytes = atomic_load(&engine->admission.bytes);
    picture->max_inflight_bytes = engine->options.max_inflight_bytes;
    picture->is_accepting = atomic_load(&engine->admission.is_open);
    picture->refused_room = atomic_load(&engine->admission.refused_room);
    picture->refused_journal = atomic_load(&engine->admission.refused_journal);
    picture->refused_closed = atomic_load(&engine->admission.refused_closed);
}
