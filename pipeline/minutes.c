#include "pipeline/minutes.h"

#include "base/memory.h"
#include "pipeline/books.h"
#include "pipeline/details.h"
#include "pipeline/hold.h"
#include "pipeline/layout.h"
#include "pipeline/members.h"
#include "pipeline/reach.h"
#include "pipeline/runs.h"

#include <stdlib.h>

uint32_t minutes_find(const struct pipeline *p, const struct cell *cell, uint64_t number)
{
    uint32_t at = cell->newest_minute;

    while (at != POOL_NONE && state_minute(p, at)->number > number)
        at = state_minute(p, at)->older;
    return at != POOL_NONE && state_minute(p, at)->number == number ? at : POOL_NONE;
}

bool minutes_was_posted(const struct pipeline *p, const struct cell *cell,
                        uint64_t number)
{
    uint32_t at = minutes_find(p, cell, number);

    return at == POOL_NONE ? runs_have(p, cell, number) : state_minute(p, at)->posted;
}

/* ---- final? ------------------------------------------------------------------------------ */

static bool is_too_old(const struct pipeline *p, uint64_t number)
{
    return minute_end_ns(number) + MINUTES_KEPT * NS_PER_MIN < p->now_ns;
}

/* The time that all streams of the cell have reached that have not ended; one that is about to say
 * its first thing opens nothing again. */
static uint64_t reached_ns(const struct pipeline *p, const struct cell *cell)
{
    uint64_t reached = UINT64_MAX;
    struct members walk = members_of_all(cell);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        uint64_t passed_ns = reach_passed_ns(p, stream);

        if (!stream->ended_ns && passed_ns && passed_ns < reached)
            reached = passed_ns;
    }
    return reached;
}

/* May the minute, which is closed, still change? `reached` is that of its cell. */
static bool is_kept(const struct pipeline *p, const struct minute *minute,
                    uint64_t reached)
{
    if (is_too_old(p, minute->number))
        return false;
    if (!minute->posted)
        return minute->fed || minute->unknown_beginning || minute->quantiles != POOL_NONE;
    return minute->changed || minute->late || minute_end_ns(minute->number) > reached ||
           p->now_ns <= minute->first_posted_ns + p->options.lateness_ns;
}

/* Looks at the streams only where nothing else keeps the minute. */
static bool is_open(const struct pipeline *p, const struct cell *cell,
                    const struct minute *minute)
{
    if (minute->posted_ns == 0)
        return true;
    if (!minute->posted)
        return !is_too_old(p, minute->number);
    return is_kept(p, minute, UINT64_MAX) || is_kept(p, minute, reached_ns(p, cell));
}

/* ---- opening ----------------------------------------------------------------------------- */

void minutes_touch(struct pipeline *p, uint32_t cell, uint32_t index)
{
    struct minute *minute = state_minute(p, index);

    if (minute->posted) {
        minute->changed = true;
        due_not_after(&p->due, cell, minute->posted_ns + NS_PER_MIN);
        return;
    }
    if (minute->posted_ns) {
        minute->posted_ns = minute->first_posted_ns = 0;
        minute->late = true;
    }
    if (minute->late) {
        minute->due_ns = p->now_ns + p->options.grace_ns;
        due_not_after(&p->due, cell, minute->due_ns);
    }
}

/* Was the minute to close already? A slow sender's may wait for it. */
static bool is_overdue(const struct pipeline *p, const struct cell *cell, uint64_t number)
{
    uint64_t due_ns = minute_end_ns(number) + p->options.grace_ns;

    return due_ns <= p->now_ns && (hold_is_over(p, cell, number) ||
                                   due_ns + hold_minute_ns(p, cell, number) <= p->now_ns);
}

static uint32_t insert(struct pipeline *p, uint32_t cell_index, uint32_t newer,
                       uint64_t number)
{
    uint64_t due_ns = minute_end_ns(number) + p->options.grace_ns;
    bool is_late = is_overdue(p, state_cell(p, cell_index), number);

    if (is_late && !minutes_have_room(p, 1))
        return POOL_NONE;

    uint32_t index = pool_take(&p->minutes);
    struct cell *cell = state_cell(p, cell_index);
    struct minute *minute = state_minute(p, index);
    uint32_t *link = newer == POOL_NONE ? &cell->newest_minute
                                        : &state_minute(p, newer)->older;

    minute->number = number;
    minute->layout = minute->exponential = minute->quantiles = POOL_NONE;
    minute->older = *link;
    minute->late = is_late;
    minute->due_ns = is_late ? p->now_ns + p->options.grace_ns : due_ns;
    *link = index;
    due_not_after(&p->due, cell_index, minute->due_ns);
    return index;
}

uint32_t minutes_open(struct pipeline *p, uint32_t cell_index, uint64_t number)
{
    struct cell *cell = state_cell(p, cell_index);
    uint32_t newer = POOL_NONE, at = cell->newest_minute;

    while (at != POOL_NONE && state_minute(p, at)->number > number) {
        newer = at;
        at = state_minute(p, at)->older;
    }
    if (at != POOL_NONE && state_minute(p, at)->number == number)
        return is_open(p, cell, state_minute(p, at)) ? at : POOL_NONE;
    if (is_too_old(p, number) || runs_have(p, cell, number))
        return POOL_NONE;
    return insert(p, cell_index, newer, number);
}

static double *widen(double *numbers, uint32_t *room, uint32_t count)
{
    if (count <= *room)
        return numbers;
    numbers = memory_resize(numbers, count, sizeof(double));
    for (uint32_t i = *room; i < count; i++)
        numbers[i] = 0;
    *room = count;
    return numbers;
}

void minutes_widen(struct minute *minute, uint32_t count)
{
    minute->component = widen(minute->component, &minute->room, count);
}

void minutes_widen_parts(struct minute *minute, uint32_t count)
{
    minute->part = widen(minute->part, &minute->part_count, count);
}

void minutes_book(struct pipeline *p, uint32_t cell, uint64_t number, struct slice metric)
{
    uint32_t at = minutes_open(p, cell, number);

    if (at == POOL_NONE) {
        books_count(p, REASON_LATE, 1, metric);
        return;
    }

    struct minute *minute = state_minute(p, at);

    if (minute->posted) {
        p->ledger.merged++;
        return;
    }
    minute->pending++;
    p->ledger.pending++;
    minutes_touch(p, cell, at);
}

/* ---- forgetting -------------------------------------------------------------------------- */

static void forget(struct pipeline *p, struct cell *cell, uint32_t index)
{
    struct minute *minute = state_minute(p, index);

    if (minute->posted)
        runs_add(p, cell, minute->number);
    layout_give(p, minute->layout);
    details_drop_exponential(p, minute->exponential);
    details_drop_quantiles(p, minute->quantiles);
    free(minute->component);
    free(minute->part);
    minute->component = minute->part = NULL;
    pool_give(&p->minutes, index);
}

uint64_t minutes_prune(struct pipeline *p, uint32_t cell_index, uint64_t give_way)
{
    struct cell *cell = state_cell(p, cell_index);
    uint32_t *link = &cell->newest_minute;
    uint64_t reached = reached_ns(p, cell), oldest = UINT64_MAX;

    while (*link != POOL_NONE) {
        uint32_t at = *link;
        const struct minute *minute = state_minute(p, at);
        bool gives_way = minute->number <= give_way;

        if (minute->posted_ns == 0 || (!gives_way && is_kept(p, minute, reached))) {
            oldest = minute->number;
            link = &state_minute(p, at)->older;
            continue;
        }
        *link = minute->older;
        forget(p, cell, at);
    }
    if (p->now_ns > MINUTES_KEPT * NS_PER_MIN)
        runs_trim(p, cell,
                  minute_beginning_at(p->now_ns - MINUTES_KEPT * NS_PER_MIN) - 1);
    return oldest;
}

/* ---- the budget -------------------------------------------------------------------------- */

enum {
    /* The newest minutes never give way. */
    LIVE_MINUTES = 15,
    PLACES = MINUTES_KEPT + 8
};

/* What live data needs does not count: a few minutes a cell, two blocks of history a stream. */
static uint64_t budget(const struct pipeline *p)
{
    const uint64_t minutes_a_cell = 10, blocks_a_stream = 3;

    return p->options.max_late_minutes + minutes_a_cell * p->cells.count +
           blocks_a_stream * p->streams.count;
}

bool minutes_have_room(const struct pipeline *p, uint64_t more)
{
    return (uint64_t)p->minutes.count + p->histories.count + more <= budget(p);
}

/* Numbers of minutes within reach are counted one by one; the rest as the oldest. */
static void count_minutes(const struct pipeline *p, uint64_t first,
                          uint32_t counts[static PLACES])
{
    for (uint32_t cell = 0; cell < p->cells.used; cell++) {
        if (!state_cell(p, cell)->name)
            continue;
        for (uint32_t at = state_cell(p, cell)->newest_minute; at != POOL_NONE;
             at = state_minute(p, at)->older) {
            uint64_t number = state_minute(p, at)->number;
            uint64_t place = number > first ? number - first : 0;

            counts[place < PLACES ? place : PLACES - 1]++;
        }
    }
}

uint64_t minutes_give_way(const struct pipeline *p)
{
    uint32_t counts[PLACES] = {0};
    uint64_t tenth = p->options.max_late_minutes / 10;
    uint64_t now = minute_beginning_at(p->now_ns), first, sum = 0;

    if (minutes_have_room(p, tenth) || now < MINUTES_KEPT + 2)
        return 0;
    first = now - MINUTES_KEPT - 2;
    count_minutes(p, first, counts);
    for (uint64_t place = 0; place < MINUTES_KEPT - LIVE_MINUTES; place++) {
        sum += counts[place];
        if (sum > tenth)
            return first + place;
    }
    return first + MINUTES_KEPT - LIVE_MINUTES;
}
