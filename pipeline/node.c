#include "pipeline/node.h"

#include "pipeline/traits.h"

static const struct {
    const char *metric;
    enum node_fact fact;
} facts[] = {
    {"system.cpu.logical.count", NODE_CORES},
    {"machine_cpu_cores", NODE_CORES},
    {"k8s.node.allocatable_cpu", NODE_ALLOCATABLE_CORES},
    {"k8s.node.cpu.allocatable", NODE_ALLOCATABLE_CORES},
    {"system.memory.limit", NODE_MEMORY},
    {"machine_memory_bytes", NODE_MEMORY},
    {"k8s.node.memory.available", NODE_MEMORY_AVAILABLE},
    {"k8s.node.memory.working_set", NODE_MEMORY_WORKING_SET},
    {"k8s.node.allocatable_memory", NODE_ALLOCATABLE_MEMORY},
    {"k8s.node.memory.allocatable", NODE_ALLOCATABLE_MEMORY},
};

enum node_fact node_fact_of(struct slice metric_name)
{
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (slice_is(metric_name, facts[i].metric))
            return facts[i].fact;
    return NODE_NOTHING;
}

static uint32_t open_node(struct pipeline *p, struct slice name)
{
    struct hash128 hash = hash_bytes(name, 0);
    uint32_t index = table_find(&p->node_table, hash);

    if (index != TABLE_NONE)
        return index;
    index = pool_take(&p->nodes);
    state_node(p, index)->hash = hash;
    table_insert(&p->node_table, hash, index);
    return index;
}

uint32_t node_take(struct pipeline *p, const struct otlp_resource *resource)
{
    struct traits traits;
    uint32_t index = POOL_NONE;

    traits_init(&traits, resource);

    struct slice name = traits_either(traits_get(&traits, TRAIT_NODE_NAME),
                                      traits_get(&traits, TRAIT_HOST_NAME));

    if (name.len) {
        index = open_node(p, name);
        state_node(p, index)->families++;
    }
    traits_release(&traits);
    return index;
}

void node_give(struct pipeline *p, uint32_t index)
{
    if (index == POOL_NONE || --state_node(p, index)->families)
        return;
    table_remove(&p->node_table, state_node(p, index)->hash);
    pool_give(&p->nodes, index);
}

void node_note(struct pipeline *p, const struct family *family,
               const struct otlp_batch *batch, const struct otlp_metric *metric)
{
    const struct otlp_point *newest = NULL;

    if (metric->kind != OTLP_GAUGE && metric->kind != OTLP_SUM)
        return;
    for (uint32_t i = 0; i < metric->point_count; i++) {
        const struct otlp_point *point = &batch->points[metric->first_point + i];

        if (!(point->flags & OTLP_NO_RECORDED_VALUE) &&
            (!newest || point->time_ns >= newest->time_ns))
            newest = point;
    }
    if (newest)
        state_node(p, family->node)->fact[family->tells] = otlp_number(newest);
}

static const double *facts_of(const struct pipeline *p, uint32_t node)
{
    static const double none[NODE_FACT_LAST + 1] = {0};

    return node == POOL_NONE ? none : state_node(p, node)->fact;
}

double node_cores(const struct pipeline *p, uint32_t node)
{
    const double *fact = facts_of(p, node);

    return fact[NODE_CORES] > 0 ? fact[NODE_CORES] : fact[NODE_ALLOCATABLE_CORES];
}

double node_memory(const struct pipeline *p, uint32_t node)
{
    const double *fact = facts_of(p, node);

    if (fact[NODE_MEMORY] > 0)
        return fact[NODE_MEMORY];
    if (fact[NODE_MEMORY_AVAILABLE] > 0 && fact[NODE_MEMORY_WORKING_SET] > 0)
        return fact[NODE_MEMORY_AVAILABLE] + fact[NODE_MEMORY_WORKING_SET];
    return fact[NODE_ALLOCATABLE_MEMORY];
}
