#include "app/recovery.h"

#include "app/checkpoint_file.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>

enum {
    RECORDS_PER_PROGRESS = 256
};

/* ---- checkpoint -------------------------------------------------------------------------- */

/* The fold in the file; NULL with ERROR_NOT_FOUND when there is no file. */
static struct fold *load(const struct recovery_options *options, uint64_t *seed,
                         struct error *err)
{
    const struct disk *disk = state_disk(options->state);
    struct fold_options fold_options = options->fold;
    struct checkpoint_head head;
    struct checkpoint_reader *reader = checkpoint_file_open(disk, &head, err);

    if (!reader)
        return NULL;
    fold_options.seed = head.seed;

    struct fold *fold = fold_load(&fold_options, head.lsn, checkpoint_file_read, reader,
                                  err);

    checkpoint_file_close(reader);
    if (fold)
        *seed = head.seed;
    else
        checkpoint_file_set_aside(disk, err->text);
    return fold;
}

static void begin(const struct recovery_options *options, struct recovery *recovery)
{
    struct recovery_report *report = &recovery->report;
    struct error err = {0};

    recovery->seed = options->fold.seed;
    recovery->fold = load(options, &recovery->seed, &err);
    if (recovery->fold) {
        report->checkpoint_lsn = fold_lsn(recovery->fold);
        return;
    }
    if (err.kind != ERROR_NOT_FOUND) {
        report->bad_checkpoints++;
        snprintf(report->bad_checkpoint, sizeof(report->bad_checkpoint), "%s", err.text);
    }
    recovery->fold = fold_new(&options->fold);
}

/* ---- journal ----------------------------------------------------------------------------- */

static void replay(const struct recovery_options *options, struct recovery *recovery)
{
    struct journal_record record;

    while (journal_next(recovery->journal, &record)) {
        fold_apply(recovery->fold, &record, NULL);
        recovery->report.records++;
        recovery->report.bytes += record.body.len;
        if (record.kind == JOURNAL_TICK ||
            recovery->report.records % RECORDS_PER_PROGRESS == 0)
            options->progress(options->self, recovery->fold);
    }
    options->progress(options->self, recovery->fold);
}

static void say(const struct recovery *recovery)
{
    const struct recovery_report *report = &recovery->report;
    struct journal_stats journal;

    journal_read_stats(recovery->journal, &journal);

    uint64_t bad = report->bad_checkpoints + journal.bad_files;
    bool is_whole = bad == 0 && journal.lost_records == 0 &&
                    fold_unreadable(recovery->fold) == 0;

    if (fold_lsn(recovery->fold) == 0 && is_whole)
        return; /* a new state */
    log_event(is_whole ? LOG_INFO : LOG_ERROR, "recovered",
              LOG_UINT("checkpoint_lsn", report->checkpoint_lsn),
              LOG_UINT("records", report->records), LOG_UINT("bytes", report->bytes),
              LOG_DOUBLE("seconds", (double)report->duration_ns / 1e9),
              LOG_UINT("torn_bytes", journal.torn_bytes),
              LOG_UINT("files_set_aside", bad),
              LOG_UINT("records_lost", journal.lost_records),
              LOG_UINT("records_unreadable", fold_unreadable(recovery->fold)),
              LOG_TEXT("problem", *report->bad_checkpoint ? report->bad_checkpoint
                                                          : journal.last_error));
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

bool recovery_run(const struct recovery_options *options, struct recovery *recovery,
                  struct error *err)
{
    uint64_t begun_ns = clock_monotonic_ns();

    *recovery = (struct recovery){0};
    begin(options, recovery);

    uint64_t lsn = fold_lsn(recovery->fold);

    recovery->journal = journal_open(
        &(struct journal_options){
            .disk = state_disk(options->state),
            .durability = options->durability,
            .max_bytes = options->journal_max_bytes,
            .min_free_bytes = options->journal_max_bytes / STATE_FREE_SHARE,
            .after_lsn = lsn,
            .known_lsn = larger(lsn, options->fold.outbox_lsn),
        },
        err);
    if (!recovery->journal) {
        fold_free(recovery->fold);
        recovery->fold = NULL;
        return false;
    }
    replay(options, recovery);
    recovery->report.duration_ns = clock_monotonic_ns() - begun_ns;
    say(recovery);
    return true;
}
