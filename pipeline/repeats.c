#include "pipeline/repeats.h"

static const uint64_t REMEMBERED_NS = 10 * NS_PER_MIN;

static void unlink_repeat(struct pipeline *p, const struct repeat *repeat)
{
    if (repeat->older == POOL_NONE)
        p->oldest_repeat = repeat->newer;
    else
        state_repeat(p, repeat->older)->newer = repeat->newer;
    if (repeat->newer == POOL_NONE)
        p->newest_repeat = repeat->older;
    else
        state_repeat(p, repeat->newer)->older = repeat->older;
}

static void link_newest(struct pipeline *p, uint32_t index)
{
    struct repeat *repeat = state_repeat(p, index);

    repeat->last_ns = p->now_ns;
    repeat->newer = POOL_NONE;
    repeat->older = p->newest_repeat;
    if (p->newest_repeat == POOL_NONE)
        p->oldest_repeat = index;
    else
        state_repeat(p, p->newest_repeat)->newer = index;
    p->newest_repeat = index;
}

static void drop_oldest(struct pipeline *p)
{
    uint32_t index = p->oldest_repeat;
    const struct repeat *repeat = state_repeat(p, index);

    table_remove(&p->repeat_table, repeat->hash);
    unlink_repeat(p, repeat);
    pool_give(&p->repeats, index);
}

static void expire(struct pipeline *p)
{
    while (p->oldest_repeat != POOL_NONE &&
           (p->repeats.count >= REPEATS_MAX ||
            state_repeat(p, p->oldest_repeat)->last_ns + REMEMBERED_NS < p->now_ns))
        drop_oldest(p);
}

bool repeats_note(struct pipeline *p, struct hash128 body)
{
    expire(p);

    uint32_t index = table_find(&p->repeat_table, body);
    bool is_known = index != TABLE_NONE;

    if (is_known) {
        unlink_repeat(p, state_repeat(p, index));
    } else {
        index = pool_take(&p->repeats);
        state_repeat(p, index)->hash = body;
        table_insert(&p->repeat_table, body, index);
    }
    link_newest(p, index);
    return is_known;
}
