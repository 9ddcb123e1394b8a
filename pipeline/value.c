#include "pipeline/value.h"

#include "pipeline/books.h"
#include "pipeline/history.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"
#include "pipeline/reach.h"
#include "pipeline/stream.h"

#include <math.h>

enum {
    CARRIED_MINUTES = 7 /* at most: a stream is alive for 6.25 min */
};

bool value_say(struct pipeline *p, uint32_t index, uint64_t time_ns, double value)
{
    if (!history_say(p, index, time_ns, value))
        return false;
    stream_advance(state_stream(p, index), time_ns);
    return true;
}

static bool same(double a, double b)
{
    return !(a < b) && !(a > b);
}

static void touch_if_open(struct pipeline *p, uint32_t cell, uint64_t number)
{
    uint32_t minute = minutes_open(p, cell, number);

    if (minute != POOL_NONE)
        minutes_touch(p, cell, minute);
}

/*
 * Minutes that were due before the point came and to which its value, or the one before it, is
 * carried. Where values are read at a minute's start, the one with the next point changes with it.
 */
static void touch_carried(struct pipeline *p, uint32_t index, uint32_t cell,
                          uint64_t number)
{
    const struct stream *stream = state_stream(p, index);
    bool reads_starts = state_cell(p, cell)->kind == CELL_INSTANTS;
    uint64_t last = number + CARRIED_MINUTES;

    while (++number <= last) {
        struct value_reading reading = {0};
        bool is_carried = value_read(p, stream, number, &reading) && !reading.has_point;

        if (minute_end_ns(number) + p->options.grace_ns > p->now_ns) {
            if (is_carried)
                minutes_open(p, cell, number);
            return;
        }
        if (is_carried || (reading.has_point && reads_starts) ||
            minutes_find(p, state_cell(p, cell), number) != POOL_NONE)
            touch_if_open(p, cell, number);
        if (reading.has_point)
            return;
    }
}

/* Closing a minute looks one ahead. Does it do so for this one, and is it the newest? */
static bool is_looked_after(const struct pipeline *p, uint32_t cell, uint32_t minute)
{
    return minute != POOL_NONE && state_minute(p, minute)->posted_ns == 0 &&
           state_cell(p, cell)->newest_minute == minute;
}

/* The point shows how slow the sender is: the minute before, not due yet, may carry a value. */
static void open_before(struct pipeline *p, uint32_t index, uint64_t number)
{
    const struct stream *stream = state_stream(p, index);
    uint32_t cell = members_cell(p, stream, number - 1);
    struct value_reading reading;

    if (cell != POOL_NONE &&
        minute_end_ns(number - 1) + p->options.grace_ns > p->now_ns &&
        value_read(p, stream, number - 1, &reading))
        minutes_open(p, cell, number - 1);
}

static void take(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    uint64_t time_ns = arrival->point->time_ns;
    uint64_t number = minute_beginning_at(time_ns);
    uint32_t cell = members_cell(p, state_stream(p, index), number);
    uint32_t minute = cell == POOL_NONE ? POOL_NONE : minutes_open(p, cell, number);
    uint64_t last_ns = arrival->is_first ? 0 : state_stream(p, index)->last_ns;
    bool is_newest = time_ns > last_ns;

    bool had_ended = state_stream(p, index)->ended_ns != 0;

    state_stream(p, index)->ended_ns = 0;
    if (cell == POOL_NONE) {
        stream_advance(state_stream(p, index), time_ns);
        stream_book(p, index, number, arrival->metric);
        return;
    }
    if ((minute == POOL_NONE && !is_newest) ||
        !value_say(p, index, time_ns, otlp_number(arrival->point))) {
        books_count(p, REASON_LATE, 1, arrival->metric);
        return;
    }
    bool is_carried_on = !is_looked_after(p, cell, minute) &&
                         history_find(p, state_stream(p, index), number)->last_ns ==
                             time_ns;

    if (minute != POOL_NONE)
        minutes_touch(p, cell, minute);
    minutes_book(p, cell, number, arrival->metric);
    if (is_carried_on)
        touch_carried(p, index, cell, number);
    if (last_ns && is_newest && !had_ended && last_ns < minute_start_ns(number - 1))
        open_before(p, index, number);
}

void value_observe(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    uint64_t time_ns = arrival->point->time_ns;
    const struct history_minute *said = history_find(p, state_stream(p, index),
                                                     minute_beginning_at(time_ns));

    if (arrival->point->flags & OTLP_NO_RECORDED_VALUE) {
        state_stream(p, index)->ended_ns = time_ns;
        books_count(p, REASON_STALE_MARKER, 1, arrival->metric);
    } else if (said && said->last_ns == time_ns) {
        books_count(p,
                    same(said->last, otlp_number(arrival->point)) ? REASON_DUPLICATE
                                                                  : REASON_OUT_OF_ORDER,
                    1, arrival->metric);
    } else {
        take(p, index, arrival);
    }
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
    const struct history_minute *at = history_find(p, stream, minute);
    uint64_t end_ns = minute_end_ns(minute);
    bool has_point = at != NULL;

    if (!at)
        at = history_before(p, stream, minute);
    if (!at)
        return false;
    reading->value = at->last;
    reading->time_ns = at->last_ns;
    reading->has_point = has_point;
    reading->is_alive = reach_is_alive(stream, at->last_ns, end_ns);
    return has_point ||
           (reading->is_alive && !was_followed(p, stream, at->last_ns, end_ns));
}

double value_over_time(const struct pipeline *p, const struct stream *stream,
                       uint64_t minute, enum over_time how)
{
    const struct points_minute *all = history_points_find(p, stream, minute);
    const struct history_minute *at = history_find(p, stream, minute);

    if (!all || all->count == 0)
        return at ? at->last : (double)NAN;
    switch (how) {
    case OVER_TIME_LAST: break;
    case OVER_TIME_AVERAGE: return all->sum / (double)all->count;
    case OVER_TIME_MIN: return all->min;
    case OVER_TIME_MAX: return all->max;
    }
    return at ? at->last : (double)NAN;
}

static double between(const struct history_minute *from, const struct history_point *to,
                      uint64_t time_ns)
{
    double share = (double)(time_ns - from->last_ns) /
                   (double)(to->time_ns - from->last_ns);

    return from->last + (to->value - from->last) * share;
}

bool value_read_at_start(const struct pipeline *p, const struct stream *stream,
                         uint64_t minute, double *value)
{
    struct value_reading reading;

    if (!value_read(p, stream, minute, &reading))
        return false;

    const struct history_minute *before = history_before(p, stream, minute);
    struct history_point since;
    bool has_since = history_since(p, stream, minute, &since);
    uint64_t start_ns = minute_start_ns(minute);

    if (before && !reach_is_alive(stream, before->last_ns, start_ns))
        before = NULL;
    if (!before && !has_since)
        return false;
    if (!before)
        *value = since.value;
    else if (!has_since)
        *value = before->last;
    else
        *value = between(before, &since, start_ns);
    return true;
}
