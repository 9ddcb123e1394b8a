#include "pipeline/history.h"

#include "pipeline/minutes.h"

#include <math.h>

static uint64_t block_of(uint64_t minute)
{
    return minute / HISTORY_MINUTES;
}

static bool holds(const struct history_minute *at, uint64_t minute)
{
    return at->last_ns && minute_beginning_at(at->last_ns) == minute;
}

/* The block of that number, or POOL_NONE. */
static uint32_t find_block(const struct pipeline *p, const struct stream *stream,
                           uint64_t number)
{
    uint32_t at = stream->detail;

    while (at != POOL_NONE && state_history(p, at)->number > number)
        at = state_history(p, at)->older;
    return at != POOL_NONE && state_history(p, at)->number == number ? at : POOL_NONE;
}

/* The ring: the first block, once the stream has said something. */
static struct history *ring_of(const struct pipeline *p, const struct stream *stream)
{
    return stream->detail == POOL_NONE ? NULL : state_history(p, stream->detail);
}

static const struct history_minute *last_in(const struct history *block, uint64_t minute)
{
    const struct history_minute *at = &block->last[minute % HISTORY_MINUTES];

    return holds(at, minute) ? at : NULL;
}

const struct history_minute *history_find(const struct pipeline *p,
                                          const struct stream *stream, uint64_t minute)
{
    const struct history *ring = ring_of(p, stream);
    const struct history_minute *found = ring ? last_in(ring, minute) : NULL;
    uint32_t block = found ? POOL_NONE : find_block(p, stream, block_of(minute));

    return block == POOL_NONE ? found : last_in(state_history(p, block), minute);
}

static const struct points_minute *points_in(const struct pipeline *p,
                                             const struct history *block, uint64_t minute)
{
    if (block->points == POOL_NONE)
        return NULL;

    const struct points_minute *at =
        &state_history_points(p, block->points)->minute[minute % HISTORY_MINUTES];

    return at->first_ns && minute_beginning_at(at->first_ns) == minute ? at : NULL;
}

const struct points_minute *history_points_find(const struct pipeline *p,
                                                const struct stream *stream,
                                                uint64_t minute)
{
    const struct history *ring = ring_of(p, stream);
    const struct points_minute *found = ring ? points_in(p, ring, minute) : NULL;
    uint32_t block = found ? POOL_NONE : find_block(p, stream, block_of(minute));

    return block == POOL_NONE ? found : points_in(p, state_history(p, block), minute);
}

static struct history *insert(struct pipeline *p, uint32_t stream, uint32_t newer,
                              uint64_t number)
{
    uint32_t index = pool_take(&p->histories);
    struct history *block = state_history(p, index);
    uint32_t *link = newer == POOL_NONE ? &state_stream(p, stream)->detail
                                        : &state_history(p, newer)->older;

    block->number = number;
    block->points = POOL_NONE;
    block->older = *link;
    *link = index;
    return block;
}

/* The block of that number behind the ring, added where need be. */
static struct history *open_block(struct pipeline *p, uint32_t stream, uint64_t number)
{
    uint32_t newer = state_stream(p, stream)->detail;
    uint32_t at = state_history(p, newer)->older;

    while (at != POOL_NONE && state_history(p, at)->number > number) {
        newer = at;
        at = state_history(p, at)->older;
    }
    if (at != POOL_NONE && state_history(p, at)->number == number)
        return state_history(p, at);
    return insert(p, stream, newer, number);
}

/* The first, the lowest, the highest and the sum of what the minute's points say. */
static void add_point(struct points_minute *at, uint64_t time_ns, double value)
{
    if (at->first_ns == 0 ||
        minute_beginning_at(at->first_ns) != minute_beginning_at(time_ns))
        *at = (struct points_minute){time_ns, value, 0, value, value, 0};
    if (time_ns < at->first_ns) {
        at->first_ns = time_ns;
        at->first = value;
    }
    at->min = fmin(at->min, value);
    at->max = fmax(at->max, value);
    at->sum += value;
    at->count++;
}

static void keep_point(struct pipeline *p, struct history *block, uint64_t time_ns,
                       double value)
{
    if (block->points == POOL_NONE)
        block->points = pool_take(&p->history_points);
    add_point(&state_history_points(p, block->points)
                   ->minute[minute_beginning_at(time_ns) % HISTORY_MINUTES],
              time_ns, value);
}

/* Native instants are read between the points around a minute's start; plans may ask for more than the
 * last point of a minute. */
static bool wants_all_points(const struct pipeline *p, const struct stream *stream)
{
    if (stream->owner != POOL_NONE || stream->cell == POOL_NONE)
        return stream->owner != POOL_NONE;

    uint32_t plan = state_cell(p, stream->cell)->plan;

    return plan != POOL_NONE && state_plan(p, plan)->over_time != OVER_TIME_LAST;
}

/* ---- the ring ----------------------------------------------------------------------------- */

static uint64_t oldest_of_cell(const struct pipeline *p, uint32_t cell, uint64_t oldest)
{
    uint32_t at = cell == POOL_NONE ? POOL_NONE : state_cell(p, cell)->newest_minute;

    for (; at != POOL_NONE; at = state_minute(p, at)->older)
        if (state_minute(p, at)->number < oldest)
            oldest = state_minute(p, at)->number;
    return oldest;
}

/* The oldest minute that a cell of the stream may still ask for, `newest` at most. */
static uint64_t oldest_asked(const struct pipeline *p, const struct stream *stream,
                             uint64_t newest)
{
    uint64_t oldest = oldest_of_cell(p, stream->cell, newest);

    for (uint32_t at = stream->move; at != POOL_NONE; at = state_move(p, at)->older)
        oldest = oldest_of_cell(p, state_move(p, at)->cell, oldest);
    return oldest;
}

/* May what was said in the minute still count? In that minute, or carried into later ones up to the next
 * point; instants are read from the points on both sides of a minute's start. */
static bool is_asked(const struct pipeline *p, const struct stream *stream, uint64_t said,
                     uint64_t newest)
{
    uint64_t oldest = oldest_asked(p, stream, newest), next = said + 1;

    while (next < said + HISTORY_MINUTES && next < newest &&
           !history_find(p, stream, next))
        next++;
    return oldest <= said || oldest < next + (stream->owner != POOL_NONE);
}

/* What the ring holds in the place of another minute goes to a block of its own. */
static void move_out(struct pipeline *p, uint32_t stream, uint64_t minute)
{
    uint32_t ring = state_stream(p, stream)->detail;
    struct history *block = open_block(p, stream, block_of(minute));
    const struct points_minute *points = points_in(p, state_history(p, ring), minute);
    uint64_t place = minute % HISTORY_MINUTES;

    block->last[place] = state_history(p, ring)->last[place];
    if (!points)
        return;

    struct points_minute all = *points;

    if (block->points == POOL_NONE)
        block->points = pool_take(&p->history_points);
    state_history_points(p, block->points)->minute[place] = all;
}

/* The block in which the minute has its place; NULL when there is no room for it. */
static struct history *find_place(struct pipeline *p, uint32_t stream, uint64_t minute)
{
    struct history *ring = ring_of(p, state_stream(p, stream));
    uint64_t there;

    if (!ring)
        return insert(p, stream, POOL_NONE, HISTORY_RING);
    if (ring->last[minute % HISTORY_MINUTES].last_ns == 0)
        return ring;
    there = minute_beginning_at(ring->last[minute % HISTORY_MINUTES].last_ns);
    if (there > minute) {
        if (find_block(p, state_stream(p, stream), block_of(minute)) == POOL_NONE &&
            !minutes_have_room(p, 1))
            return NULL;
        return open_block(p, stream, block_of(minute));
    }
    if (there < minute && is_asked(p, state_stream(p, stream), there, minute))
        move_out(p, stream, there);
    return ring_of(p, state_stream(p, stream));
}

bool history_say(struct pipeline *p, uint32_t stream, uint64_t time_ns, double value)
{
    uint64_t minute = minute_beginning_at(time_ns);
    struct history *block = find_place(p, stream, minute);

    if (!block)
        return false;

    struct history_minute *at = &block->last[minute % HISTORY_MINUTES];

    if (!holds(at, minute) || time_ns >= at->last_ns)
        *at = (struct history_minute){time_ns, value};
    if (wants_all_points(p, state_stream(p, stream)))
        keep_point(p, block, time_ns, value);
    return true;
}

const struct history_minute *history_before(const struct pipeline *p,
                                            const struct stream *stream, uint64_t minute)
{
    const struct history_minute *found = NULL;

    for (uint64_t back = 1; !found && back < HISTORY_MINUTES && back <= minute; back++)
        found = history_find(p, stream, minute - back);
    return found;
}

bool history_since(const struct pipeline *p, const struct stream *stream, uint64_t minute,
                   struct history_point *first)
{
    const struct history_minute *found = NULL;

    for (uint64_t end = minute + HISTORY_MINUTES; !found && minute < end; minute++)
        found = history_find(p, stream, minute);
    if (!found)
        return false;

    const struct points_minute *all = history_points_find(p, stream, minute - 1);

    *first = all ? (struct history_point){all->first_ns, all->first}
                 : (struct history_point){found->last_ns, found->last};
    return true;
}

static void forget(struct pipeline *p, uint32_t *link)
{
    uint32_t at = *link;

    *link = POOL_NONE;
    while (at != POOL_NONE) {
        uint32_t older = state_history(p, at)->older;

        if (state_history(p, at)->points != POOL_NONE)
            pool_give(&p->history_points, state_history(p, at)->points);
        pool_give(&p->histories, at);
        at = older;
    }
}

void history_trim(struct pipeline *p, uint32_t stream, uint64_t oldest)
{
    uint32_t ring = state_stream(p, stream)->detail;
    uint32_t *link;

    if (ring == POOL_NONE || state_history(p, ring)->older == POOL_NONE)
        return;
    link = &state_history(p, ring)->older;
    while (*link != POOL_NONE && state_history(p, *link)->number + 1 >= block_of(oldest))
        link = &state_history(p, *link)->older;
    forget(p, link);
}

void history_drop(struct pipeline *p, uint32_t stream)
{
    forget(p, &state_stream(p, stream)->detail);
}
