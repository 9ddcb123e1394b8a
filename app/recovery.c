#include "app/recovery.h"

#include "app/checkpoint_file.h"
#include "app/state.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <sys/random.h>

enum {
    RECORDS_PER_PROGRESS = 256
};

/* ---- checkpoint -------------------------------------------------------------------------- */

/* The fold in the file; NULL with ERROR_NOT_FOUND when there is no file. */
static struct fold *load(const struct recovery_options *options, uint64_t *seed,
                         struct error *err)
{
    const struct disk *disk = options->disk;
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
    struct fold_options fold_options = options->fold;
    struct error err = {.kind = ERROR_NOT_FOUND};

    if (options->disk)
        recovery->fold = load(options, &recovery->seed, &err);
    if (recovery->fold) {
        report->checkpoint_lsn = fold_lsn(recovery->fold);
        return;
    }
    if (err.kind != ERROR_NOT_FOUND) {
        report->bad_checkpoints++;
        snprintf(report->bad_checkpoint, sizeof(report->bad_checkpoint), "%s", err.text);
    }
    fold_options.seed = recovery->seed;
    recovery->fold = fold_new(&fold_options);
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

/* Goes on where the state ended, even if the machine says that it is earlier. */
static void look_at_clock(struct recovery *recovery)
{
    const uint64_t tolerance_ns = 1000000000; /* NTP steps a clock by less */
    uint64_t ended_ns = fold_receive_ns(recovery->fold), now_ns = clock_now_ns();

    if (ended_ns <= now_ns + tolerance_ns)
        return;
    recovery->report.clock_behind_ns = ended_ns - now_ns;
    log_event(
        LOG_ERROR,
        "the machine's clock is behind the state: time runs at half pace until it has "
        "caught up, and points of today may be refused; set the clock, or move the "
        "state directory away",
        LOG_DOUBLE("seconds", (double)recovery->report.clock_behind_ns / 1e9));
}

static void say(const struct recovery *recovery)
{
    const struct recovery_report *report = &recovery->report;
    struct journal_stats journal;

    journal_read_stats(recovery->journal, &journal);

    uint64_t bad = report->bad_checkpoints + journal.bad_files;
    uint64_t unreadable = fold_unreadable(recovery->fold);
    bool is_whole = bad == 0 && journal.lost_records == 0 && unreadable == 0;
    const char *problem = *report->bad_checkpoint ? report->bad_checkpoint
                                                  : journal.last_error;

    if (fold_lsn(recovery->fold) == 0 && is_whole)
        return; /* a new state */
    log_event(is_whole ? LOG_INFO : LOG_ERROR, "recovered",
              LOG_UINT("checkpoint_lsn", report->checkpoint_lsn),
              LOG_UINT("records", report->records), LOG_UINT("bytes", report->bytes),
              LOG_DOUBLE("seconds", (double)report->duration_ns / 1e9),
              LOG_UINT("torn_bytes", journal.torn_bytes),
              LOG_UINT("files_set_aside", bad),
              LOG_UINT("records_lost", journal.lost_records),
              LOG_UINT("records_unreadable", unreadable),
              LOG_TEXT("problem", is_whole ? "" : problem));
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static struct journal *open_journal(const struct recovery_options *options, uint64_t lsn,
                                    struct error *err)
{
    if (!options->disk)
        return journal_new_memory();
    return journal_open(
        &(struct journal_options){
            .disk = options->disk,
            .durability = options->durability,
            .max_bytes = options->journal_max_bytes,
            .min_free_bytes = options->journal_max_bytes / STATE_FREE_SHARE,
            .after_lsn = lsn,
            .known_lsn = larger(lsn, options->fold.outbox_lsn),
            .is_manual = options->is_manual,
        },
        err);
}

bool recovery_run(const struct recovery_options *options, struct recovery *recovery,
                  struct error *err)
{
    uint64_t begun_ns = clock_monotonic_ns();

    *recovery = (struct recovery){0};
    if (getrandom(&recovery->seed, sizeof(recovery->seed), 0) != sizeof(recovery->seed))
        return FAIL(err, ERROR_INTERNAL, "no random numbers for the hash seed");
    begin(options, recovery);
    recovery->journal = open_journal(options, fold_lsn(recovery->fold), err);
    if (!recovery->journal)
        return false;
    replay(options, recovery);
    recovery->report.duration_ns = clock_monotonic_ns() - begun_ns;
    say(recovery);
    look_at_clock(recovery);
    return true;
}
