#include "tests/sim/process_store.h"

#include "tests/sim/sim_vfs.h"

#include <stdio.h>

enum {
    COMMIT_EVERY = 64, /* records during a replay */
    LOOK_S = 1,        /* is a checkpoint due? */
    STEP_MS = 50,      /* between two steps of one */
    RETRY_S = 20,      /* after one that failed */
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

    outbox_put(process->outbox, rows, count, tick_lsn);
}

void process_store_apply(struct process *process, const struct journal_record *record)
{
    if (process->options.is_dead(process->options.self))
        return;
    history_give(process->options.history, record, fold_lsn(process->fold));
    fold_apply(process->fold, record, NULL);
    process_store_note(process, fold_unreadable(process->fold) == 0,
                       "a record could not be read");
    process_store_note(
        process, point_ledger_balances(pipeline_ledger(fold_pipeline(process->fold))),
        "the point ledger does not balance");
    if (record->kind == JOURNAL_TICK)
        process->tick_is_on_its_way = false;
    if (record->kind == JOURNAL_CONFIG)
        process->config_is_on_its_way = false;
}

/* ---- opening ----------------------------------------------------------------------------- */

static struct fold_options options_of(struct process *process)
{
    return (struct fold_options){
        .seed = process->options.seed,
        .outbox_lsn = outbox_committed_lsn(process->outbox),
        .initial = process->options.pipeline,
        .put = put,
        .self = process,
    };
}

static struct fold *load(struct process *process, const struct disk *disk)
{
    struct fold_options options = options_of(process);
    struct checkpoint_head head;
    struct error err = {0};
    struct checkpoint_reader *reader = checkpoint_file_open(disk, &head, &err);
    struct fold *fold;

    if (!reader) {
        process->stats.bad_files += err.kind != ERROR_NOT_FOUND;
        return fold_new(&options);
    }
    fold = fold_load(&options, head.lsn, checkpoint_file_read, reader, &err);
    checkpoint_file_close(reader);
    process->stats.loaded++;
    if (fold)
        return fold;
    process_store_note(process, false, "a whole checkpoint could not be loaded");
    return fold_new(&options);
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static bool open_journal(struct process *process, const struct disk *disk)
{
    const struct process_options *options = &process->options;
    uint64_t lsn = fold_lsn(process->fold);

    process->journal = journal_open(
        &(struct journal_options){
            .disk = disk,
            .durability = options->durability,
            .max_bytes = options->journal_max_bytes,
            .segment_bytes = options->segment_bytes,
            .min_free_bytes = options->min_free_bytes,
            .after_lsn = lsn,
            .known_lsn = larger(lsn, outbox_committed_lsn(process->outbox)),
            .is_manual = true,
        },
        NULL);
    return process->journal != NULL;
}

static void replay(struct process *process)
{
    struct journal_record record;
    struct journal_stats stats;

    while (journal_next(process->journal, &record)) {
        process_store_apply(process, &record);
        if (++process->stats.replayed % COMMIT_EVERY == 0 &&
            !outbox_commit(process->outbox, NULL))
            process->stats.failed_commits++;
    }
    journal_read_stats(process->journal, &stats);
    process->stats.torn_bytes = stats.torn_bytes;
    process->stats.bad_files += stats.bad_files;
    process->stats.lost_records = stats.lost_records;
    process->saved_bytes = stats.appended_bytes;
}

static bool open_in_memory(struct process *process)
{
    struct fold_options options;

    process->outbox = outbox_new(&(struct outbox_options){
        .max_bytes = process->options.outbox_max_bytes,
    });
    options = options_of(process);
    process->fold = fold_new(&options);
    process->journal = journal_new_memory();
    return true;
}

bool process_store_open(struct process *process, uint64_t now_ns)
{
    const struct disk *disk = process->options.disk;

    if (!disk)
        return open_in_memory(process);
    process->outbox = outbox_open(
        &(struct outbox_options){
            .max_bytes = process->options.outbox_max_bytes,
            .path = "outbox.db",
            .vfs = SIM_VFS_NAME,
            .disk = disk,
        },
        NULL);
    if (!process->outbox)
        return false;
    process->fold = load(process, disk);
    if (!open_journal(process, disk))
        return false;
    replay(process);
    if (process->options.is_dead(process->options.self))
        return false;
    history_end_recovery(process->options.history, fold_lsn(process->fold));
    process->saved_at_ns = now_ns;
    process->save_ns = now_ns + LOOK_S * S_NS;
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
    return now_ns >= process->saved_at_ns + process->options.checkpoint_every_ns ||
           stats.appended_bytes >=
               process->saved_bytes + process->options.checkpoint_bytes;
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
    struct checkpoint_head head = {fold_lsn(process->fold), process->options.seed};
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
