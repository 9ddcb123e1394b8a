#include "pipeline/history.h"

#include "pipeline/minutes.h"

static uint64_t block_of(uint64_t minute)
{
    return minute / HISTORY_MINUTES;
}

static bool holds(const struct history_minute *at, uint64_t minute)
{
    return at->last_ns && minute_beginning_at(at->last_ns) == minute;
}

const struct history_minute *history_find(const struct pipeline *p,
                                          const struct stream *stream, uint64_t minute)
{
    uint32_t at = stream->detail;

    while (at != POOL_NONE && state_history(p, at)->number > block_of(minute))
        at = state_history(p, at)->older;
    if (at == POOL_NONE || state_history(p, at)->number != block_of(minute))
        return NULL;

    const struct history_minute *found =
        &state_history(p, at)->minute[minute % HISTORY_MINUTES];

    return holds(found, minute) ? found : NULL;
}

static struct history *insert(struct pipeline *p, uint32_t stream, uint32_t newer,
                              uint64_t number)
{
    uint32_t index = pool_take(&p->histories);
    struct history *block = state_history(p, index);
    uint32_t *link = newer == POOL_NONE ? &state_stream(p, stream)->detail
                                        : &state_history(p, newer)->older;

    block->number = number;
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

bool history_say(struct pipeline *p, uint32_t stream, uint64_t time_ns, double value)
{
    uint64_t minute = minute_beginning_at(time_ns);
    struct history *block = open_block(p, stream, block_of(minute));

    if (!block)
        return false;

    struct history_minute *at = &block->minute[minute % HISTORY_MINUTES];

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

const struct history_minute *history_since(const struct pipeline *p,
                                           const struct stream *stream, uint64_t minute)
{
    const struct history_minute *found = NULL;

    for (uint64_t ahead = 0; !found && ahead < HISTORY_MINUTES; ahead++)
        found = history_find(p, stream, minute + ahead);
    return found;
}

static void forget(struct pipeline *p, uint32_t *link)
{
    uint32_t at = *link;

    *link = POOL_NONE;
    while (at != POOL_NONE) {
        uint32_t older = state_history(p, at)->older;

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
