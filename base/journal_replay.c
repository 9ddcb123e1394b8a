#include "base/journal_replay.h"

#include "base/journal_scan.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Records that are missing, and perhaps never were acknowledged. */
struct gap {
    uint64_t from, to;
    uint64_t segment; /* its first LSN */
};

struct journal_replay {
    struct journal_replay_options options;
    struct journal_segment *segments;
    size_t next; /* segment to be opened */
    struct journal_scan scan;
    uint64_t last_lsn; /* delivered, missing, or never there */
    uint64_t durable_lsn;
    struct gap *gaps; /* above durable_lsn */
    size_t gap_count, gap_capacity;
    uint64_t lost;
    bool is_open;
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
    free(replay->gaps);
    free(replay);
}

uint64_t journal_replay_lost(const struct journal_replay *replay)
{
    return replay->lost;
}

static void report_damage(struct journal_replay *replay, uint64_t first_lsn)
{
    replay->options.damaged(replay->options.self, first_lsn);
}

/* ---- what is missing --------------------------------------------------------------------- */

/* True: all of it was durable, and is lost. */
static bool lose(struct journal_replay *replay, struct gap *gap)
{
    uint64_t to = gap->to < replay->durable_lsn ? gap->to : replay->durable_lsn;

    if (to < gap->from)
        return false;
    replay->lost += to - gap->from + 1;
    gap->from = to + 1;
    report_damage(replay, gap->segment);
    return gap->from > gap->to;
}

/* Records up to lsn were durable once. */
static void learn(struct journal_replay *replay, uint64_t lsn)
{
    size_t kept = 0;

    if (lsn > replay->durable_lsn)
        replay->durable_lsn = lsn;
    for (size_t i = 0; i < replay->gap_count; i++) {
        if (!lose(replay, &replay->gaps[i]))
            replay->gaps[kept++] = replay->gaps[i];
    }
    replay->gap_count = kept;
}

/* Everything up to lsn should have been seen. False: some of it was not. */
static bool expect(struct journal_replay *replay, uint64_t lsn, uint64_t segment)
{
    struct gap gap = {replay->last_lsn + 1, lsn, segment};

    if (lsn <= replay->last_lsn)
        return true;
    replay->last_lsn = lsn;
    replay->gaps = memory_grow(replay->gaps, replay->gap_count + 1, &replay->gap_capacity,
                               sizeof(*replay->gaps));
    replay->gaps[replay->gap_count++] = gap;
    return false;
}

/* ---- segments ---------------------------------------------------------------------------- */

/* What the header says about earlier segments, which are not there or have been read. */
static void read_header(struct journal_replay *replay,
                        const struct journal_header *header)
{
    /* A new process took for durable what it could read; what was in doubt then stays so. */
    while (replay->gap_count > 0 &&
           replay->gaps[replay->gap_count - 1].from <= header->recovered_end)
        replay->gap_count--;
    expect(replay, header->previous_end, header->previous_first);
    learn(replay, header->durable_end);
    /* What lies between was void. */
    if (replay->last_lsn + 1 < header->first_lsn)
        replay->last_lsn = header->first_lsn - 1;
}

static bool open_next(struct journal_replay *replay)
{
    const struct disk *disk = replay->options.disk;
    const struct journal_segment *segment = &replay->segments[replay->next++];

    if (segment->last_lsn <= replay->last_lsn ||
        segment->last_lsn < segment->header.first_lsn)
        return false;
    read_header(replay, &segment->header);
    replay->scan.file = disk->open(disk->self, segment->name, DISK_READ, NULL);
    if (!replay->scan.file) {
        report_damage(replay, segment->header.first_lsn);
        return false;
    }
    replay->scan.salt = segment->header.salt;
    replay->scan.last_lsn = segment->header.first_lsn - 1;
    replay->scan.limit = segment->last_lsn;
    replay->scan.start = 0;
    journal_scan_begin(&replay->scan);
    return true;
}

static void close_current(struct journal_replay *replay)
{
    const struct journal_segment *segment = &replay->segments[replay->next - 1];

    replay->options.disk->close(replay->options.disk->self, replay->scan.file);
    replay->is_open = false;
    if (replay->scan.has_failed)
        report_damage(replay, segment->header.first_lsn);
}

/* In the segment that is open. */
static bool read_next(struct journal_replay *replay, struct journal_record *record)
{
    const struct journal_segment *segment = &replay->segments[replay->next - 1];

    while (replay->scan.last_lsn < segment->last_lsn) {
        if (!journal_scan_next(&replay->scan, record))
            return false;
        if (record->lsn <= replay->options.after_lsn)
            continue;

        bool is_next = expect(replay, record->lsn - 1, segment->header.first_lsn);

        learn(replay, replay->scan.durable_lsn);
        if (is_next && replay->scan.skipped > 0)
            report_damage(replay, segment->header.first_lsn);
        replay->last_lsn = record->lsn;
        return true;
    }
    return false;
}

/* ---- all of them ------------------------------------------------------------------------- */

/* Opens the next one that has something to read. */
static bool open_any(struct journal_replay *replay)
{
    while (!replay->is_open && replay->next < replay->options.count)
        replay->is_open = open_next(replay);
    return replay->is_open;
}

bool journal_replay_next(struct journal_replay *replay, struct journal_record *record)
{
    while (open_any(replay)) {
        if (read_next(replay, record))
            return true;
        close_current(replay);
    }
    read_header(replay, &replay->options.promise);
    return false;
}
