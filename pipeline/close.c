#include "pipeline/close.h"

#include "pipeline/books.h"
#include "pipeline/cell.h"
#include "pipeline/minutes.h"
#include "pipeline/render.h"
#include "pipeline/stream.h"
#include "pipeline/total.h"

/* ---- complete? --------------------------------------------------------------------------- */

/* A stream that fed the minute before, or will (a slow sender), and has not reached the end. */
static bool lags(const struct pipeline *p, const struct stream *stream, uint64_t minute)
{
    uint64_t start_ns = minute_start_ns(minute), end_ns = minute_end_ns(minute);

    if (stream->ended_ns || stream->first_ns > start_ns ||
        total_known_until_ns(p, stream) >= end_ns)
        return false;
    return stream->last_ns > start_ns - NS_PER_MIN ||
           stream_is_alive(stream, stream->last_ns, end_ns);
}

static bool is_complete(const struct pipeline *p, const struct cell *cell,
                        uint64_t minute)
{
    uint32_t at = cell->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *stream = state_stream(p, at);

        if (stream->shape != SHAPE_VALUE && lags(p, stream, minute))
            return false;
    }
    return true;
}

/* 1.25 x the longest interval of the streams alive at the end: at most 75 s if one of them is at
 * 60 s or faster, else 10 min; none when none is alive. */
static uint64_t hold_ns(const struct pipeline *p, const struct cell *cell,
                        uint64_t minute)
{
    const uint64_t fast_cap_ns = 75 * NS_PER_S, slow_cap_ns = 10 * NS_PER_MIN;
    uint64_t longest_ns = 0, cap_ns = slow_cap_ns, end_ns = minute_end_ns(minute);
    uint32_t at = cell->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *stream = state_stream(p, at);

        if (stream->shape == SHAPE_VALUE || stream->first_ns > end_ns ||
            !stream_is_alive(stream, stream->last_ns, end_ns))
            continue;

        uint64_t patience_ns = cadence_patience_ns(&stream->cadence);

        if (patience_ns > longest_ns)
            longest_ns = patience_ns;
        if (patience_ns <= fast_cap_ns)
            cap_ns = fast_cap_ns;
    }
    return longest_ns < cap_ns ? longest_ns : cap_ns;
}

/* When the minute may close; `now` or before: now. */
static uint64_t closes_at_ns(const struct pipeline *p, const struct cell *cell,
                             const struct minute *minute)
{
    if (p->now_ns < minute->due_ns || !cell_is_total(cell) ||
        is_complete(p, cell, minute->number))
        return minute->due_ns;

    uint64_t latest_ns = minute_end_ns(minute->number) + p->options.grace_ns +
                         hold_ns(p, cell, minute->number);

    if (latest_ns <= p->now_ns)
        return minute->due_ns;
    return latest_ns < p->now_ns + NS_PER_S ? latest_ns : p->now_ns + NS_PER_S;
}

/* ---- posted? ----------------------------------------------------------------------------- */

static bool posted_before(const struct pipeline *p, const struct cell *cell,
                          uint64_t minute)
{
    uint32_t before = minutes_find(p, cell, minute - 1);

    if (before != POOL_NONE)
        return state_minute(p, before)->posted;
    return cell->posted_minute == minute - 1;
}

/* Was one stream watched from the minute's start to its end? */
static bool was_watched(const struct pipeline *p, const struct cell *cell,
                        uint64_t minute)
{
    uint32_t at = cell->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *stream = state_stream(p, at);

        if (stream->shape != SHAPE_VALUE &&
            stream->covered_ns <= minute_start_ns(minute) &&
            total_known_until_ns(p, stream) >= minute_end_ns(minute))
            return true;
    }
    return false;
}

/* Silent delta streams are covered with zero while their source reports. */
static bool is_covered_by_source(const struct pipeline *p, const struct cell *cell,
                                 uint64_t minute)
{
    uint32_t at = cell->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *stream = state_stream(p, at);

        if (stream->shape == SHAPE_DELTA && stream->covered_ns != UINT64_MAX &&
            total_known_until_ns(p, stream) > minute_start_ns(minute))
            return true;
    }
    return false;
}

/*
 * Percentages need all states of one source: no state may begin in the minute or lag behind the
 * others. A device whose counters never counted is none (mackerel-agent leaves it out).
 */
static bool native_totals_hold(const struct pipeline *p, const struct cell *cell,
                               const struct minute *minute)
{
    uint64_t earliest_ns = UINT64_MAX, latest_ns = 0;
    uint32_t at = cell->first_stream;
    bool counts = false;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *stream = state_stream(p, at);

        if (stream->shape == SHAPE_VALUE ||
            !stream_feeds_native(p, stream, minute->number) || stream->ended_ns ||
            stream->last_ns < minute_start_ns(minute->number))
            continue;

        uint64_t known_ns = total_known_until_ns(p, stream);

        earliest_ns = known_ns < earliest_ns ? known_ns : earliest_ns;
        latest_ns = known_ns > latest_ns ? known_ns : latest_ns;
        counts |= stream->shape == SHAPE_DELTA || stream->last.as_int != 0;
    }
    if (cell->group == NATIVE_CPU)
        return !minute->unknown_beginning &&
               (earliest_ns >= minute_end_ns(minute->number) || earliest_ns == latest_ns);
    return counts || cell->group != NATIVE_DISK;
}

static bool total_is_posted(const struct pipeline *p, const struct cell *cell,
                            const struct minute *minute)
{
    if (!minute->fed && !is_covered_by_source(p, cell, minute->number))
        return false;
    if (cell->kind == CELL_TOTALS && !native_totals_hold(p, cell, minute))
        return false;
    return posted_before(p, cell, minute->number) ||
           was_watched(p, cell, minute->number) || !minute->unknown_beginning;
}

/* ---- closing ----------------------------------------------------------------------------- */

static void post(struct pipeline *p, uint32_t cell_index, uint32_t index)
{
    struct cell *cell = state_cell(p, cell_index);
    struct minute *minute = state_minute(p, index);
    bool is_posted = (!cell_is_total(cell) || total_is_posted(p, cell, minute)) &&
                     render_minute(p, cell_index, minute);

    minute->posted_ns = p->now_ns;
    if (minute->first_posted_ns == 0)
        minute->first_posted_ns = p->now_ns;
    minute->changed = false;
    if (is_posted) {
        minute->posted = true;
        books_merge(p, minute->pending);
        if (minute->number > cell->posted_minute)
            cell->posted_minute = minute->number;
    } else {
        books_abandon(p, REASON_PARTIAL, minute->pending, cell_name(cell));
    }
    minute->pending = 0;
}

static uint32_t oldest_open(const struct pipeline *p, const struct cell *cell)
{
    uint32_t oldest = POOL_NONE;

    for (uint32_t at = cell->newest_minute; at != POOL_NONE;
         at = state_minute(p, at)->older)
        if (state_minute(p, at)->posted_ns == 0)
            oldest = at;
    return oldest;
}

/* Posted minutes that late points changed: again, at most once a minute. */
static void correct(struct pipeline *p, uint32_t cell)
{
    uint32_t at = state_cell(p, cell)->newest_minute;

    for (; at != POOL_NONE; at = state_minute(p, at)->older) {
        struct minute *minute = state_minute(p, at);

        if (!minute->changed || minute->posted_ns == 0)
            continue;
        if (!minute->posted)
            minute->changed = false;
        else if (p->now_ns >= minute->posted_ns + NS_PER_MIN)
            post(p, cell, at);
        else
            due_not_after(&p->due, cell, minute->posted_ns + NS_PER_MIN);
    }
}

/* Will the cell have something to say about the minute, even if nothing arrives in it? */
static bool goes_on(const struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    uint32_t at = cell->first_stream;

    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell) {
        const struct stream *stream = state_stream(p, at);

        if (stream->shape == SHAPE_VALUE &&
            stream_is_alive(stream, stream->last_ns, minute_end_ns(minute)))
            return true;
        if (stream->shape == SHAPE_DELTA && !stream->ended_ns) {
            const struct source *source = state_source(
                p, state_family(p, stream->family)->source);

            if (cadence_is_alive(&source->cadence, source->last_ns,
                                 minute_start_ns(minute)))
                return true;
        }
    }
    return false;
}

static void look_ahead(struct pipeline *p, uint32_t cell_index, uint64_t closed)
{
    const struct cell *cell = state_cell(p, cell_index);

    if (goes_on(p, cell, closed + 1))
        minutes_open(p, cell_index, closed + 1);
}

static bool close_next(struct pipeline *p, uint32_t cell_index, bool is_final)
{
    const struct cell *cell = state_cell(p, cell_index);
    uint32_t at = oldest_open(p, cell);

    if (at == POOL_NONE)
        return false;

    uint64_t number = state_minute(p, at)->number;
    uint64_t when_ns = closes_at_ns(p, cell, state_minute(p, at));
    bool is_over = minute_end_ns(number) <= p->now_ns;

    if (is_final ? !is_over : when_ns > p->now_ns) {
        due_not_after(&p->due, cell_index, when_ns);
        return false;
    }
    post(p, cell_index, at);
    look_ahead(p, cell_index, number);
    return true;
}

void close_cell(struct pipeline *p, uint32_t cell, bool is_final)
{
    while (close_next(p, cell, is_final))
        ;
    correct(p, cell);
    minutes_prune(p, state_cell(p, cell), p->now_ns);
    if (state_cell(p, cell)->newest_minute != POOL_NONE)
        due_not_after(&p->due, cell, p->now_ns + p->options.lateness_ns + NS_PER_S);
    cell_drop_if_unused(p, cell);
}
