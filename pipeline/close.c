#include "pipeline/close.h"

#include "base/memory.h"
#include "pipeline/books.h"
#include "pipeline/cell.h"
#include "pipeline/container_minute.h"
#include "pipeline/history.h"
#include "pipeline/hold.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"
#include "pipeline/names.h"
#include "pipeline/native_read.h"
#include "pipeline/reach.h"
#include "pipeline/render.h"
#include "pipeline/stream.h"
#include "pipeline/value.h"

/* ---- complete? --------------------------------------------------------------------------- */

/* When the minute may close; `now` or before: now. */
static uint64_t closes_at_ns(const struct pipeline *p, const struct cell *cell,
                             const struct minute *minute)
{
    if (p->now_ns < minute->due_ns || !cell_is_total(cell) ||
        hold_is_over(p, cell, minute->number))
        return minute->due_ns;

    uint64_t latest_ns = minute_end_ns(minute->number) + p->options.grace_ns +
                         hold_minute_ns(p, cell, minute->number);

    if (latest_ns <= p->now_ns)
        return minute->due_ns;
    return latest_ns < p->now_ns + NS_PER_S ? latest_ns : p->now_ns + NS_PER_S;
}

/* ---- posted? ----------------------------------------------------------------------------- */

/* Has the source reported without a break since a time before `time_ns`? */
static bool source_reports(const struct pipeline *p, const struct stream *stream,
                           uint64_t time_ns)
{
    return stream->shape == SHAPE_DELTA && reach_is_covered(p, stream, time_ns);
}

/* Was the stream known from the minute's start to its end, by its own points or by its source? */
static bool is_watched(const struct pipeline *p, const struct stream *stream,
                       uint64_t minute)
{
    uint64_t start_ns = minute_start_ns(minute), end_ns = minute_end_ns(minute);

    if (stream->shape == SHAPE_VALUE || stream->covered_ns > start_ns)
        return false;
    return reach_known_ns(p, stream) >= end_ns ||
           (source_reports(p, stream, start_ns) &&
            reach_reported_ns(p, stream) >= end_ns);
}

/* Was one stream watched from the minute's start to its end? */
static bool was_watched(const struct pipeline *p, const struct cell *cell,
                        uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL)
        if (is_watched(p, stream, minute))
            return true;
    return false;
}

/* Silent delta streams are covered with zero while their source reports. */
static bool is_covered_by_source(const struct pipeline *p, const struct cell *cell,
                                 uint64_t minute)
{
    uint64_t end_ns = minute_end_ns(minute);
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL)
        if (stream->covered_ns < end_ns && source_reports(p, stream, end_ns - 1) &&
            reach_reported_ns(p, stream) > minute_start_ns(minute))
            return true;
    return false;
}

/* Does the cell post 0 for a minute about which its streams, which are known, say nothing? */
static bool fills_with_zero(const struct pipeline *p, const struct cell *cell,
                            uint64_t minute)
{
    struct members walk = members_of(cell, minute);

    return cell->plan != POOL_NONE && state_plan(p, cell->plan)->zero_fill &&
           members_next(p, &walk) != NULL;
}

static bool total_is_posted(const struct pipeline *p, const struct cell *cell,
                            const struct minute *minute)
{
    if (!minute->fed && !is_covered_by_source(p, cell, minute->number) &&
        !container_minute_has_values_only(p, cell, minute->number))
        return !minute->unknown_beginning && fills_with_zero(p, cell, minute->number);
    if (cell->kind == CELL_TOTALS && !native_read_holds(p, cell, minute))
        return false;
    return minutes_was_posted(p, cell, minute->number - 1) ||
           was_watched(p, cell, minute->number) || !minute->unknown_beginning;
}

/* ---- closing ----------------------------------------------------------------------------- */

/* A minute that was not posted because the one before had not been: that one is now. */
static void ask_again(struct pipeline *p, uint32_t cell, uint64_t number)
{
    uint32_t at = minutes_find(p, state_cell(p, cell), number);

    if (at != POOL_NONE && state_minute(p, at)->posted_ns && !state_minute(p, at)->posted)
        minutes_touch(p, cell, at);
}

static void post(struct pipeline *p, uint32_t cell_index, uint32_t index)
{
    struct cell *cell = state_cell(p, cell_index);
    struct minute *minute = state_minute(p, index);
    bool is_posted = !names_yields(p, cell_index, minute->number) &&
                     (!cell_is_total(cell) || total_is_posted(p, cell, minute)) &&
                     render_minute(p, cell_index, minute);

    minute->posted_ns = p->now_ns;
    if (minute->first_posted_ns == 0)
        minute->first_posted_ns = p->now_ns;
    minute->changed = false;
    if (is_posted) {
        if (!minute->posted)
            ask_again(p, cell_index, minute->number + 1);
        minute->posted = true;
        books_merge(p, minute->pending);
    } else {
        books_abandon(p, REASON_PARTIAL, minute->pending, cell_name(cell));
    }
    minute->pending = 0;
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

/* Will the stream have something to say about the minute, even if nothing arrives in it? */
static bool stream_goes_on(const struct pipeline *p, const struct stream *stream,
                           uint64_t minute)
{
    struct value_reading reading;

    if (stream->shape == SHAPE_VALUE)
        return value_read(p, stream, minute, &reading);
    if (stream->shape != SHAPE_DELTA || stream->ended_ns ||
        stream->covered_ns >= minute_end_ns(minute) ||
        !source_reports(p, stream, minute_end_ns(minute) - 1))
        return false;

    const struct source *source = state_source(p,
                                               state_family(p, stream->family)->source);

    return cadence_is_alive(&source->cadence, source->last_ns, minute_start_ns(minute));
}

static bool goes_on(const struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    if (fills_with_zero(p, cell, minute))
        return true;
    while ((stream = members_next(p, &walk)) != NULL)
        if (stream_goes_on(p, stream, minute))
            return true;
    return false;
}

static void look_ahead(struct pipeline *p, uint32_t cell_index, uint64_t closed)
{
    if (goes_on(p, state_cell(p, cell_index), closed + 1))
        minutes_open(p, cell_index, closed + 1);
}

/* What a round of closing may close beside what is due. */
struct closing {
    uint64_t until;     /* minutes up to here, due or not */
    bool waits_for_one; /* a minute is held: the fresh ones after it wait */
};

/* Late minutes close for themselves; fresh ones in their order. */
static bool may_close(struct pipeline *p, uint32_t cell, const struct minute *minute,
                      struct closing *closing)
{
    uint64_t when_ns = closes_at_ns(p, state_cell(p, cell), minute);

    if (minute->number <= closing->until)
        return true;
    if (!minute->late && closing->waits_for_one)
        return false;
    if (when_ns <= p->now_ns)
        return true;
    due_not_after(&p->due, cell, when_ns);
    closing->waits_for_one |= !minute->late;
    return false;
}

/* The cell's open minutes, newest first, in the scratch list. */
static size_t list_open(struct pipeline *p, uint32_t cell)
{
    size_t count = 0;

    for (uint32_t at = state_cell(p, cell)->newest_minute; at != POOL_NONE;
         at = state_minute(p, at)->older) {
        if (state_minute(p, at)->posted_ns)
            continue;
        p->open = memory_grow(p->open, count + 1, &p->open_room, sizeof(*p->open));
        p->open[count++] = at;
    }
    return count;
}

/* Oldest first. False when nothing was closed. */
static bool close_round(struct pipeline *p, uint32_t cell, uint64_t until)
{
    struct closing closing = {.until = until};
    size_t count = list_open(p, cell);
    bool any = false;

    while (count--) {
        uint32_t at = p->open[count];

        if (!may_close(p, cell, state_minute(p, at), &closing))
            continue;

        uint64_t number = state_minute(p, at)->number;

        post(p, cell, at);
        look_ahead(p, cell, number);
        any = true;
    }
    return any;
}

/* What a moved stream's former cells may still ask for stays as well. */
static uint64_t oldest_of_moves(const struct pipeline *p, const struct stream *stream,
                                uint64_t oldest)
{
    for (uint32_t at = stream->move; at != POOL_NONE; at = state_move(p, at)->older) {
        uint32_t minute = state_move(p, at)->cell == POOL_NONE
                              ? POOL_NONE
                              : state_cell(p, state_move(p, at)->cell)->newest_minute;

        for (; minute != POOL_NONE; minute = state_minute(p, minute)->older)
            if (state_minute(p, minute)->number < oldest)
                oldest = state_minute(p, minute)->number;
    }
    return oldest;
}

static void trim_histories(struct pipeline *p, uint32_t cell, uint64_t oldest)
{
    uint64_t now = minute_beginning_at(p->now_ns);
    uint32_t at = state_cell(p, cell)->first_stream;

    oldest = oldest < now ? oldest : now;
    for (; at != POOL_NONE; at = state_stream(p, at)->next_in_cell)
        if (state_stream(p, at)->shape == SHAPE_VALUE)
            history_trim(p, at, oldest_of_moves(p, state_stream(p, at), oldest));
}

/* When there is something to look at again, should nothing arrive. */
static void look_later(struct pipeline *p, uint32_t cell_index)
{
    const struct cell *cell = state_cell(p, cell_index);

    if (cell->newest_minute != POOL_NONE)
        due_not_after(&p->due, cell_index, p->now_ns + p->options.lateness_ns + NS_PER_S);
    else if (cell->newest_run != POOL_NONE)
        due_not_after(
            &p->due, cell_index,
            minute_end_ns(state_run(p, cell->newest_run)->last + MINUTES_KEPT + 2));
}

static void tidy(struct pipeline *p, uint32_t cell, uint64_t give_way)
{
    trim_histories(p, cell, minutes_prune(p, cell, give_way));
    look_later(p, cell);
    cell_drop_if_unused(p, cell);
}

void close_cell(struct pipeline *p, uint32_t cell, bool is_final)
{
    uint64_t over = minute_beginning_at(p->now_ns);

    while (close_round(p, cell, is_final ? over - 1 : 0))
        ;
    correct(p, cell);
    tidy(p, cell, 0);
}

void close_make_room(struct pipeline *p)
{
    uint64_t give_way = minutes_give_way(p);

    for (uint32_t cell = 0; give_way && cell < p->cells.used; cell++) {
        if (!state_cell(p, cell)->name)
            continue;
        close_round(p, cell, give_way);
        tidy(p, cell, give_way);
    }
}
