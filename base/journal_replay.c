#include "base/journal_replay.h"

#include "base/journal_scan.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

struct journal_replay {
    struct journal_replay_options options;
    struct journal_segment *segments;
    size_t next; /* segment to be opened */
    struct journal_scan scan;
    uint64_t last_lsn; /* delivered, known to be missing, or never there */
    uint64_t lost;
    bool is_open, is_damaged; /* the segment being read */
};

struct journal_replay *journal_replay_new(const struct journal_replay_options *options)
{
    struct journal_replay *replay = memory_new(1, sizeof(*replay));

    replay->options = *options;
    replay->segments = memory_new(options->count, sizeof(*replay->segments));
    if (options->count > 0)
        memcpy(replay->segments, options->segments,
               options->count * sizeof(*replay->segments));
    replay->scan.disk = options->disk;
    replay->last_lsn = options->after_lsn;
    return replay;
}

void journal_replay_free(struct journal_replay *replay)
{
    if (!replay)
        return;
    if (replay->is_open)
        replay->options.disk->close(replay->options.disk->self, replay->scan.file);
    journal_scan_release(&replay->scan);
    free(replay->segments);
    free(replay);
}

uint64_t journal_replay_lost(const struct journal_replay *replay)
{
    return replay->lost;
}

static void report_damage(struct journal_replay *replay,
                          const struct journal_segment *segment)
{
    if (replay->is_damaged)
        return;
    replay->is_damaged = true;
    replay->options.damaged(replay->options.self, segment->header.first_lsn);
}

/* Everything up to lsn should have been seen. False: some of it was not. */
static bool expect(struct journal_replay *replay, uint64_t lsn)
{
    if (lsn <= replay->last_lsn)
        return true;
    replay->lost += lsn - replay->last_lsn;
    replay->last_lsn = lsn;
    return false;
}

static bool open_next(struct journal_replay *replay)
{
    const struct disk *disk = replay->options.disk;
    const struct journal_segment *segment = &replay->segments[replay->next++];

    if (segment->last_lsn <= replay->last_lsn ||
        segment->last_lsn < segment->header.first_lsn)
        return false;
    expect(replay, segment->header.previous_end);
    /* What lies between was void. */
    if (segment->has_header && replay->last_lsn < segment->header.first_lsn - 1)
        replay->last_lsn = segment->header.first_lsn - 1;
    replay->is_damaged = segment->is_damaged;
    replay->scan.file = disk->open(disk->self, segment->name, DISK_READ, NULL);
    if (!replay->scan.file) {
        expect(replay, segment->last_lsn);
        report_damage(replay, segment);
        return false;
    }
    replay->scan.salt = segment->header.salt;
    replay->scan.last_lsn = segment->header.first_lsn - 1;
    replay->scan.limit = segment->last_lsn;
    replay->scan.start = 0;
    journal_scan_begin(&replay->scan);
    replay->is_open = true;
    return true;
}

static void close_current(struct journal_replay *replay)
{
    const struct journal_segment *segment = &replay->segments[replay->next - 1];

    replay->options.disk->close(replay->options.disk->self, replay->scan.file);
    replay->is_open = false;
    if (!expect(replay, segment->last_lsn) || replay->scan.has_failed)
        report_damage(replay, segment);
}

/* In the segment that is open. */
static bool read_next(struct journal_replay *replay, struct journal_record *record)
{
    const struct journal_segment *segment = &replay->segments[replay->next - 1];

    while (replay->scan.last_lsn < segment->last_lsn) {
        uint64_t before = replay->scan.last_lsn;

        if (!journal_scan_next(&replay->scan, record))
            return false;
        if (record->lsn <= replay->options.after_lsn)
            continue;

        bool is_whole = expect(replay, record->lsn - 1);

        if (!is_whole || replay->scan.skipped > 0 || record->lsn != before + 1)
            report_damage(replay, segment);
        replay->last_lsn = record->lsn;
        return true;
    }
    return false;
}

bool journal_replay_next(struct journal_replay *replay, struct journal_record *record)
{
    for (;;) {
        if (!replay->is_open) {
            if (replay->next == replay->options.count)
                return false;
            if (!open_next(replay))
                continue;
        }
        if (read_next(replay, record))
            return true;
        close_current(replay);
    }
}
