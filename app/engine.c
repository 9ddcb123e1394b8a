#include "app/engine.h"

#include "app/fold.h"
#include "base/clock.h"
#include "base/journal.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/*
 * A record that the engine appends by itself; at most one of a kind is on its way. A journal that is
 * full refuses it, and it is offered again after a pause.
 */
enum errand_stage {
    ERRAND_NONE,
    ERRAND_APPENDED,
    ERRAND_REFUSED
};

struct errand {
    atomic_int stage;  /* enum errand_stage */
    uint64_t after_ns; /* monotonic: not before; engine thread */
};

struct engine {
    struct engine_options options;
    struct buffer config; /* what should be in force */
    struct fold *fold;    /* engine thread */
    struct journal *journal;
    struct clock *clock;
    uint64_t seed;
    pthread_t thread;
    bool is_running;
    struct errand tick_errand, config_errand;
    /* Stamps and appends as one step, so that receive times never fall along the journal. */
    pthread_mutex_t append_lock;
    atomic_size_t inflight_bytes;
    atomic_size_t unapplied; /* requests that were submitted and are ours still */
    atomic_bool is_accepting, is_finishing;
    pthread_mutex_t picture_lock;
    struct engine_picture picture;
};

/* ---- intake ------------------------------------------------------------------------------ */

static bool reserve(void *self, size_t bytes)
{
    struct engine *engine = self;
    size_t before = atomic_load(&engine->inflight_bytes);

    do {
        if (bytes > engine->options.max_inflight_bytes ||
            before > engine->options.max_inflight_bytes - bytes)
            return false;
    } while (
        !atomic_compare_exchange_weak(&engine->inflight_bytes, &before, before + bytes));
    return true;
}

static void unreserve(void *self, size_t bytes)
{
    struct engine *engine = self;

    atomic_fetch_sub(&engine->inflight_bytes, bytes);
}

static bool accepting(void *self)
{
    struct engine *engine = self;

    return atomic_load(&engine->is_accepting);
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

    if (kind != ERROR_NONE)
        discard(submission->engine, submission->request);
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

/* On the journal's thread or ours; must not call the journal. */
static void note_refusal(void *self, enum error_kind kind)
{
    struct errand *errand = self;

    if (kind != ERROR_NONE)
        atomic_store(&errand->stage, ERRAND_REFUSED);
}

/* Appends a record unless one of the kind is on its way or was refused a moment ago. */
static void offer(struct engine *engine, struct errand *errand, enum journal_kind kind,
                  struct slice body)
{
    const uint64_t pause_ns = 1000000000; /* a full disk stays full for a while */
    uint64_t now_ns = clock_monotonic_ns();

    if (atomic_load(&errand->stage) == ERRAND_REFUSED) {
        atomic_store(&errand->stage, ERRAND_NONE);
        errand->after_ns = now_ns + pause_ns;
    }
    if (atomic_load(&errand->stage) != ERRAND_NONE || now_ns < errand->after_ns)
        return;
    atomic_store(&errand->stage, ERRAND_APPENDED);
    pthread_mutex_lock(&engine->append_lock);
    journal_append(engine->journal,
                   &(struct journal_record){
                       .kind = kind,
                       .receive_ns = clock_read(engine->clock),
                       .body = body,
                   },
                   note_refusal, errand);
    pthread_mutex_unlock(&engine->append_lock);
}

static void offer_config(struct engine *engine)
{
    struct slice config = buffer_slice(&engine->config);

    if (!slice_equal(fold_config(engine->fold), config))
        offer(engine, &engine->config_errand, JOURNAL_CONFIG, config);
}

/* ---- applying ---------------------------------------------------------------------------- */

static void publish(struct engine *engine)
{
    const struct pipeline *pipeline = fold_pipeline(engine->fold);

    pthread_mutex_lock(&engine->picture_lock);
    engine->picture.ledger = *pipeline_ledger(pipeline);
    pipeline_read_counts(pipeline, &engine->picture.counts);
    engine->picture.lsn = fold_lsn(engine->fold);
    pthread_mutex_unlock(&engine->picture_lock);
}

static void end_errand(struct engine *engine, enum journal_kind kind)
{
    switch (kind) {
    case JOURNAL_REQUEST: break;
    case JOURNAL_TICK: atomic_store(&engine->tick_errand.stage, ERRAND_NONE); break;
    case JOURNAL_CONFIG: atomic_store(&engine->config_errand.stage, ERRAND_NONE); break;
    }
}

static void apply(struct engine *engine, const struct journal_record *record)
{
    struct intake_request *request = record->context;

    fold_apply(engine->fold, record, request ? request->batch : NULL);
    end_errand(engine, record->kind);
    if (request)
        discard(engine, request);
    publish(engine);
    journal_forget(engine->journal, record->lsn);
}

/* Waits for a record or for the next thing due; a second at most, should the clock be stepping. */
static void rest(struct engine *engine)
{
    const uint64_t max_rest_ns = 1000000000;
    uint64_t due_ns = pipeline_next_due(fold_pipeline(engine->fold));
    uint64_t now_ns = clock_read(engine->clock), rest_ns = max_rest_ns;
    static const struct slice nothing = SLICE("");

    offer_config(engine);
    if (due_ns <= now_ns)
        offer(engine, &engine->tick_errand, JOURNAL_TICK, nothing);
    else if (due_ns - now_ns < max_rest_ns)
        rest_ns = due_ns - now_ns;
    journal_wait(engine->journal, clock_now_ns() + rest_ns);
}

static void *run(void *self)
{
    struct engine *engine = self;
    struct journal_record record;

    for (;;) {
        if (journal_next(engine->journal, &record))
            apply(engine, &record);
        else if (atomic_load(&engine->is_finishing) &&
                 atomic_load(&engine->unapplied) == 0)
            break;
        else
            rest(engine);
    }
    fold_finish(engine->fold, clock_read(engine->clock));
    publish(engine);
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------- */

struct engine *engine_new(const struct engine_options *options)
{
    struct engine *engine = memory_new(1, sizeof(*engine));

    engine->options = *options;
    fold_write_config(&options->pipeline, &engine->config);
    pthread_mutex_init(&engine->append_lock, NULL);
    pthread_mutex_init(&engine->picture_lock, NULL);
    return engine;
}

static bool open_memory(struct engine *engine, struct error *err)
{
    const struct engine_options *options = &engine->options;

    if (getrandom(&engine->seed, sizeof(engine->seed), 0) != sizeof(engine->seed))
        return FAIL(err, ERROR_INTERNAL, "no random numbers for the hash seed");
    engine->journal = journal_new_memory();
    engine->fold = fold_new(&(struct fold_options){.seed = engine->seed,
                                                   .initial = &options->pipeline,
                                                   .put = options->put,
                                                   .self = options->put_self});
    return true;
}

bool engine_start(struct engine *engine, struct error *err)
{
    if (!open_memory(engine, err))
        return false;
    engine->clock = clock_new_after(fold_receive_ns(engine->fold));
    /* Before any request. */
    offer_config(engine);
    atomic_store(&engine->is_accepting, true);
    if (pthread_create(&engine->thread, NULL, run, engine) != 0)
        return FAIL(err, ERROR_INTERNAL, "cannot start the engine thread");
    engine->is_running = true;
    return true;
}

void engine_refuse(struct engine *engine)
{
    atomic_store(&engine->is_accepting, false);
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
    fold_free(engine->fold);
    journal_free(engine->journal);
    clock_free(engine->clock);
    buffer_release(&engine->config);
    pthread_mutex_destroy(&engine->append_lock);
    pthread_mutex_destroy(&engine->picture_lock);
    free(engine);
}

void engine_read(struct engine *engine, struct engine_picture *picture)
{
    pthread_mutex_lock(&engine->picture_lock);
    *picture = engine->picture;
    pthread_mutex_unlock(&engine->picture_lock);
    picture->inflight_bytes = atomic_load(&engine->inflight_bytes);
    picture->max_inflight_bytes = engine->options.max_inflight_bytes;
    picture->is_accepting = atomic_load(&engine->is_accepting);
}
