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

const struct history_minute *history_find(const struct pipeline *p,
                                          const struct stream *stream, uint64_t minute)
{
    uint32_t at = find_block(p, stream, block_of(minute));

    if (at == POOL_NONE)
        return NULL;

    const struct history_minute *found =
        &state_history(p, at)->last[minute % HISTORY_MINUTES];

    return holds(found, minute) ? found : NULL;
}

const struct points_minute *history_points_find(const struct pipeline *p,
                                                const struct stream *stream,
                                                uint64_t minute)
{
    uint32_t at = find_block(p, stream, block_of(minute));

    if (at == POOL_NONE || state_history(p, at)->points == POOL_NONE)
        return NULL;

    const struct points_minute *found = &state_history_points(
                                             p, state_history(p, at)->points)
                                             ->minute[minute % HISTORY_MINUTES];

    return found->first_ns && minute_beginning_at(found->first_ns) == minute ? found
                                                                             : NULL;
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

/* The block of that number, added where need be; NULL when a late one has no room. */
static struct history *open_block(struct pipeline *p, uint32_t stream, uint64_t number)
{
    uint32_t newer = POOL_NONE, at = state_stream(p, stream)->detail;

    while (at != POOL_NONE && state_history(p, at)->number > number) {
        newer = at;
        at = state_history(p, at)->older;
    }
    if (at != POOL_NONE && state_history(p, at)->number == number)
        return state_history(p, at);
    if (newer != POOL_NONE && !minutes_have_room(p, 1))
        return NULL;
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

bool history_say(struct pipeline *p, uint32_t stream, uint64_t time_ns, double value)
{
    uint64_t minute = minute_beginning_at(time_ns);
    struct history *block = open_block(p, stream, block_of(minute));

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
    uint32_t at = state_stream(p, stream)->detail;
    uint32_t second = at == POOL_NONE ? POOL_NONE : state_history(p, at)->older;

    if (second == POOL_NONE)
        return;

    uint32_t *link = &state_history(p, second)->older;

    while (*link != POOL_NONE && state_history(p, *link)->number + 1 >= block_of(oldest))
        link = &state_history(p, *link)->older;
    forget(p, link);
}

void history_drop(struct pipeline *p, uint32_t stream)
{
    forget(p, &state_stream(p, stream)->detail);
}
