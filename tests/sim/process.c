#include "base/memory.h"
#include "tests/sim/process_store.h"

#include <stdlib.h>

enum {
    LOOK_BUSY_MS = 250, /* as exporter/delivery.c looks around */
    LOOK_IDLE_MS = 5000,
    COMMIT_AGAIN_MS = 1000, /* after one that failed, as there */
    ERRANDS_MAX = 8,
    FLUSH_MS = 5,
    REFUSED_MS = 1000, /* until a refused tick is offered again, as app/engine.c does */
};

static const uint64_t MS_NS = 1000000;

/* ---- appending --------------------------------------------------------------------------- */

static void conclude(void *self, enum error_kind kind)
{
    struct submission *submission = self;
    struct process *process = submission->process;
    struct history *history = process->options.history;
    enum journal_kind what = history->records[submission->index].kind;

    if (process->options.is_dead(process->options.self))
        return; /* nobody hears it */
    history_answer(history, submission->index, kind);
    if (submission->request) {
        process->options.answer(process->options.self, submission->request->id, kind);
        return;
    }
    if (kind == ERROR_NONE)
        return;
    process->stats.refused_ticks++;
    if (what == JOURNAL_TICK)
        process->tick_is_on_its_way = false;
    else
        process->config_is_on_its_way = false;
}

static void append(struct process *process, struct journal_record *record,
                   const struct sim_request *request, uint64_t now_ns)
{
    struct submission *submission = memory_new(1, sizeof(*submission));

    record->receive_ns = process->options.stamp(process->options.self);
    record->context = submission;
    *submission = (struct submission){
        .process = process,
        .index = history_offer(process->options.history, record, request),
        .request = request,
    };
    process->submissions = memory_grow(
        process->submissions, process->submission_count + 1, &process->submission_room,
        sizeof(*process->submissions));
    process->submissions[process->submission_count++] = submission;
    journal_append(process->journal, record, conclude, submission);
    if (process->flush_ns == UINT64_MAX)
        process->flush_ns = now_ns + chance_below(&process->chance, FLUSH_MS * MS_NS);
    if (process->engine_ns > now_ns)
        process->engine_ns = now_ns + chance_below(&process->chance, 20 * MS_NS);
}

void process_submit(struct process *process, const struct sim_request *request,
                    uint64_t now_ns)
{
    struct journal_record record = {
        .kind = JOURNAL_REQUEST,
        .body = buffer_slice(&request->body),
    };

    append(process, &record, request, now_ns);
}

static void append_own(struct process *process, enum journal_kind kind, struct slice body,
                       uint64_t now_ns)
{
    bool *is_on_its_way = kind == JOURNAL_TICK ? &process->tick_is_on_its_way
                                               : &process->config_is_on_its_way;
    struct journal_record record = {.kind = kind, .body = body};
    uint64_t refused = process->stats.refused_ticks;

    if (*is_on_its_way || now_ns < process->refused_until_ns)
        return;
    *is_on_its_way = true;
    append(process, &record, NULL, now_ns);
    if (process->stats.refused_ticks != refused)
        process->refused_until_ns = now_ns + REFUSED_MS * MS_NS;
}

/* ---- the engine -------------------------------------------------------------------------- */

static void apply_all(struct process *process)
{
    struct journal_record record;

    while (journal_next(process->journal, &record))
        process_store_apply(process, &record);
}

static void run_engine(struct process *process, uint64_t now_ns)
{
    uint64_t due_ns;

    apply_all(process);
    if (!slice_equal(fold_config(process->fold), buffer_slice(&process->config)))
        append_own(process, JOURNAL_CONFIG, buffer_slice(&process->config), now_ns);
    due_ns = pipeline_next_due(fold_pipeline(process->fold));
    if (due_ns <= now_ns)
        append_own(process, JOURNAL_TICK, (struct slice){"", 0}, now_ns);
    process->engine_ns = due_ns > now_ns ? due_ns : now_ns + 50 * MS_NS;
}

/* ---- delivery ---------------------------------------------------------------------------- */

static struct instant instant_at(uint64_t now_ns)
{
    return (struct instant){.mono_ms = now_ns / MS_NS, .unix_ns = now_ns};
}

static void commit(struct process *process, uint64_t now_ns)
{
    struct error err;

    if (now_ns < process->commit_hold_ns || outbox_commit(process->outbox, &err))
        return;
    process->stats.failed_commits++;
    process->commit_hold_ns = now_ns + COMMIT_AGAIN_MS * MS_NS;
}

/* As exporter/delivery.c: what is on its way is noted on disk before it sets off. */
static void deliver(struct process *process, uint64_t now_ns)
{
    struct outbox_counts counts;
    struct errand *errands[ERRANDS_MAX];
    size_t count = 0;

    commit(process, now_ns);
    dispatch_tend(process->dispatch, instant_at(now_ns));
    while (count < ERRANDS_MAX &&
           (errands[count] = dispatch_next(process->dispatch, instant_at(now_ns))))
        count++;
    if (count)
        commit(process, now_ns);
    for (size_t i = 0; i < count; i++)
        process->options.send(process->options.self, errands[i]);
    outbox_read_counts(process->outbox, &counts);
    process->deliver_ns = now_ns + (counts.values ? LOOK_BUSY_MS : LOOK_IDLE_MS) * MS_NS;
}

void process_answer(struct process *process, struct errand *errand,
                    const struct api_answer *answer, uint64_t now_ns)
{
    dispatch_answer(process->dispatch, errand, answer, instant_at(now_ns));
    process->deliver_ns = now_ns;
}

void process_stop(struct process *process, uint64_t now_ns)
{
    journal_flush(process->journal);
    apply_all(process);
    commit(process, now_ns);
    process_store_finish(process, now_ns);
}

/* ---- life -------------------------------------------------------------------------------- */

struct process *process_boot(const struct process_options *options, uint64_t now_ns)
{
    struct process *process = memory_new(1, sizeof(*process));

    process->options = *options;
    process->chance = chance_of(chance_mix(options->seed, now_ns));
    fold_write_config(options->pipeline, &process->config);
    process->flush_ns = UINT64_MAX;
    process->engine_ns = process->deliver_ns = now_ns;
    process->save_ns = UINT64_MAX;
    if (!process_store_open(process, now_ns)) {
        process_free(process);
        return NULL;
    }
    process->dispatch = dispatch_new(&(struct dispatch_options){
        .outbox = process->outbox,
        .outbox_max_bytes = options->outbox_max_bytes,
        .hosts = {.native = NATIVE_MODE_ON},
        .random = options->random,
    });
    return process;
}

void process_free(struct process *process)
{
    if (!process)
        return;
    dispatch_free(process->dispatch);
    process_store_close(process);
    for (size_t i = 0; i < process->submission_count; i++)
        free(process->submissions[i]);
    free(process->submissions);
    buffer_release(&process->config);
    free(process);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t process_next_ns(const struct process *process)
{
    return least(least(process->flush_ns, process->save_ns),
                 least(process->engine_ns, process->deliver_ns));
}

bool process_is_due(const struct process *process, enum process_lane lane,
                    uint64_t now_ns)
{
    switch (lane) {
    case LANE_FLUSH: return process->flush_ns <= now_ns;
    case LANE_ENGINE: return process->engine_ns <= now_ns;
    case LANE_DELIVER: return process->deliver_ns <= now_ns;
    case LANE_SAVE: return process->save_ns <= now_ns && process->save_step != SAVE_BEGIN;
    }
    return false;
}

void process_step(struct process *process, uint64_t now_ns)
{
    if (process->flush_ns <= now_ns) {
        process->flush_ns = UINT64_MAX;
        journal_flush(process->journal);
    }
    if (process->engine_ns <= now_ns)
        run_engine(process, now_ns);
    if (process->deliver_ns <= now_ns)
        deliver(process, now_ns);
    if (process->save_ns <= now_ns)
        process_store_save(process, now_ns);
}

const struct fold *process_fold(const struct process *process)
{
    return process->fold;
}

struct outbox *process_outbox(struct process *process)
{
    return process->outbox;
}

const char *process_check(struct process *process)
{
    struct value_ledger ledger;

    outbox_read_ledger(process->outbox, &ledger);
    process_store_note(process, value_ledger_balances(&ledger),
                       "the value ledger does not balance");
    return process->problem;
}

void process_add_stats(struct process_stats *sum, const struct process_stats *one)
{
    sum->replayed += one->replayed;
    sum->loaded += one->loaded;
    sum->checkpoints += one->checkpoints;
    sum->failed_checkpoints += one->failed_checkpoints;
    sum->failed_commits += one->failed_commits;
    sum->refused_ticks += one->refused_ticks;
    sum->bad_files += one->bad_files;
    sum->lost_records += one->lost_records;
    sum->torn_bytes += one->torn_bytes;
}

void process_read_stats(const struct process *process, struct process_stats *stats)
{
    *stats = process->stats;
}
