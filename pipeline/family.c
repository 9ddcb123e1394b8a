#include "pipeline/family.h"

#include "base/utf8.h"
#include "pipeline/container_table.h"
#include "pipeline/destination.h"
#include "pipeline/node.h"
#include "pipeline/route.h"
#include "pipeline/supersede.h"

#include <stdlib.h>

static uint32_t open_resource(struct pipeline *p, const struct otlp_resource *seen)
{
    uint32_t index = table_find(&p->resource_table, seen->hash);

    if (index != TABLE_NONE)
        return index;
    index = pool_take(&p->resources);

    struct resource *resource = state_resource(p, index);

    resource->hash = seen->hash;
    identity_init(&resource->identity, seen, slice_of(p->options.default_service));
    resource->host = destination_of_host(p, &resource->identity);
    resource->service = destination_of_service(p, &resource->identity);
    table_insert(&p->resource_table, seen->hash, index);
    return index;
}

static uint32_t open_source(struct pipeline *p, const struct otlp_batch *batch,
                            const struct otlp_scope *scope)
{
    uint32_t index = table_find(&p->source_table, scope->hash);

    if (index != TABLE_NONE)
        return index;

    uint32_t resource = open_resource(p, &batch->resources[scope->resource]);

    state_resource(p, resource)->sources++;
    index = pool_take(&p->sources);
    state_source(p, index)->hash = scope->hash;
    state_source(p, index)->resource = resource;
    table_insert(&p->source_table, scope->hash, index);
    return index;
}

static enum cell_kind kind_of_cell(const struct otlp_metric *metric)
{
    if (metric->kind >= OTLP_HISTOGRAM)
        return CELL_HISTOGRAM;
    if (metric->kind == OTLP_GAUGE)
        return CELL_MEAN;
    if (metric->temporality == OTLP_DELTA || metric->monotonic)
        return CELL_RATE;
    return CELL_SUM;
}

static enum stream_shape shape_of(const struct otlp_metric *metric)
{
    enum cell_kind kind = kind_of_cell(metric);

    if (kind == CELL_MEAN || kind == CELL_SUM)
        return SHAPE_VALUE;
    return metric->temporality == OTLP_DELTA ? SHAPE_DELTA : SHAPE_CUMULATIVE;
}

static void describe(struct family *family, const struct resource *resource,
                     const struct otlp_metric *metric)
{
    family->shape = (uint8_t)shape_of(metric);
    family->kind = (uint8_t)kind_of_cell(metric);
    family->is_since_boot = identity_is_since_boot_family(metric->name) ||
                            native_knows(metric->name) || container_find(metric->name);
    family->may_be_young = resource->identity.is_sdk && !family->is_since_boot;
    family->is_delta = metric->temporality == OTLP_DELTA;
    family->is_monotonic = metric->monotonic || metric->kind >= OTLP_HISTOGRAM;
}

static void route(struct pipeline *p, uint32_t index, const struct otlp_batch *batch,
                  const struct otlp_metric *metric)
{
    const struct otlp_scope *scope = &batch->scopes[metric->scope];
    const struct otlp_resource *resource = &batch->resources[scope->resource];
    struct family *family = state_family(p, index);

    route_family(p, index,
                 &(struct template_source){
                     .metric = metric, .scope = scope, .resource = resource});
    supersede_follow(p, family, route_rule(p, family));
    node_give(p, family->node);
    family->tells = (uint8_t)node_fact_of(metric->name);
    family->node = family->tells || family->is_container ? node_take(p, resource)
                                                         : POOL_NONE;
}

uint32_t family_open(struct pipeline *p, const struct otlp_batch *batch,
                     const struct otlp_metric *metric)
{
    uint32_t index = table_find(&p->family_table, metric->hash);

    if (index != TABLE_NONE) {
        if (state_family(p, index)->generation != p->generation)
            route(p, index, batch, metric);
        return index;
    }

    uint32_t source = open_source(p, batch, &batch->scopes[metric->scope]);

    state_source(p, source)->families++;
    index = pool_take(&p->families);

    struct family *family = state_family(p, index);
    const struct resource *resource = state_resource(p,
                                                     state_source(p, source)->resource);

    family->hash = metric->hash;
    family->source = source;
    family->hint_stream = family->former_destination = POOL_NONE;
    family->plan = family->former_plan = family->successor = POOL_NONE;
    family->own_name = supersede_name(resource->hash, metric->name);
    family->drawing = family->node = POOL_NONE;
    describe(family, resource, metric);
    route(p, index, batch, metric);
    if (!utf8_valid(metric->name))
        p->counts.invalid_utf8++;
    table_insert(&p->family_table, metric->hash, index);
    return index;
}

void family_takes_windows(struct pipeline *p, uint32_t index)
{
    struct family *family = state_family(p, index);

    family->shape = SHAPE_DELTA;
    family->is_delta = true;
}

/* ---- a changed configuration ------------------------------------------------------------- */

void family_refer_resource(struct pipeline *p, uint32_t index)
{
    struct resource *resource = state_resource(p, index);

    identity_set_default(&resource->identity, slice_of(p->options.default_service));
    resource->service = destination_of_service(p, &resource->identity);
}

/* ---- forgetting -------------------------------------------------------------------------- */

static void drop_resource(struct pipeline *p, uint32_t index)
{
    struct resource *resource = state_resource(p, index);

    if (--resource->sources)
        return;
    table_remove(&p->resource_table, resource->hash);
    identity_release(&resource->identity);
    pool_give(&p->resources, index);
}

static void drop_source(struct pipeline *p, uint32_t index)
{
    struct source *source = state_source(p, index);

    if (--source->families)
        return;
    drop_resource(p, source->resource);
    table_remove(&p->source_table, source->hash);
    pool_give(&p->sources, index);
}

void family_drop_if_unused(struct pipeline *p, uint32_t index)
{
    struct family *family = state_family(p, index);

    if (family->streams)
        return;
    drop_source(p, family->source);
    table_remove(&p->family_table, family->hash);
    route_release(p, family);
    node_give(p, family->node);
    supersede_release(p, family);
    pool_give(&p->families, index);
}

void family_report(struct pipeline *p, uint32_t index, uint64_t since_ns,
                   uint64_t time_ns)
{
    struct source *source = state_source(p, index);

    source->heard_ns = p->now_ns;
    if (time_ns <= source->last_ns)
        return;
    if (source->last_ns == 0) {
        source->first_ns = time_ns;
        source->unbroken_ns = since_ns ? since_ns : time_ns;
    } else {
        bool joins = since_ns && since_ns <= source->last_ns;

        if (!joins && !cadence_is_alive(&source->cadence, source->last_ns, time_ns))
            source->unbroken_ns = since_ns ? since_ns : time_ns;
        cadence_add(&source->cadence, time_ns - source->last_ns);
    }
    /* The parts of one export may come apart, a little after each other. */
    if (time_ns > source->last_ns + NS_PER_S / 2)
        source->before_ns = source->last_ns;
    source->last_ns = time_ns;
}
