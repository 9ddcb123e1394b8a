#include "pipeline/family.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "pipeline/cell.h"
#include "pipeline/container_place.h"
#include "pipeline/container_table.h"
#include "pipeline/drawing.h"
#include "pipeline/name.h"
#include "pipeline/node.h"
#include "pipeline/plans.h"

#include <stdlib.h>

static uint32_t host_destination(struct pipeline *p, const struct identity *identity)
{
    if (!identity->has_host)
        return POOL_NONE;
    return cell_destination(p, &(struct mackerel_destination){
                                   .kind = MACKEREL_HOST,
                                   .name = identity->host_name,
                                   .host_id = identity->host_id,
                                   .custom_identifier = identity->custom_identifier,
                                   .roles = identity->roles,
                               });
}

static uint32_t service_destination(struct pipeline *p, const struct identity *identity)
{
    if (!identity->has_service)
        return POOL_NONE;
    return cell_destination(p, &(struct mackerel_destination){
                                   .kind = MACKEREL_SERVICE,
                                   .name = identity->service,
                               });
}

static uint32_t open_resource(struct pipeline *p, const struct otlp_resource *seen)
{
    uint32_t index = table_find(&p->resource_table, seen->hash);

    if (index != TABLE_NONE)
        return index;
    index = pool_take(&p->resources);

    struct resource *resource = state_resource(p, index);

    resource->hash = seen->hash;
    identity_init(&resource->identity, seen, slice_of(p->options.default_service));
    resource->host = host_destination(p, &resource->identity);
    resource->service = service_destination(p, &resource->identity);
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

/* Host families go to the host, to the service where no host is known; all else to the service. */
static uint32_t choose_destination(const struct resource *resource,
                                   const struct family *family)
{
    return family->wants_host && resource->host != POOL_NONE ? resource->host
                                                             : resource->service;
}

enum reason family_nowhere(const struct family *family)
{
    return family->wants_host ? REASON_NO_IDENTITY : REASON_NO_SERVICE;
}

static void name_family(struct pipeline *p, struct family *family, struct slice prefix,
                        struct slice metric)
{
    bool is_host = state_destination(p, family->destination)->target.kind ==
                   MACKEREL_HOST;

    buffer_reset(&p->text);
    if (is_host) {
        buffer_append_text(&p->text, "custom.");
    } else if (prefix.len) {
        buffer_append(&p->text, prefix);
        buffer_append_char(&p->text, '.');
    }
    name_append_metric(&p->text, metric);
    family->name = memory_copy(buffer_slice(&p->text));
    family->name_len = (uint32_t)p->text.len;
}

/* Longer than any unit; it comes from outside. */
enum {
    UNIT_MAX = 63
};

static void draw_family(struct pipeline *p, struct family *family,
                        const struct otlp_metric *metric)
{
    family->drawing = drawing_take(
        p, &(struct drawing_seed){
               .kind = family->kind,
               .name = {family->name, family->name_len},
               .title = drawing_title(metric->description),
               .unit = metric->unit.len <= UNIT_MAX ? metric->unit : (struct slice){0},
           });
}

uint32_t family_drawing(const struct pipeline *p, const struct family *family,
                        uint32_t destination)
{
    bool is_host = state_destination(p, destination)->target.kind == MACKEREL_HOST;

    return is_host ? family->drawing : POOL_NONE;
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

static void refuse(struct family *family, enum reason reason)
{
    family->refusal = (uint8_t)(reason + 1);
}

/* ---- containers -------------------------------------------------------------------------- */

static const struct container_row *container_row(const struct pipeline *p,
                                                 const struct otlp_metric *metric)
{
    const struct container_row *row = container_find(metric->name);
    bool is_value_or_total = metric->kind == OTLP_GAUGE || metric->kind == OTLP_SUM;

    return is_value_or_total && container_row_is_on(
                                    row, (enum container_mode)p->options.container_mode)
               ? row
               : NULL;
}

/* The family feeds cells of that host, which it names together with its points. */
static void settle_container(struct pipeline *p, struct family *family,
                             const struct container_place *place, uint32_t machine)
{
    family->destination = place->has_host ? cell_destination(p, &place->host) : machine;
    family->is_container = true;
    family->reads_labels = place->reads_labels;
    family->instance = place->instance;
    family->name = memory_copy(place->base);
    family->name_len = (uint32_t)place->base.len;
    if (place->is_refused)
        refuse(family, place->refusal);
}

/* False where the metric is of no container, or no host is known for it. */
static bool route_container(struct pipeline *p, struct family *family,
                            const struct otlp_batch *batch,
                            const struct otlp_metric *metric, uint32_t machine)
{
    const struct container_row *row = container_row(p, metric);
    uint32_t seen = batch->scopes[metric->scope].resource;
    struct container_place place;
    bool is_network;

    if (!row)
        return false;
    container_place_init(&place, &batch->resources[seen], row,
                         (enum container_mode)p->options.container_mode);
    is_network = row->group == NATIVE_CONTAINER_NETWORK;
    if (place.has_host || (machine != POOL_NONE && !is_network))
        settle_container(p, family, &place, machine);
    else
        family->wants_host |= !is_network;
    container_place_release(&place);
    return family->is_container;
}

/* ---- routes ------------------------------------------------------------------------------ */

static void route(struct pipeline *p, struct family *family,
                  const struct resource *resource, const struct otlp_batch *batch,
                  const struct otlp_metric *metric)
{
    family->wants_host = identity_is_host_family(metric->name);
    if (route_container(p, family, batch, metric, resource->host))
        return;
    family->destination = choose_destination(resource, family);
    if (family->destination == POOL_NONE) {
        refuse(family, family_nowhere(family));
        return;
    }

    bool is_host = state_destination(p, family->destination)->target.kind ==
                   MACKEREL_HOST;

    family->is_native = is_host && native_knows(metric->name);
    family->hints_swap = is_host && !family->is_native &&
                         slice_starts_with(metric->name, "system.paging.");
    name_family(p, family, resource->identity.prefix, metric->name);
    if (is_host)
        draw_family(p, family, metric);
}

static void describe(struct pipeline *p, struct family *family,
                     const struct resource *resource, const struct otlp_metric *metric)
{
    family->shape = (uint8_t)shape_of(metric);
    family->kind = (uint8_t)kind_of_cell(metric);
    family->is_of_containers = container_find(metric->name) != NULL;
    family->is_since_boot = identity_is_since_boot_family(metric->name) ||
                            native_knows(metric->name) || family->is_of_containers;
    family->may_be_young = resource->identity.is_sdk && !family->is_since_boot;
    family->is_delta = metric->temporality == OTLP_DELTA;
    family->is_monotonic = metric->monotonic || metric->kind >= OTLP_HISTOGRAM;
    family->plan = plans_take_default(p, family->kind);
}

uint32_t family_open(struct pipeline *p, const struct otlp_batch *batch,
                     const struct otlp_metric *metric)
{
    uint32_t index = table_find(&p->family_table, metric->hash);

    if (index != TABLE_NONE)
        return index;

    uint32_t source = open_source(p, batch, &batch->scopes[metric->scope]);

    state_source(p, source)->families++;
    index = pool_take(&p->families);

    struct family *family = state_family(p, index);
    const struct resource *resource = state_resource(p,
                                                     state_source(p, source)->resource);

    family->hash = metric->hash;
    family->source = source;
    family->hint_stream = family->former_destination = POOL_NONE;
    family->drawing = family->node = POOL_NONE;
    describe(p, family, resource, metric);
    route(p, family, resource, batch, metric);
    family->tells = (uint8_t)node_fact_of(metric->name);
    if (family->tells || family->is_container)
        family->node = node_take(
            p, &batch->resources[batch->scopes[metric->scope].resource]);
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
    resource->service = service_destination(p, &resource->identity);
}

bool family_route_anew(struct pipeline *p, uint32_t index, uint64_t from_minute)
{
    struct family *family = state_family(p, index);
    uint32_t resource = state_source(p, family->source)->resource;
    uint32_t destination = choose_destination(state_resource(p, resource), family);

    if (family->is_container)
        return false;
    if (destination == family->destination)
        return false;
    family->former_destination = family->destination;
    family->changed_minute = from_minute;
    family->destination = destination;
    family->refusal = 0;
    if (destination == POOL_NONE)
        refuse(family, family_nowhere(family));
    return true;
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
    plans_give(p, family->plan);
    drawing_give(p, family->drawing);
    node_give(p, family->node);
    free(family->name);
    family->name = NULL;
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
