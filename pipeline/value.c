#include "pipeline/value.h"

#include "pipeline/books.h"
#include "pipeline/minutes.h"
#include "pipeline/stream.h"

static struct history_minute *slot(struct history *history, uint64_t minute)
{
    return &history->minute[minute % HISTORY_MINUTES];
}

static bool holds(const struct history_minute *slot, uint64_t minute)
{
    return slot->last_ns && minute_beginning_at(slot->last_ns) == minute;
}

static struct history *open_history(struct pipeline *p, uint32_t index)
{
    if (state_stream(p, index)->detail == POOL_NONE) {
        uint32_t detail = pool_take(&p->histories);

        state_stream(p, index)->detail = detail;
    }
    return state_history(p, state_stream(p, index)->detail);
}

void value_say(struct pipeline *p, uint32_t index, uint64_t time_ns, double value)
{
    uint64_t minute = minute_beginning_at(time_ns);
    struct history_minute *at = slot(open_history(p, index), minute);

    if (!holds(at, minute))
        *at = (struct history_minute){time_ns, time_ns, value, value};
    if (time_ns < at->first_ns) {
        at->first_ns = time_ns;
        at->first = value;
    }
    if (time_ns >= at->last_ns) {
        at->last_ns = time_ns;
        at->last = value;
    }
    stream_advance(state_stream(p, index), time_ns);
}

/* A point older than the ring remembers would overwrite a newer minute. */
static bool is_beyond_history(const struct pipeline *p, const struct stream *stream,
                              uint64_t time_ns)
{
    if (stream->detail == POOL_NONE)
        return false;

    uint64_t minute = minute_beginning_at(time_ns);
    const struct history_minute *at = slot(state_history(p, stream->detail), minute);

    return at->last_ns && minute_beginning_at(at->last_ns) > minute;
}

static bool repeats(const struct pipeline *p, const struct stream *stream,
                    uint64_t time_ns)
{
    if (stream->detail == POOL_NONE)
        return false;

    const struct history_minute *at = slot(state_history(p, stream->detail),
                                           minute_beginning_at(time_ns));

    return at->last_ns == time_ns;
}

static bool same(double a, double b)
{
    return !(a < b) && !(a > b);
}

static enum reason repeat_reason(const struct pipeline *p, const struct stream *stream,
                                 uint64_t time_ns, double value)
{
    const struct history_minute *at = slot(state_history(p, stream->detail),
                                           minute_beginning_at(time_ns));

    return same(at->last, value) ? REASON_DUPLICATE : REASON_OUT_OF_ORDER;
}

static void take(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    uint64_t time_ns = arrival->point->time_ns;
    uint32_t cell = state_stream(p, index)->cell;
    uint64_t number = minute_beginning_at(time_ns);
    uint32_t minute = minutes_open(p, cell, number);

    state_stream(p, index)->ended_ns = 0;
    value_say(p, index, time_ns, otlp_number(arrival->point));
    if (minute != POOL_NONE)
        minutes_touch(p, cell, minute);
    minutes_book(p, cell, number, arrival->metric);
}

void value_observe(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    const struct stream *stream = state_stream(p, index);
    uint64_t time_ns = arrival->point->time_ns;

    if (arrival->point->flags & OTLP_NO_RECORDED_VALUE) {
        state_stream(p, index)->ended_ns = time_ns;
        books_count(p, REASON_STALE_MARKER, 1, arrival->metric);
    } else if (is_beyond_history(p, stream, time_ns)) {
        books_count(p, REASON_LATE, 1, arrival->metric);
    } else if (repeats(p, stream, time_ns)) {
        books_count(p, repeat_reason(p, stream, time_ns, otlp_number(arrival->point)), 1,
                    arrival->metric);
    } else {
        take(p, index, arrival);
    }
}

/* The last thing said before the minute; NULL when that is out of memory. */
static const struct history_minute *said_before(const struct history *history,
                                                uint64_t minute)
{
    for (uint64_t back = 1; back < HISTORY_MINUTES && back <= minute; back++) {
        const struct history_minute *at =
            &history->minute[(minute - back) % HISTORY_MINUTES];

        if (holds(at, minute - back))
            return at;
    }
    return NULL;
}

/* Another start of the identity took over: it is later and had a point before the minute's end. */
static bool was_followed(const struct pipeline *p, const struct stream *stream,
                         uint64_t last_ns, uint64_t end_ns)
{
    uint32_t at = table_find(&p->stream_table, stream->identity);

    for (; at != TABLE_NONE; at = state_stream(p, at)->next_start) {
        const struct stream *other = state_stream(p, at);

        if (other != stream && other->start_ns > last_ns && other->first_ns < end_ns)
            return true;
    }
    return false;
}

bool value_read(const struct pipeline *p, const struct stream *stream, uint64_t minute,
                struct value_reading *reading)
{
    if (stream->detail == POOL_NONE)
        return false;

    const struct history *history = state_history(p, stream->detail);
    const struct history_minute *at = &history->minute[minute % HISTORY_MINUTES];
    uint64_t end_ns = minute_end_ns(minute);
    bool has_point = holds(at, minute);

    if (!has_point)
        at = said_before(history, minute);
    if (!at)
        return false;
    reading->value = at->last;
    reading->has_point = has_point;
    reading->is_alive = stream_is_alive(stream, at->last_ns, end_ns);
    return has_point ||
           (reading->is_alive && !was_followed(p, stream, at->last_ns, end_ns));
}

static double between(uint64_t from_ns, double from, const struct history_minute *to,
                      uint64_t time_ns)
{
    double share = (double)(time_ns - from_ns) / (double)(to->first_ns - from_ns);

    return from + (to->first - from) * share;
}

/* The first thing said in the minute or after it. */
static const struct history_minute *said_since(const struct history *history,
                                               uint64_t minute)
{
    for (uint64_t ahead = 0; ahead < HISTORY_MINUTES / 2; ahead++) {
        const struct history_minute *at =
            &history->minute[(minute + ahead) % HISTORY_MINUTES];

        if (holds(at, minute + ahead))
            return at;
    }
    return NULL;
}

bool value_read_at_start(const struct pipeline *p, const struct stream *stream,
                         uint64_t minute, double *value)
{
    struct value_reading reading;

    if (!value_read(p, stream, minute, &reading))
        return false;

    const struct history *history = state_history(p, stream->detail);
    const struct history_minute *before = said_before(history, minute);
    const struct history_minute *since = said_since(history, minute);
    uint64_t start_ns = minute_start_ns(minute);

    if (before && !stream_is_alive(stream, before->last_ns, start_ns))
        before = NULL;
    if (!before && !since)
        return false;
    if (!before)
        *value = since->first;
    else if (!since)
        *value = before->last;
    else
        *value = between(before->last_ns, before->last, since, start_ns);
    return true;
}
