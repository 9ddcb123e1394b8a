#include "tests/sim/process_store.h"

#include "app/recovery.h"
#include "app/saver.h"
#include "tests/sim/sim_vfs.h"

#include <stdio.h>

enum {
    LOOK_S = 1,   /* is a checkpoint due? */
    STEP_MS = 50, /* between two steps of one */
    RETRY_S = 20, /* after one that failed */
};

static const uint64_t S_NS = 1000000000, MS_NS = 1000000;

void process_store_note(struct process *process, bool holds, const char *problem)
{
    if (!holds && !process->problem)
        process->problem = problem;
}

/* ---- applying ---------------------------------------------------------------------------- */

static void put(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    struct process *process = self;

    if (process->options.puts)
        puts_note(process->options.puts, rows, count, tick_lsn);
    outbox_put(process->outbox, rows, count, tick_lsn);
}

/*
 * Every record that any fold gets goes through here (--wrap), recovery's too; those of the process
 * are noted before they count.
 */
static struct process *watched;

void __wrap_fold_apply(struct fold *fold, const struct journal_record *record,
                       const struct otlp_batch *batch);
void __real_fold_apply(struct fold *fold, const struct journal_record *record,
                       const struct otlp_batch *batch);

void __wrap_fold_apply(struct fold *fold, const struct journal_record *record,
                       const struct otlp_batch *batch)
{
    struct process *process = watched;

    if (process && !process->options.is_dead(process->options.self))
        history_give(process->options.history, record, fold_lsn(fold));
    __real_fold_apply(fold, record, batch);
    if (!process)
        return;
    process_store_note(process, fold_unreadable(fold) == 0, "a record could not be read");
    process_store_note(process,
                       point_ledger_balances(pipeline_ledger(fold_pipeline(fold))),
                       "the point ledger does not balance");
}

void process_store_apply(struct process *process, const struct journal_record *record)
{
    watched = process;
    fold_apply(process->fold, record, NULL);
    watched = NULL;
    if (record->kind == JOURNAL_TICK)
        process->tick_is_on_its_way = false;
    if (record->kind == JOURNAL_CONFIG)
        process->config_is_on_its_way = false;
}

/* ---- opening ----------------------------------------------------------------------------- */

static struct fold_options options_of(struct process *process)
{
    return (struct fold_options){
        .outbox_lsn = outbox_committed_lsn(process->outbox),
        .initial = process->options.pipeline,
        .put = put,
        .self = process,
    };
}

static void commit_outbox(void *self, const struct fold *fold)
{
    struct process *process = self;

    (void)fold;
    if (!outbox_commit(process->outbox, NULL))
        process->stats.failed_commits++;
}

/* By the gateway's own recovery. */
static bool recover(struct process *process)
{
    struct recovery recovery;
    struct journal_stats stats;
    bool is_done;

    watched = process;
    is_done = recovery_run(
        &(struct recovery_options){
            .disk = process->options.disk,
            .fold = options_of(process),
            .durability = process->options.durability,
            .journal_max_bytes = process->options.journal_max_bytes,
            .is_manual = true,
            .progress = commit_outbox,
            .self = process,
        },
        &recovery, NULL);
    watched = NULL;
    process->fold = recovery.fold;
    process->journal = recovery.journal;
    process->seed = recovery.seed;
    if (!is_done)
        return false;
    journal_read_stats(process->journal, &stats);
    process->stats.loaded += recovery.report.checkpoint_lsn > 0;
    process->stats.replayed += recovery.report.records;
    process->stats.torn_bytes = stats.torn_bytes;
    process->stats.bad_files += stats.bad_files + recovery.report.bad_checkpoints;
    process->stats.lost_records = stats.lost_records;
    process->saved_bytes = stats.appended_bytes;
    return true;
}

static bool open_outbox(struct process *process)
{
    const struct outbox_options options = {
        .max_bytes = process->options.outbox_max_bytes,
        .path = process->options.disk ? "outbox.db" : NULL,
        .vfs = SIM_VFS_NAME,
        .disk = process->options.disk,
    };

    process->outbox = outbox_open(&options, NULL);
    return process->outbox != NULL;
}

bool process_store_open(struct process *process, uint64_t now_ns)
{
    if (!open_outbox(process) || !recover(process) ||
        process->options.is_dead(process->options.self))
        return false;
    history_end_recovery(process->options.history, fold_lsn(process->fold),
                         outbox_committed_lsn(process->outbox));
    process->saved_at_ns = now_ns;
    process->save_ns = process->options.disk ? now_ns + LOOK_S * S_NS : UINT64_MAX;
    return true;
}

void process_store_close(struct process *process)
{
    checkpoint_file_abandon(process->writer);
    journal_free(process->journal);
    fold_free(process->fold);
    outbox_free(process->outbox);
}

/* ---- checkpoints ------------------------------------------------------------------------- */

static bool is_due(const struct process *process, uint64_t now_ns)
{
    struct journal_stats stats;

    journal_read_stats(process->journal, &stats);
    return now_ns >= process->saved_at_ns + SAVER_INTERVAL_NS ||
           stats.appended_bytes >=
               process->saved_bytes +
                   saver_journal_bytes(process->options.journal_max_bytes);
}

static void give_up(struct process *process, uint64_t now_ns)
{
    checkpoint_file_abandon(process->writer);
    process->writer = NULL;
    process->save_step = SAVE_BEGIN;
    process->save_ns = now_ns + RETRY_S * S_NS;
    process->stats.failed_checkpoints++;
}

static bool begin(struct process *process, uint64_t now_ns)
{
    struct checkpoint_head head = {fold_lsn(process->fold), process->seed};
    struct journal_stats stats;

    journal_read_stats(process->journal, &stats);
    process->saved_at_ns = now_ns;
    process->saved_bytes = stats.appended_bytes;
    process->saved_lsn = head.lsn;
    process->saved_tick_lsn = fold_tick_lsn(process->fold);
    process->writer = checkpoint_file_begin(process->options.disk, &head, NULL);
    return process->writer &&
           fold_save(process->fold, checkpoint_file_write, process->writer) &&
           checkpoint_file_end(process->writer, NULL);
}

static bool commit(struct process *process)
{
    struct checkpoint_writer *writer = process->writer;

    process->writer = NULL;
    return checkpoint_file_commit(writer, NULL);
}

static void go_on(struct process *process, enum save_step step, bool is_done,
                  uint64_t now_ns)
{
    if (!is_done) {
        give_up(process, now_ns);
        return;
    }
    process->save_step = step;
    process->save_ns = now_ns + STEP_MS * MS_NS;
}

void process_store_finish(struct process *process, uint64_t now_ns)
{
    if (!process->options.disk)
        return;
    if (process->save_step != SAVE_BEGIN)
        give_up(process, now_ns);
    go_on(process, SAVE_SYNC, begin(process, now_ns), now_ns);
    for (int step = SAVE_SYNC; step <= SAVE_FORGET && process->save_step != SAVE_BEGIN;
         step++)
        process_store_save(process, now_ns);
}

void process_store_save(struct process *process, uint64_t now_ns)
{
    process->save_ns = now_ns + LOOK_S * S_NS;
    switch (process->save_step) {
    case SAVE_BEGIN:
        if (is_due(process, now_ns))
            go_on(process, SAVE_SYNC, begin(process, now_ns), now_ns);
        return;
    case SAVE_SYNC:
        go_on(process, SAVE_COMMIT, checkpoint_file_sync(process->writer, NULL), now_ns);
        return;
    case SAVE_COMMIT:
        if (outbox_committed_lsn(process->outbox) >= process->saved_tick_lsn)
            go_on(process, SAVE_FORGET, commit(process), now_ns);
        return;
    case SAVE_FORGET:
        process->stats.checkpoints++;
        journal_forget(process->journal, process->saved_lsn);
        process->save_step = SAVE_BEGIN;
        return;
    }
}
