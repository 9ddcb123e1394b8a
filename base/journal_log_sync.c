#include "base/journal_log_sync.h"

bool journal_log_sync_begin(struct journal_log *log, struct journal_sync *sync)
{
    for (size_t i = 0; i < log->count && log->durable_lsn < log->end_lsn; i++) {
        const struct journal_segment *segment = &log->segments[i];

        if (!segment->file || !journal_segment_has_above(segment, log->durable_lsn))
            continue;
        *sync = (struct journal_sync){
            .file = segment->file,
            .first_lsn = segment->header.first_lsn,
            .last_lsn = segment->last_lsn,
            .has_new_name = segment->is_name_pending,
        };
        return true;
    }
    return false;
}

bool journal_log_sync_run(const struct disk *disk, const struct journal_sync *sync,
                          struct error *err)
{
    return disk->sync(disk->self, sync->file, err) &&
           (!sync->has_new_name || disk->sync_names(disk->self, err));
}

/* Everything that is not durable is void, and says so on the disk as soon as the disk lets it. */
static void poison(struct journal_log *log)
{
    struct error err = {0};

    for (size_t i = 0; i < log->count; i++) {
        struct journal_segment *segment = &log->segments[i];

        if (!segment->file)
            continue;
        segment->is_poisoned = true;
        if (segment->last_lsn > log->durable_lsn)
            segment->last_lsn = log->durable_lsn;
        journal_segment_close(log->disk, segment);
    }
    log->has_active = false;
    log->end_lsn = log->durable_lsn;
    log->retry_ns = 0;
    if (!journal_log_begin(log, 0, &err))
        journal_log_note(log, &err);
    else if (log->disk->sync_names(log->disk->self, NULL))
        log->segments[log->count - 1].is_name_pending = false;
}

void journal_log_sync_end(struct journal_log *log, const struct journal_sync *sync,
                          const struct error *failure)
{
    struct journal_segment *segment = journal_log_find(log, sync->first_lsn);

    log->stats.syncs++;
    if (failure) {
        log->stats.failed_syncs++;
        journal_log_note(log, failure);
        poison(log);
        return;
    }
    log->durable_lsn = sync->last_lsn;
    if (!segment)
        return;
    segment->is_name_pending = false;
    if (!journal_segment_has_above(segment, log->durable_lsn) &&
        !(log->has_active && segment == &log->segments[log->count - 1]))
        journal_segment_close(log->disk, segment);
}
