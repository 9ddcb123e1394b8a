#include "base/journal_recover.h"

#include "base/journal_resync.h"
#include "base/journal_scan.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPEN_TRIES = 3,
    SYNC_TRIES = 3
};

/* ---- the lists --------------------------------------------------------------------------- */

static void add_idle(struct journal_recovery *recovery, const char *name)
{
    recovery->idle = memory_grow(recovery->idle, recovery->idle_count + 1,
                                 &recovery->idle_capacity, JOURNAL_NAME_BYTES);
    snprintf(recovery->idle[recovery->idle_count++], JOURNAL_NAME_BYTES, "%s", name);
}

static void add_segment(struct journal_recovery *recovery, const char *name)
{
    recovery->segments = memory_grow(recovery->segments, recovery->count + 1,
                                     &recovery->capacity, sizeof(*recovery->segments));

    struct journal_segment *segment = &recovery->segments[recovery->count++];

    memset(segment, 0, sizeof(*segment));
    snprintf(segment->name, sizeof(segment->name), "%s", name);
}

static void remove_segment(struct journal_recovery *recovery, size_t index)
{
    recovery->count--;
    memmove(&recovery->segments[index], &recovery->segments[index + 1],
            (recovery->count - index) * sizeof(*recovery->segments));
}

static void found(void *self, const char *name)
{
    struct journal_recovery *recovery = self;

    if (journal_segment_is_name(name))
        add_segment(recovery, name);
    else if (journal_segment_is_spare_name(name))
        add_idle(recovery, name);
}

/* ---- what is bad ------------------------------------------------------------------------- */

static void blame(struct journal_recovery *recovery,
                  const struct journal_segment *segment, const char *why)
{
    recovery->bad_files++;
    recovery->bad_bytes += segment->bytes;
    snprintf(recovery->last_error, sizeof(recovery->last_error), "%s: %s", segment->name,
             why);
}

static void set_aside(struct journal_recovery *recovery, size_t index, const char *why)
{
    struct error err = {0};

    if (!recovery->segments[index].is_damaged)
        blame(recovery, &recovery->segments[index], why);
    /* Where even that fails the file stays, is not read, and no new one takes its name. */
    if (!disk_set_aside(recovery->disk, recovery->segments[index].name, &err))
        snprintf(recovery->last_error, sizeof(recovery->last_error), "%.250s", err.text);
    remove_segment(recovery, index);
}

/* ---- one file ---------------------------------------------------------------------------- */

static struct disk_file *open_segment(const struct disk *disk, const char *name,
                                      struct error *err)
{
    struct disk_file *file = NULL;

    for (int i = 0; i < OPEN_TRIES && !file; i++)
        file = disk->open(disk->self, name, DISK_READ, err);
    return file;
}

static enum journal_header_state read_header(struct journal_scan *scan,
                                             struct journal_segment *segment)
{
    const char *bytes = journal_scan_peek(scan, 0, JOURNAL_SEGMENT_HEADER);
    struct slice header = {bytes, bytes ? JOURNAL_SEGMENT_HEADER : 0};

    return journal_header_decode(header, &segment->header);
}

/* Lets the first readable record tell what the header should. */
static bool read_without_header(struct journal_scan *scan,
                                struct journal_segment *segment)
{
    struct journal_record record;

    scan->is_salt_unknown = true;
    scan->limit = JOURNAL_MAX_LSN;
    if (!journal_scan_next(scan, &record))
        return false;
    segment->header = (struct journal_header){
        .first_lsn = record.lsn,
        .previous_end = record.lsn - 1,
        .durable_end = scan->durable_lsn,
        .salt = scan->salt,
    };
    return true;
}

/* NULL: it can be used; else why not. */
static const char *examine(struct journal_recovery *recovery, struct journal_scan *scan,
                           struct journal_segment *segment)
{
    struct error err = {0};
    const char *why = NULL;

    scan->file = open_segment(recovery->disk, segment->name, &err);
    if (!scan->file)
        return "cannot be opened";
    journal_scan_begin(scan);
    segment->bytes = scan->bytes;
    switch (read_header(scan, segment)) {
    case JOURNAL_HEADER_GOOD: segment->has_header = true; break;
    case JOURNAL_HEADER_OTHER_VERSION: why = "written by another version"; break;
    case JOURNAL_HEADER_BAD:
        if (!read_without_header(scan, segment))
            why = "neither its header nor a record can be read";
        break;
    }
    recovery->disk->close(recovery->disk->self, scan->file);
    return why;
}

static void examine_all(struct journal_recovery *recovery)
{
    struct journal_scan scan = {.disk = recovery->disk};

    for (size_t i = recovery->count; i > 0; i--) {
        struct journal_segment *segment = &recovery->segments[i - 1];

        scan.last_lsn = 0;
        scan.start = scan.loaded = 0;

        const char *why = examine(recovery, &scan, segment);

        if (why) {
            set_aside(recovery, i - 1, why);
        } else if (!segment->has_header) {
            blame(recovery, segment, "its header cannot be read");
            segment->is_damaged = true;
        }
    }
    journal_scan_release(&scan);
}

/* ---- all of them ------------------------------------------------------------------------- */

/* Files of another journal (restored or copied by mistake) would void records of ours. Ours is the
 * one with the most segments; of equals, with the latest record. */
static void choose_journal(struct journal_recovery *recovery)
{
    size_t best = 0;

    for (size_t i = 0; i < recovery->count; i++) {
        size_t same = 0;
        uint64_t id = recovery->segments[i].header.journal_id;

        for (size_t j = 0; j < recovery->count; j++)
            same += recovery->segments[j].header.journal_id == id;
        if (recovery->segments[i].has_header && same >= best) {
            best = same;
            recovery->journal_id = id;
        }
    }
    for (size_t i = recovery->count; i > 0; i--) {
        const struct journal_segment *segment = &recovery->segments[i - 1];

        if (segment->has_header && segment->header.journal_id != recovery->journal_id)
            set_aside(recovery, i - 1, "belongs to another journal");
    }
}

static int by_lsn(const void *a, const void *b)
{
    const struct journal_segment *left = a, *right = b;

    if (left->header.first_lsn != right->header.first_lsn)
        return left->header.first_lsn < right->header.first_lsn ? -1 : 1;
    return strcmp(left->name, right->name);
}

static bool has_own_name(const struct journal_segment *segment)
{
    char name[JOURNAL_NAME_BYTES];

    journal_segment_name(segment->header.first_lsn, name);
    return strcmp(name, segment->name) == 0;
}

static bool has_record(const struct journal_recovery *recovery,
                       const struct journal_segment *segment)
{
    struct journal_record record;
    struct journal_scan scan = {
        .disk = recovery->disk,
        .file = open_segment(recovery->disk, segment->name, NULL),
        .salt = segment->header.salt,
        .last_lsn = segment->header.first_lsn - 1,
        .limit = JOURNAL_MAX_LSN,
    };

    if (!scan.file)
        return false;
    journal_scan_begin(&scan);

    bool found_one = journal_scan_next(&scan, &record);

    journal_scan_release(&scan);
    recovery->disk->close(recovery->disk->self, scan.file);
    return found_one;
}

static void drop_one(struct journal_recovery *recovery, size_t index, bool has_records)
{
    if (has_records) {
        set_aside(recovery, index, "a copy of another segment");
        return;
    }
    recovery->disk->remove(recovery->disk->self, recovery->segments[index].name, NULL);
    remove_segment(recovery, index);
}

/* Of two that begin with the same record one is a copy; or the last process began none, and this one
 * was the next. */
static void drop_copies(struct journal_recovery *recovery)
{
    for (size_t i = recovery->count; i > 1; i--) {
        const struct journal_segment *one = &recovery->segments[i - 2],
                                     *other = &recovery->segments[i - 1];

        if (one->header.first_lsn != other->header.first_lsn)
            continue;

        bool has_one = has_record(recovery, one), has_other = has_record(recovery, other);
        bool keeps_other = has_one == has_other ? has_own_name(other) : has_other;

        drop_one(recovery, keeps_other ? i - 2 : i - 1,
                 keeps_other ? has_one : has_other);
    }
}

/* Where each ends, by what the next one's header says. Segments without a record that counts are
 * idle. */
static void find_ends(struct journal_recovery *recovery)
{
    uint64_t limit = JOURNAL_MAX_LSN;

    for (size_t i = recovery->count; i > 0; i--) {
        struct journal_segment *segment = &recovery->segments[i - 1];

        segment->last_lsn = limit;
        if (segment->header.previous_end < limit)
            limit = segment->header.previous_end;
        if (segment->last_lsn < segment->header.first_lsn && !segment->is_damaged) {
            add_idle(recovery, segment->name);
            remove_segment(recovery, i - 1);
        }
    }
}

/* Makes sure that a torn tail is gone, and gives its space back. */
static void cut(const struct journal_recovery *recovery, struct journal_segment *segment)
{
    const struct disk *disk = recovery->disk;
    struct disk_file *file = disk->open(disk->self, segment->name, DISK_WRITE, NULL);

    if (!file)
        return;
    if (disk->truncate(disk->self, file, segment->used, NULL))
        segment->bytes = segment->used;
    disk->close(disk->self, file);
}

static bool has_counting_record(const struct journal_segment *segment)
{
    return segment->last_lsn >= segment->header.first_lsn;
}

/* Finds the last record up to limit and cuts off what is behind it. */
static void read_to_end(struct journal_recovery *recovery,
                        struct journal_segment *segment, uint64_t limit)
{
    struct journal_record record;
    struct journal_scan scan = {
        .disk = recovery->disk,
        .file = open_segment(recovery->disk, segment->name, NULL),
        .salt = segment->header.salt,
        .last_lsn = segment->header.first_lsn - 1,
        .limit = limit,
    };

    segment->last_lsn = segment->header.first_lsn - 1;
    if (!scan.file)
        return;
    journal_scan_begin(&scan);
    while (journal_scan_next(&scan, &record))
        segment->last_lsn = record.lsn;
    if (scan.durable_lsn > recovery->durable_lsn)
        recovery->durable_lsn = scan.durable_lsn;
    segment->used = scan.position;
    if (scan.has_failed && !segment->is_damaged) {
        blame(recovery, segment, "some of it cannot be read");
        segment->is_damaged = true;
    }
    if (!segment->is_damaged && limit == JOURNAL_MAX_LSN)
        recovery->torn_bytes += journal_scan_torn_bytes(&scan, segment->last_lsn + 1);
    journal_scan_release(&scan);
    recovery->disk->close(recovery->disk->self, scan.file);
    if (!segment->is_damaged && has_counting_record(segment) &&
        segment->used < segment->bytes)
        cut(recovery, segment);
}

/*
 * The last segment has no record. Either none was written yet, or they were lost before they were
 * durable, or they are damaged; the header of the one behind it tells.
 */
static void drop_last(struct journal_recovery *recovery)
{
    const struct journal_segment *last = &recovery->segments[recovery->count - 1];
    bool is_first = recovery->promise.first_lsn == 0;

    if (last->is_damaged || recovery->promise.durable_end >= last->header.first_lsn) {
        set_aside(recovery, recovery->count - 1, "no record of it can be read");
        return;
    }
    if (is_first) {
        recovery->promise = last->header;
        memcpy(recovery->empty, last->name, sizeof(last->name));
    } else {
        add_idle(recovery, last->name);
    }
    remove_segment(recovery, recovery->count - 1);
}

/* The last segment is the only one whose end no other tells. */
static void find_last(struct journal_recovery *recovery)
{
    uint64_t limit = JOURNAL_MAX_LSN;

    while (recovery->count > 0) {
        struct journal_segment *last = &recovery->segments[recovery->count - 1];

        read_to_end(recovery, last, limit);
        if (last->last_lsn >= recovery->next_lsn)
            recovery->next_lsn = last->last_lsn + 1;
        recovery->end_lsn = last->last_lsn;
        if (has_counting_record(last))
            return;
        limit = recovery->end_lsn = last->header.previous_end;
        drop_last(recovery);
    }
}

/* What a killed process wrote and did not sync is given to the reader now: it must last as well. Where
 * the disk refuses that, it is given to the reader nevertheless; it was never acknowledged. */
static void sync_all(struct journal_recovery *recovery)
{
    const struct disk *disk = recovery->disk;
    bool ok = false;

    for (size_t i = 0; i < recovery->count; i++)
        recovery->failed_syncs += journal_resync(
            disk, recovery->segments[i].name,
            recovery->segments[i].last_lsn > recovery->durable_lsn, SYNC_TRIES);
    for (int i = 0; i < SYNC_TRIES && !ok; i++) {
        ok = disk->sync_names(disk->self, NULL);
        recovery->failed_syncs += !ok;
    }
}

bool journal_recover(struct journal_recovery *recovery, struct error *err)
{
    bool is_listed = false;

    for (int i = 0; i < OPEN_TRIES && !is_listed; i++) {
        recovery->count = recovery->idle_count = 0;
        is_listed = recovery->disk->list(recovery->disk->self, found, recovery, err);
    }
    if (!is_listed)
        return false;
    examine_all(recovery);
    if (recovery->count > 1)
        qsort(recovery->segments, recovery->count, sizeof(*recovery->segments), by_lsn);
    choose_journal(recovery);
    drop_copies(recovery);
    recovery->next_lsn = 1;
    find_ends(recovery);
    find_last(recovery);
    if (recovery->is_synced)
        sync_all(recovery);
    return true;
}

void journal_recovery_release(struct journal_recovery *recovery)
{
    free(recovery->segments);
    free(recovery->idle);
}
