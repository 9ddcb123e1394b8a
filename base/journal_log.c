#include "base/journal_log.h"

#include "base/clock.h"
#include "base/journal_files.h"
#include "base/journal_recover.h"
#include "base/journal_replay.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    MAX_SEGMENT_BYTES = 32 << 20, /* unless a record needs more */
    MIN_SEGMENT_BYTES = 64 << 10,
    SEGMENTS_PER_BUDGET = 8,
    MAX_RESERVE_BYTES = 64 << 10, /* 1,600 ticks */
    SEGMENTS_PER_RESERVE = 16,    /* of a small segment a sixteenth */
    BEGIN_TRIES = 2
};

/* How often a disk that is full or failing is tried, and a good one looked at. */
static const uint64_t RETRY_NS = 250000000;

void journal_log_note(struct journal_log *log, const struct error *err)
{
    snprintf(log->stats.last_error, sizeof(log->stats.last_error), "%.255s", err->text);
}

/* A simulation has no time that passes: there everything is tried at once. */
static uint64_t now_for_retries(const struct journal_log *log)
{
    return log->options.is_manual ? UINT64_MAX : clock_monotonic_ns();
}

/* ---- beginning a segment ----------------------------------------------------------------- */

static void fill_random(void *out, size_t len)
{
    uint64_t now_ns = clock_now_ns();

    /* Cannot fail for so few bytes once the machine is up; and if it does, the time is good enough
     * against what is left over in a file. */
    if (getrandom(out, len, GRND_NONBLOCK) != (ssize_t)len)
        memcpy(out, &now_ns, len < sizeof(now_ns) ? len : sizeof(now_ns));
}

/* The segment that has the last record that counts; 0: none has. */
static uint64_t first_lsn_of_last(const struct journal_log *log)
{
    for (size_t i = log->count; i > 0; i--) {
        if (journal_segment_has_above(&log->segments[i - 1], 0))
            return log->segments[i - 1].header.first_lsn;
    }
    return 0;
}

static struct journal_header next_header(struct journal_log *log)
{
    struct journal_header header = {.journal_id = log->journal_id,
                                    .previous_end = log->end_lsn,
                                    .durable_end = log->durable_lsn,
                                    .recovered_end = log->recovered_end,
                                    .previous_first = first_lsn_of_last(log)};

    /* No two segments begin alike, not even after one that could not be written to. */
    if (log->count > 0 && log->segments[log->count - 1].header.first_lsn >= log->next_lsn)
        log->next_lsn = log->segments[log->count - 1].header.first_lsn + 1;
    header.first_lsn = log->next_lsn;
    fill_random(&header.salt, sizeof(header.salt));
    return header;
}

/* The active segment gets no more records. */
static void seal(struct journal_log *log)
{
    if (log->has_active &&
        !journal_segment_has_above(&log->segments[log->count - 1], log->durable_lsn))
        journal_segment_close(log->disk, &log->segments[log->count - 1]);
    log->has_active = false;
}

bool journal_log_begin(struct journal_log *log, uint64_t record_bytes, struct error *err)
{
    struct journal_segment segment = {0};
    uint64_t bytes = JOURNAL_SEGMENT_START + record_bytes + log->reserve_bytes;
    uint64_t now_ns = now_for_retries(log);

    if (now_ns < log->retry_ns)
        return FAIL(err, ERROR_BUSY, "%s", log->stats.last_error);
    segment.header = next_header(log);
    if (bytes < log->segment_bytes)
        bytes = log->segment_bytes;
    if (!journal_files_begin(&log->files, &segment, bytes, err)) {
        log->retry_ns = now_ns + RETRY_NS;
        return false;
    }
    seal(log);
    log->segments = memory_grow(log->segments, log->count + 1, &log->capacity,
                                sizeof(*log->segments));
    log->segments[log->count++] = segment;
    log->has_active = true;
    return true;
}

/* ---- appending --------------------------------------------------------------------------- */

static bool fits(const struct journal_log *log, uint64_t bytes)
{
    const struct journal_segment *active;

    if (!log->has_active)
        return false;
    active = &log->segments[log->count - 1];
    return active->used + bytes <= active->bytes;
}

/* A successor has to find what is taken. */
static bool is_findable(struct journal_log *log, struct error *err)
{
    const struct disk *disk = log->disk;
    struct journal_segment *active = log->has_active ? &log->segments[log->count - 1]
                                                     : NULL;

    if (disk->check(disk->self, active ? active->file : NULL, err))
        return true;
    /* Without the directory there is no better place, and this one still serves for ticks. */
    if (!active || !disk->check(disk->self, NULL, NULL))
        return false;
    FAIL(err, ERROR_NOT_FOUND, "%s was removed", active->name);
    active->is_poisoned = true;
    (void)!journal_log_begin(log, 0, NULL);
    return false;
}

/* Space inside the segments is ours already, but what is taken in has to be stored as values too. */
static bool may_take_requests(struct journal_log *log, struct error *err)
{
    uint64_t now_ns = now_for_retries(log);

    if (now_ns < log->ask_space_ns)
        return !log->is_short || FAIL(err, ERROR_BUSY, "%s", log->stats.last_error);
    log->is_short = !is_findable(log, err) ||
                    !journal_files_has_space(&log->files, 0, err);
    log->ask_space_ns = now_ns + RETRY_NS;
    return !log->is_short;
}

/* An active segment without a record grows for one that is larger; else the next one begins. */
static bool add_room(struct journal_log *log, uint64_t bytes, struct error *err)
{
    struct journal_segment *active = log->has_active ? &log->segments[log->count - 1]
                                                     : NULL;

    if (active && active->used == JOURNAL_SEGMENT_START)
        return journal_files_extend(&log->files, active,
                                    active->used + bytes + log->reserve_bytes, err);
    return journal_log_begin(log, bytes, err);
}

static bool make_room(struct journal_log *log, enum journal_kind kind, uint64_t bytes,
                      struct error *err)
{
    bool is_request = kind == JOURNAL_REQUEST;

    if (is_request && !may_take_requests(log, err))
        return false;
    if (!fits(log, bytes + log->reserve_bytes) && !add_room(log, bytes, err))
        return !is_request && fits(log, bytes);
    /* That there is room for a tick says nothing of requests. */
    if (is_request || !log->has_refused_request)
        log->stats.is_refusing = log->has_refused_request = false;
    return true;
}

/* A disk that fails at one place may do better at another; one that is full will not. */
static void abandon(struct journal_log *log, const struct error *err)
{
    if (err->kind == ERROR_BUSY)
        return;
    log->segments[log->count - 1].is_poisoned = true;
    seal(log);
}

/* The segment before it, which may be as large, is not freed as long as it is the last. */
static bool is_ever_possible(const struct journal_log *log, size_t body_len)
{
    uint64_t bytes = JOURNAL_SEGMENT_START + journal_record_bytes(body_len) +
                     log->reserve_bytes;

    return body_len <= JOURNAL_MAX_BODY && bytes <= log->options.max_bytes / 2;
}

static bool append(struct journal_log *log, struct journal_record *record,
                   uint32_t body_crc, struct error *err)
{
    struct journal_frame frame = {.body_crc = body_crc, .durable_lsn = log->durable_lsn};

    if (!is_ever_possible(log, record->body.len))
        return FAIL(err, ERROR_TOO_LARGE, "a record of %zu bytes is too long",
                    record->body.len);
    if (!make_room(log, record->kind, journal_record_bytes(record->body.len), err))
        return false;
    record->lsn = log->next_lsn;
    if (journal_segment_write(log->disk, &log->segments[log->count - 1], record, &frame,
                              err))
        return true;
    abandon(log, err);
    return false;
}

bool journal_log_append(struct journal_log *log, struct journal_record *record,
                        uint32_t body_crc, struct error *err)
{
    struct error failure = {0};

    if (!append(log, record, body_crc, &failure)) {
        log->stats.refused++;
        if (failure.kind == ERROR_TOO_LARGE)
            return FAIL(err, ERROR_TOO_LARGE, "%s", failure.text);
        journal_log_note(log, &failure);
        log->stats.is_refusing = true;
        log->has_refused_request |= record->kind == JOURNAL_REQUEST;
        return FAIL(err, ERROR_BUSY, "%s", failure.text);
    }
    log->end_lsn = log->next_lsn++;
    if (log->options.durability == JOURNAL_PROCESS)
        log->durable_lsn = log->end_lsn;
    log->stats.appended++;
    log->stats.appended_bytes += record->body.len;
    return true;
}

void journal_log_take_back(struct journal_log *log, const struct journal_record *record)
{
    log->stats.appended--;
    log->stats.appended_bytes -= record->body.len;
    log->stats.refused++;
}

uint64_t journal_log_durable(const struct journal_log *log)
{
    return log->durable_lsn;
}

/* ---- life -------------------------------------------------------------------------------- */

static void take_segments(struct journal_log *log, struct journal_recovery *recovery)
{
    log->segments = recovery->segments;
    log->count = log->recovered = recovery->count;
    log->capacity = recovery->capacity;
    log->promise = recovery->promise;
    for (size_t i = 0; i < log->count; i++)
        log->files.held_bytes += log->segments[i].bytes;
    recovery->segments = NULL;
}

static void continue_from(struct journal_log *log, struct journal_recovery *recovery)
{
    struct error err = {0};
    const struct journal_options *options = &log->options;
    uint64_t known_lsn = options->known_lsn > options->after_lsn ? options->known_lsn
                                                                 : options->after_lsn;

    log->journal_id = recovery->journal_id;
    while (log->journal_id == 0)
        fill_random(&log->journal_id, sizeof(log->journal_id));
    log->end_lsn = log->durable_lsn = log->recovered_end = recovery->end_lsn;
    log->next_lsn = recovery->next_lsn > known_lsn ? recovery->next_lsn : known_lsn + 1;
    /* Others saw records that are neither here nor in the checkpoint. */
    log->stats.lost_records = log->next_lsn - recovery->next_lsn;
    if (options->after_lsn >= recovery->next_lsn)
        log->stats.lost_records = known_lsn - options->after_lsn;
    log->stats.torn_bytes = recovery->torn_bytes;
    log->stats.failed_syncs = recovery->failed_syncs;
    log->stats.bad_files = recovery->bad_files;
    log->stats.bad_bytes = recovery->bad_bytes;
    memcpy(log->stats.last_error, recovery->last_error, sizeof(recovery->last_error));
    take_segments(log, recovery);
    for (size_t i = 0; i < recovery->idle_count; i++)
        journal_files_adopt(&log->files, recovery->idle[i]);
    if (journal_files_clear(&log->files, &err)) {
        journal_log_note(log, &err);
        log->stats.bad_files++;
    }
    if (log->files.is_synced)
        log->disk->sync_names(log->disk->self, NULL);
}

static void choose_sizes(struct journal_log *log)
{
    uint64_t bytes = log->options.segment_bytes;

    if (bytes == 0) {
        bytes = log->options.max_bytes / SEGMENTS_PER_BUDGET;
        bytes = bytes > MAX_SEGMENT_BYTES ? MAX_SEGMENT_BYTES : bytes;
        bytes = bytes < MIN_SEGMENT_BYTES ? MIN_SEGMENT_BYTES : bytes;
    }
    log->segment_bytes = bytes;
    log->reserve_bytes = bytes / SEGMENTS_PER_RESERVE;
    if (log->reserve_bytes > MAX_RESERVE_BYTES)
        log->reserve_bytes = MAX_RESERVE_BYTES;
}

/* The empty segment that was the last, if there is one, makes place for the first of this process. */
static bool begin_first(struct journal_log *log, const char *empty, struct error *err)
{
    struct error failure = {0};

    for (int i = 0; i < BEGIN_TRIES; i++) {
        bool ok = journal_log_begin(log, 0, &failure);

        /* Not before there is another, whose header has what this one's says, if that can be. */
        if (*empty && (ok || i + 1 < BEGIN_TRIES)) {
            journal_files_adopt(&log->files, empty);
            empty = "";
        }
        if (ok)
            return true;
        log->retry_ns = 0;
    }
    journal_log_note(log, &failure);
    log->stats.is_refusing = true;
    return failure.kind == ERROR_BUSY || FAIL(err, failure.kind, "%s", failure.text);
}

struct journal_log *journal_log_open(const struct journal_options *options,
                                     struct error *err)
{
    struct journal_recovery recovery = {
        .disk = options->disk,
        .is_synced = options->durability == JOURNAL_FSYNC,
    };

    if (!journal_recover(&recovery, err)) {
        journal_recovery_release(&recovery);
        return NULL;
    }

    struct journal_log *log = memory_new(1, sizeof(*log));

    log->options = *options;
    log->disk = options->disk;
    log->files.disk = options->disk;
    log->files.max_bytes = options->max_bytes;
    log->files.min_free_bytes = options->min_free_bytes;
    log->files.is_synced = options->durability == JOURNAL_FSYNC;
    choose_sizes(log);
    continue_from(log, &recovery);
    journal_recovery_release(&recovery);
    if (begin_first(log, recovery.empty, err))
        return log;
    journal_log_free(log);
    return NULL;
}

void journal_log_free(struct journal_log *log)
{
    if (!log)
        return;
    for (size_t i = 0; i < log->count; i++)
        journal_segment_close(log->disk, &log->segments[i]);
    free(log->segments);
    free(log);
}

struct journal_replay *journal_log_replay(struct journal_log *log,
                                          void (*damaged)(void *self, uint64_t first_lsn),
                                          void *self)
{
    return journal_replay_new(&(struct journal_replay_options){
        .disk = log->disk,
        .segments = log->segments,
        .count = log->recovered,
        .after_lsn = log->options.after_lsn,
        .promise = log->promise,
        .damaged = damaged,
        .self = self,
    });
}

struct journal_segment *journal_log_find(struct journal_log *log, uint64_t first_lsn)
{
    for (size_t i = 0; i < log->count; i++) {
        if (log->segments[i].header.first_lsn == first_lsn)
            return &log->segments[i];
    }
    return NULL;
}

void journal_log_mark_damaged(struct journal_log *log, uint64_t first_lsn)
{
    struct journal_segment *segment = journal_log_find(log, first_lsn);

    if (!segment || segment->is_damaged)
        return;
    segment->is_damaged = true;
    log->stats.bad_files++;
    log->stats.bad_bytes += segment->bytes;
    snprintf(log->stats.last_error, sizeof(log->stats.last_error),
             "%s: some of it cannot be read", segment->name);
}

void journal_log_read_stats(const struct journal_log *log, struct journal_stats *stats)
{
    *stats = log->stats;
    stats->is_on_disk = true;
    stats->bytes = log->files.held_bytes;
    stats->max_bytes = log->options.max_bytes;
    stats->segments = log->count;
    stats->last_lsn = log->end_lsn;
    stats->first_lsn = log->end_lsn + 1;
    if (log->count > 0 && log->segments[0].header.first_lsn <= log->end_lsn)
        stats->first_lsn = log->segments[0].header.first_lsn;
}
