#include "tests/sim/truth.h"

#include "base/memory.h"
#include "base/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t MINUTE_NS = UINT64_C(60000000000);
static const uint64_t YOUNG_NS = UINT64_C(600000000000);
static const uint64_t LATENESS_NS = UINT64_C(300000000000);
static const uint64_t FORGOTTEN_NS = UINT64_C(2700000000000);
static const uint64_t GAP_NS = UINT64_C(3600000000000);

/* A minute of a series. */
struct cell_minute {
    double increase, sum; /* totals; of histograms count and sum */
    double last;          /* values */
    uint64_t last_ns;     /* time of `last`; 0: no point */
    bool is_unclear;      /* may rightly be missing */
};

/* All streams of one destination and name. */
struct series {
    const struct sim_stream *stream; /* the first one */
    bool is_orderly;
    bool is_shared; /* by several senders */
    /* Something of it came when the minute could be final: it counts in a later one. */
    bool is_carried;
    /* A stream of it was silent for so long that the gateway may have forgotten it. */
    bool is_forgotten;
    struct cell_minute *minutes;
    size_t count;
};

/* The last point of a stream and start time. */
struct progress {
    uint64_t start_ns, time_ns;
    double value;
    uint64_t count;
};

struct truth {
    const struct oracle_case *given;
    struct series *series;
    size_t series_count, series_room;
    uint32_t *series_of; /* by stream */
    uint64_t *heard_ns;  /* by stream: when the last point came */
    struct progress *progress;
    size_t progress_count, progress_room;
    struct table by_start; /* stream and start -> progress */
    bool *was_seen;        /* by request */
    uint64_t from_minute, minute_count;
    uint64_t watch_ns;
    uint64_t received_ns; /* of the request at hand */
};

static bool is_histogram(enum scene_kind kind)
{
    return kind == SCENE_HISTOGRAM || kind == SCENE_DELTA_HISTOGRAM;
}

static bool is_total(enum scene_kind kind)
{
    return kind != SCENE_GAUGE && kind != SCENE_UPDOWN;
}

static bool is_cumulative(enum scene_kind kind)
{
    return kind == SCENE_COUNTER || kind == SCENE_HISTOGRAM;
}

/* ---- building ---------------------------------------------------------------------------- */

static uint32_t find_series(struct truth *truth, const struct sim_stream *stream)
{
    for (size_t i = 0; i < truth->series_count; i++) {
        struct series *series = &truth->series[i];

        if (strcmp(series->stream->destination, stream->destination) == 0 &&
            strcmp(series->stream->name, stream->name) == 0) {
            series->is_orderly &= stream->is_orderly;
            series->is_shared |= stream->sender != series->stream->sender;
            return (uint32_t)i;
        }
    }
    truth->series = memory_grow(truth->series, truth->series_count + 1,
                                &truth->series_room, sizeof(*truth->series));
    truth->series[truth->series_count] = (struct series){
        .stream = stream,
        .is_orderly = stream->is_orderly,
        .minutes = memory_new(truth->minute_count, sizeof(struct cell_minute)),
    };
    return (uint32_t)truth->series_count++;
}

static struct cell_minute *minute_at(const struct truth *truth, struct series *series,
                                     uint64_t number)
{
    if (number < truth->from_minute || number >= truth->from_minute + truth->minute_count)
        abort();
    return &series->minutes[number - truth->from_minute];
}

/* An increase that lies evenly in (from, to]. */
static void spread(const struct truth *truth, struct series *series,
                   const struct progress *from, const struct progress *to)
{
    uint64_t at = from->time_ns;
    double span = (double)(to->time_ns - from->time_ns);
    double increase = is_histogram(series->stream->kind)
                          ? (double)to->count - (double)from->count
                          : to->value - from->value;

    while (at < to->time_ns) {
        uint64_t number = at / MINUTE_NS, end = (number + 1) * MINUTE_NS;
        struct cell_minute *minute = minute_at(truth, series, number);

        series->is_carried |= series->is_shared && end + LATENESS_NS < truth->received_ns;
        if (end > to->time_ns)
            end = to->time_ns;
        minute->increase += increase * ((double)(end - at) / span);
        minute->sum += (to->value - from->value) * ((double)(end - at) / span);
        at = end;
    }
}

static struct hash128 key_of(unsigned stream, uint64_t start_ns)
{
    uint64_t words[2] = {stream, start_ns};

    return hash_bytes((struct slice){(const char *)words, sizeof(words)}, 9);
}

static struct progress *find_progress(struct truth *truth, const struct sim_point *point,
                                      bool *is_new)
{
    struct hash128 key = key_of(point->stream, point->start_ns);
    uint32_t at = table_find(&truth->by_start, key);

    *is_new = at == TABLE_NONE;
    if (!*is_new)
        return &truth->progress[at];
    truth->progress = memory_grow(truth->progress, truth->progress_count + 1,
                                  &truth->progress_room, sizeof(*truth->progress));
    table_insert(&truth->by_start, key, (uint32_t)truth->progress_count);
    truth->progress[truth->progress_count] = (struct progress){0};
    return &truth->progress[truth->progress_count++];
}

static void take_cumulative(struct truth *truth, struct series *series,
                            const struct sim_point *point)
{
    bool is_new;
    struct progress *last = find_progress(truth, point, &is_new);
    struct progress now = {point->start_ns, point->time_ns, point->value, point->count};
    struct progress zero = {.start_ns = point->start_ns, .time_ns = point->start_ns};
    bool is_young = point->time_ns - point->start_ns <= YOUNG_NS &&
                    point->start_ns > truth->watch_ns &&
                    point->time_ns + FORGOTTEN_NS >= truth->received_ns;

    if (!is_new && point->time_ns <= last->time_ns)
        return; /* a repeat, or out of order */
    if (is_new && is_young)
        spread(truth, series, &zero, &now);
    else if (is_new || point->time_ns - last->time_ns > GAP_NS)
        minute_at(truth, series, point->time_ns / MINUTE_NS)->is_unclear = true;
    else
        spread(truth, series, last, &now);
    *last = now;
}

static void take_delta(const struct truth *truth, struct series *series,
                       const struct sim_point *point)
{
    struct progress from = {.time_ns = point->start_ns};
    struct progress to = {
        .time_ns = point->time_ns, .value = point->value, .count = point->count};

    spread(truth, series, &from, &to);
}

static void take_value(const struct truth *truth, struct series *series,
                       const struct sim_point *point)
{
    struct cell_minute *minute = minute_at(truth, series, point->time_ns / MINUTE_NS);

    if (point->time_ns < minute->last_ns)
        return;
    minute->last = point->value;
    minute->last_ns = point->time_ns;
}

static void take_request(struct truth *truth, const struct sim_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        const struct sim_point *point = &request->points[i];
        struct series *series = &truth->series[truth->series_of[point->stream]];
        uint64_t *heard_ns = &truth->heard_ns[point->stream];

        series->is_forgotten |= *heard_ns && truth->received_ns - *heard_ns > GAP_NS;
        *heard_ns = truth->received_ns;
        if (is_cumulative(series->stream->kind))
            take_cumulative(truth, series, point);
        else if (is_total(series->stream->kind))
            take_delta(truth, series, point);
        else
            take_value(truth, series, point);
    }
}

/* From the first record's day to the last one's, with room for clocks that are off. */
static void span_time(struct truth *truth)
{
    const struct history *history = truth->given->history;
    uint64_t least = UINT64_MAX, most = 0;

    for (size_t i = 0; i < history->count; i++) {
        uint64_t receive_ns = history->records[i].receive_ns;

        least = receive_ns < least ? receive_ns : least;
        most = receive_ns > most ? receive_ns : most;
    }
    truth->watch_ns = least;
    truth->from_minute = least / MINUTE_NS - 60;
    truth->minute_count = most / MINUTE_NS + 60 - truth->from_minute;
}

static size_t request_count(const struct history *history)
{
    size_t count = 0;

    for (size_t i = 0; i < history->count; i++)
        if (history->records[i].request && history->records[i].request->id >= count)
            count = history->records[i].request->id + 1;
    return count;
}

static void build(struct truth *truth)
{
    const struct history *history = truth->given->history;
    size_t streams = senders_stream_count(truth->given->senders);

    span_time(truth);
    truth->series_of = memory_new(streams, sizeof(*truth->series_of));
    truth->heard_ns = memory_new(streams, sizeof(*truth->heard_ns));
    for (size_t i = 0; i < streams; i++)
        truth->series_of[i] = find_series(truth,
                                          senders_stream(truth->given->senders, i));
    truth->was_seen = memory_new(request_count(history) + 1, sizeof(*truth->was_seen));
    for (uint64_t lsn = 1; lsn <= history->last_lsn; lsn++) {
        const struct history_record *record = history_at(history, lsn);

        if (!record || !record->request || truth->was_seen[record->request->id])
            continue;
        truth->was_seen[record->request->id] = true;
        truth->received_ns = record->receive_ns;
        take_request(truth, record->request);
    }
}

static void release(struct truth *truth)
{
    for (size_t i = 0; i < truth->series_count; i++)
        free(truth->series[i].minutes);
    free(truth->series);
    free(truth->series_of);
    free(truth->heard_ns);
    free(truth->progress);
    free(truth->was_seen);
    table_release(&truth->by_start);
}

/* ---- comparing --------------------------------------------------------------------------- */

struct look {
    const struct truth *truth;
    const struct series *series;
    uint64_t minute_s;
    struct oracle_verdict *verdict;
};

/* NULL when Mackerel has no such value. */
static const struct value_entry *find_value(const struct look *look,
                                            const char *statistic)
{
    const struct sim_stream *stream = look->series->stream;
    char name[2 * SENDER_TEXT_MAX];

    snprintf(name, sizeof(name), "%s%s", stream->name, statistic);
    return value_map_find(look->truth->given->mackerel, stream->destination,
                          slice_of(name), look->minute_s);
}

static void expect(const struct look *look, const char *statistic, double want)
{
    const struct value_entry *got = find_value(look, statistic);
    const struct sim_stream *stream = look->series->stream;
    struct oracle_verdict *verdict = look->verdict;

    if (got && !oracle_is_close(got->value, want))
        oracle_find(verdict, &verdict->wrong,
                    "untrue: %s %s%s %" PRIu64 " is %.17g, the truth is %.17g",
                    stream->destination, stream->name, statistic, look->minute_s,
                    got->value, want);
    if (!got && !oracle_is_close(want, 0))
        oracle_find(verdict, &verdict->lost,
                    "missing: %s %s%s %" PRIu64 ", the truth is %.17g",
                    stream->destination, stream->name, statistic, look->minute_s, want);
    verdict->checked++;
}

static void compare_total(const struct look *look, const struct cell_minute *minute)
{
    if (minute->is_unclear)
        return;
    expect(look, ".rate", minute->increase / 60);
    if (is_histogram(look->series->stream->kind) && minute->increase > 1e-3)
        expect(look, ".avg", minute->sum / minute->increase);
}

static void compare_minute(const struct look *look, const struct cell_minute *minute)
{
    if (look->minute_s <= look->truth->given->expired_until_s)
        return;
    if (is_total(look->series->stream->kind))
        compare_total(look, minute);
    else if (minute->last_ns)
        expect(look, "", minute->last);
}

/* Nothing lost and nothing doubled over all minutes. */
static void compare_sum(const struct truth *truth, const struct series *series,
                        struct oracle_verdict *verdict)
{
    double want = 0, got = 0;

    for (size_t i = 0; i < truth->minute_count; i++) {
        struct look look = {truth, series, (truth->from_minute + i) * 60, verdict};
        const struct value_entry *value = find_value(&look, ".rate");

        if (!value && series->minutes[i].is_unclear)
            continue; /* met in the middle: a part of a minute is not posted */
        want += series->minutes[i].increase;
        got += value ? value->value * 60 : 0;
    }
    verdict->sums++;
    if (!oracle_is_close(got, want))
        oracle_find(verdict, &verdict->unbalanced, "sum: %s %s is %.17g, should be %.17g",
                    series->stream->destination, series->stream->name, got, want);
}

static bool sums_hold(const struct truth *truth)
{
    const struct point_ledger *points = truth->given->points;

    return points->reasons[REASON_LATE].count == 0 &&
           points->reasons[REASON_TOO_OLD].count == 0 &&
           points->reasons[REASON_PARTIAL].count == 0 &&
           truth->given->expired_until_s == 0;
}

static void compare_series(const struct truth *truth, const struct series *series,
                           struct oracle_verdict *verdict)
{
    /* What a sender brings late that nobody knew yet, or not any more, is rightly not taken. */
    bool is_exact = series->is_orderly && !series->is_forgotten && !series->is_carried &&
                    truth->given->points->reasons[REASON_LATE].count == 0;

    if (strstr(series->stream->name, "poison"))
        return;
    for (size_t i = 0; i < truth->minute_count && is_exact; i++) {
        struct look look = {truth, series, (truth->from_minute + i) * 60, verdict};

        compare_minute(&look, &series->minutes[i]);
    }
    if (is_total(series->stream->kind) && sums_hold(truth) && !series->is_forgotten)
        compare_sum(truth, series, verdict);
}

void truth_compare(const struct oracle_case *given, struct oracle_verdict *verdict)
{
    struct truth truth = {.given = given};

    if (given->history->count == 0)
        return;
    build(&truth);
    for (size_t i = 0; i < truth.series_count; i++)
        compare_series(&truth, &truth.series[i], verdict);
    release(&truth);
}
