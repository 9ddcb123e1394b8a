#include "pipeline/supersede.h"

struct hash128 supersede_name(struct hash128 resource, struct slice metric)
{
    return hash_mix(resource, hash_bytes(metric, 0));
}

static struct successor *successor_at(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->successors, index);
}

static uint32_t take(struct pipeline *p, struct hash128 hash)
{
    uint32_t index = table_find(&p->successor_table, hash);

    if (index == TABLE_NONE) {
        index = pool_take(&p->successors);
        successor_at(p, index)->hash = hash;
        table_insert(&p->successor_table, hash, index);
    }
    successor_at(p, index)->families++;
    return index;
}

void supersede_release(struct pipeline *p, struct family *family)
{
    uint32_t index = family->successor;

    family->successor = POOL_NONE;
    if (index == POOL_NONE || --successor_at(p, index)->families)
        return;
    table_remove(&p->successor_table, successor_at(p, index)->hash);
    pool_give(&p->successors, index);
}

void supersede_follow(struct pipeline *p, struct family *family, const struct rule *rule)
{
    const struct source *source = state_source(p, family->source);

    supersede_release(p, family);
    if (rule && rule->supersedes.len)
        family->successor = take(
            p,
            supersede_name(state_resource(p, source->resource)->hash, rule->supersedes));
}

void supersede_note(struct pipeline *p, const struct family *family)
{
    if (family->successor != POOL_NONE && !family->refusal)
        successor_at(p, family->successor)->heard_ns = p->now_ns;
}

bool supersede_is_over(const struct pipeline *p, const struct family *family)
{
    uint32_t index = table_find(&p->successor_table, family->own_name);

    return index != TABLE_NONE && successor_at(p, index)->heard_ns &&
           p->now_ns <= successor_at(p, index)->heard_ns + SUPERSEDED_FOR_NS;
}
