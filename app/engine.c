#include "app/engine.h"

#include "base/clock.h"
#include "base/journal.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct engine {
    struct engine_options options;
    struct pipeline *pipeline;
    struct journal *journal;
    struct clock *clock;
    uint64_t seed;
    pthread_t thread;
    bool is_running;
    /* Stamps and appends as one step, so that receive times never fall along the journal. */
    pthread_mutex_t append_lock;
    atomic_size_t inflight_bytes;
    atomic_bool is_accepting, is_finishing;
    pthread_mutex_t picture_lock;
    struct engine_picture picture;
    uint64_t lsn; /* of the record being applied; engine thread */
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

/* Whom to answer: copied out of the request, which the engine may free before that. */
struct acknowledgement {
    void (*answer)(void *self, enum error_kind kind);
    void *self;
};

static void acknowledge(void *self, enum error_kind kind)
{
    struct acknowledgement *acknowledgement = self;

    acknowledgement->answer(acknowledgement->self, kind);
    free(acknowledgement);
}

static void submit(void *self, struct intake_request *request)
{
    struct engine *engine = self;
    struct acknowledgement *acknowledgement = memory_new(1, sizeof(*acknowledgement));

    acknowledgement->answer = request->answer;
    acknowledgement->self = request->answer_self;
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
                   acknowledge, acknowledgement);
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

/* ---- applying ---------------------------------------------------------------------------- */

static void emit(void *self, const struct mackerel_row *rows, size_t count)
{
    struct engine *engine = self;

    engine->options.put(engine->options.put_self, rows, count, engine->lsn);
}

static void publish(struct engine *engine)
{
    pthread_mutex_lock(&engine->picture_lock);
    engine->picture.ledger = *pipeline_ledger(engine->pipeline);
    pipeline_read_counts(engine->pipeline, &engine->picture.counts);
    engine->picture.lsn = engine->lsn;
    pthread_mutex_unlock(&engine->picture_lock);
}

static void apply_request(struct engine *engine, struct intake_request *request)
{
    size_t reserved = request->reserved;

    pipeline_apply(engine->pipeline, request->batch, request->receive_ns);
    intake_request_free(request);
    unreserve(engine, reserved);
}

static void apply(struct engine *engine, const struct journal_record *record)
{
    engine->lsn = record->lsn;
    switch (record->kind) {
    case JOURNAL_REQUEST: apply_request(engine, record->context); break;
    case JOURNAL_TICK:
        pipeline_tick(engine->pipeline, record->receive_ns, emit, engine);
        break;
    case JOURNAL_CONFIG: break;
    }
    publish(engine);
    journal_forget(engine->journal, record->lsn);
}

static void append_tick(struct engine *engine)
{
    pthread_mutex_lock(&engine->append_lock);
    journal_append(engine->journal,
                   &(struct journal_record){
                       .kind = JOURNAL_TICK,
                       .receive_ns = clock_read(engine->clock),
                   },
                   NULL, NULL);
    pthread_mutex_unlock(&engine->append_lock);
}

/* Waits for a record or for the next thing due; a second at most, should the clock be stepping. */
static void rest(struct engine *engine)
{
    const uint64_t max_rest_ns = 1000000000;
    uint64_t due_ns = pipeline_next_due(engine->pipeline);
    uint64_t now_ns = clock_read(engine->clock), rest_ns = max_rest_ns;

    if (due_ns <= now_ns) {
        append_tick(engine);
        return;
    }
    if (due_ns - now_ns < max_rest_ns)
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
        else if (atomic_load(&engine->is_finishing))
            break;
        else
            rest(engine);
    }
    pipeline_finish(engine->pipeline, clock_read(engine->clock), emit, engine);
    publish(engine);
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------- */

struct engine *engine_start(const struct engine_options *options, struct error *err)
{
    struct engine *engine = memory_new(1, sizeof(*engine));

    engine->options = *options;
    engine->clock = clock_new();
    engine->options.pipeline.watch_start_ns = clock_read(engine->clock);
    engine->pipeline = pipeline_new(&engine->options.pipeline);
    engine->journal = journal_new_memory();
    pthread_mutex_init(&engine->append_lock, NULL);
    pthread_mutex_init(&engine->picture_lock, NULL);
    atomic_store(&engine->is_accepting, true);
    if (getrandom(&engine->seed, sizeof(engine->seed), 0) != sizeof(engine->seed)) {
        FAIL(err, ERROR_INTERNAL, "no random numbers for the hash seed");
    } else if (pthread_create(&engine->thread, NULL, run, engine) != 0) {
        FAIL(err, ERROR_INTERNAL, "cannot start the engine thread");
    } else {
        engine->is_running = true;
        return engine;
    }
    engine_free(engine);
    return NULL;
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
    pipeline_free(engine->pipeline);
    journal_free(engine->journal);
    clock_free(engine->clock);
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
