#include "base/journal_log_forget.h"

#include "base/journal_files.h"

#include <string.h>

static void free_first(struct journal_log *log, struct journal_waste *waste)
{
    struct journal_segment first = log->segments[0];

    log->count--;
    memmove(&log->segments[0], &log->segments[1], log->count * sizeof(first));
    journal_segment_close(log->disk, &first);
    log->files.held_bytes -= first.bytes;
    log->retry_ns = 0;
    log->has_forgotten = true;
    waste->is_damaged = first.is_damaged;

    /* Not what is short or suspicious, nor what a full disk could use better. */
    bool is_good = !first.is_damaged && !first.is_poisoned && !log->is_short &&
                   first.bytes >= log->segment_bytes;

    if (!is_good || !journal_files_recycle(&log->files, &first))
        memcpy(waste->name, first.name, sizeof(waste->name));
}

bool journal_log_forget(struct journal_log *log, uint64_t lsn,
                        struct journal_waste *waste)
{
    *waste = (struct journal_waste){0};
    if (log->count > (log->has_active ? 1U : 0U) &&
        !journal_segment_has_above(&log->segments[0], lsn)) {
        free_first(log, waste);
        return true;
    }
    if (!log->has_forgotten)
        return false;
    log->has_forgotten = journal_files_trim(&log->files, waste->name);
    return log->has_forgotten;
}

void journal_log_forget_waste(const struct disk *disk, const struct journal_waste *waste)
{
    /* What fails here stays, and the next start sees it. */
    if (waste->is_damaged)
        (void)!disk_set_aside(disk, waste->name, NULL);
    else if (waste->name[0])
        disk->remove(disk->self, waste->name, NULL);
}
