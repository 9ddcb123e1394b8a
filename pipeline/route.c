#include "pipeline/route.h"

#include "base/memory.h"
#include "pipeline/cell.h"
#include "pipeline/container_place.h"
#include "pipeline/container_table.h"
#include "pipeline/destination.h"
#include "pipeline/drawing.h"
#include "pipeline/identity.h"
#include "pipeline/name.h"
#include "pipeline/plans.h"
#include "pipeline/rule_match.h"
#include "pipeline/rule_plan.h"
#include "pipeline/rule_text.h"
#include "pipeline/suffix.h"

#include <stdlib.h>

const struct rules *route_rules(struct pipeline *p)
{
    if (!p->compiled) {
        p->compiled = rule_text_compile(p->rules);
        pattern_run_count_in(p->compiled->run, &p->counts.pattern_limits);
    }
    return p->compiled;
}

const struct rule *route_rule(struct pipeline *p, const struct family *family)
{
    const struct rules *rules = route_rules(p);

    if (family->generation != p->generation || family->rule >= rules->count)
        return NULL;
    return &rules->items[family->rule];
}

/* ---- names -------------------------------------------------------------------------------- */

/* "a.*" -> "b.*": what the star stood for; false where the name is none of them. */
static bool append_renamed(const struct rule *rule, struct slice metric,
                           struct buffer *out)
{
    struct slice old = rule->rename_old.text, new = rule->rename_new.text;
    size_t head = (size_t)((const char *)memchr(old.ptr, '*', old.len) - old.ptr);
    size_t new_head = (size_t)((const char *)memchr(new.ptr, '*', new.len) - new.ptr);
    size_t tail = old.len - head - 1;
    struct buffer name = {0};

    if (metric.len < head + tail || memcmp(metric.ptr, old.ptr, head) != 0 ||
        memcmp(metric.ptr + metric.len - tail, old.ptr + head + 1, tail) != 0)
        return false;
    buffer_append(&name, (struct slice){new.ptr, new_head});
    buffer_append(&name, (struct slice){metric.ptr + head, metric.len - head - tail});
    buffer_append(&name, (struct slice){new.ptr + new_head + 1, new.len - new_head - 1});
    name_append_metric(out, buffer_slice(&name));
    buffer_release(&name);
    return true;
}

void route_append_name(const struct rule *rule, const struct template_source *source,
                       struct buffer *out)
{
    if (rule->metric)
        template_append_name(rule->metric, source, out);
    else if (!rule->rename_old.text.len ||
             !append_renamed(rule, source->metric->name, out))
        name_append_metric(out, source->metric->name);
    buffer_append_text(out, rule_plan_suffix(rule, source->metric));
}

/* The program's name, where the service is called otherwise. */
static void append_prefix(const struct pipeline *p, const struct family *family,
                          const struct template_source *source, struct buffer *out)
{
    const struct resource *resource = state_resource(
        p, state_source(p, family->source)->resource);
    struct buffer prefix = {0};

    if (family->follows_service)
        buffer_append(&prefix, resource->identity.prefix);
    else
        identity_append_prefix(source->resource,
                               state_destination(p, family->destination)->target.name,
                               &prefix);
    if (prefix.len) {
        buffer_append(out, buffer_slice(&prefix));
        buffer_append_char(out, '.');
    }
    buffer_release(&prefix);
}

static bool leads_to_host(const struct pipeline *p, const struct family *family)
{
    return family->destination != POOL_NONE &&
           state_destination(p, family->destination)->target.kind == MACKEREL_HOST;
}

static void append_full_name(struct pipeline *p, const struct family *family,
                             const struct rule *rule,
                             const struct template_source *source, struct buffer *out)
{
    if (leads_to_host(p, family))
        buffer_append_text(out, "custom.");
    else if (!rule->no_prefix)
        append_prefix(p, family, source, out);
    route_append_name(rule, source, out);
}

void route_append_full_name(struct pipeline *p, const struct family *family,
                            const struct template_source *source, struct buffer *out)
{
    append_full_name(p, family, route_rule(p, family), source, out);
}

static void name_family(struct pipeline *p, struct family *family,
                        const struct rule *rule, const struct template_source *source)
{
    buffer_reset(&p->text);
    append_full_name(p, family, rule, source, &p->text);
    name_bound(&p->text, 0,
               NAME_MAX_POSTED - suffix_longest(state_plan(p, family->plan)));
    family->name = memory_copy(buffer_slice(&p->text));
    family->name_len = (uint32_t)p->text.len;
}

/* ---- drawings ----------------------------------------------------------------------------- */

/* Longer than any unit; it comes from outside. */
enum {
    UNIT_MAX = 63
};

static struct slice unit_of(const struct rule *rule, const struct otlp_metric *metric)
{
    if (rule->convert.len)
        return rule->convert;
    return rule->has_scale || metric->unit.len > UNIT_MAX ? (struct slice)SLICE("")
                                                          : metric->unit;
}

/* The name that all cells of the family have in common, kept attributes as wildcards. */
static void append_pattern(const struct family *family, const struct rule *rule,
                           struct buffer *out)
{
    buffer_append(out, (struct slice){family->name, family->name_len});
    for (size_t i = 0; i < rule->kept_count; i++)
        buffer_append_text(out, i ? ".*" : ".#");
}

static void draw_family(struct pipeline *p, struct family *family,
                        const struct rule *rule, const struct otlp_metric *metric)
{
    const struct rule_graph *graph = &rule->graph;
    bool has_title = graph->display_name.len != 0;
    struct buffer pattern = {0};

    append_pattern(family, rule, &pattern);
    family->drawing = drawing_take(
        p,
        &(struct drawing_seed){
            .kind = family->kind,
            .name = buffer_slice(&pattern),
            .title = has_title ? graph->display_name : drawing_title(metric->description),
            .has_title = has_title,
            .unit = unit_of(rule, metric),
            .graph_unit = graph->unit,
            .is_stacked = graph->stacked,
            .has_stacked = graph->has_stacked,
        });
    buffer_release(&pattern);
}

uint32_t route_drawing(const struct pipeline *p, const struct family *family,
                       uint32_t destination)
{
    bool is_host = state_destination(p, destination)->target.kind == MACKEREL_HOST;

    return is_host ? family->drawing : POOL_NONE;
}

/* ---- routes ------------------------------------------------------------------------------- */

static void refuse(struct family *family, enum reason reason)
{
    family->destination = POOL_NONE;
    family->refusal = (uint8_t)(reason + 1);
}

static enum reason nowhere(const struct family *family)
{
    return family->wants_host ? REASON_NO_IDENTITY : REASON_NO_SERVICE;
}

static void plan_family(struct pipeline *p, struct family *family,
                        const struct rule *rule, const struct otlp_metric *metric)
{
    struct buffer labels = {0};
    struct plan plan;

    rule_plan_make(rule, metric, family->kind, &labels, &plan);
    family->plan = plans_take(p, &plan);
    buffer_release(&labels);
}

/* ---- containers --------------------------------------------------------------------------- */

static enum container_mode mode_of(const struct pipeline *p, const struct rule *rule)
{
    switch (rule->container) {
    case RULE_NO_CONTAINER: return CONTAINERS_OFF;
    case RULE_CONTAINER_CONFIGURED: break;
    case RULE_CONTAINER_NODE: return CONTAINERS_NODE;
    case RULE_CONTAINER_POD_HOST: return CONTAINERS_POD_HOST;
    case RULE_CONTAINER_WORKLOAD: return CONTAINERS_WORKLOAD;
    }
    return (enum container_mode)p->options.container_mode;
}

static const struct container_row *container_row(enum container_mode mode,
                                                 const struct otlp_metric *metric)
{
    const struct container_row *row = container_find(metric->name);
    bool is_value_or_total = metric->kind == OTLP_GAUGE || metric->kind == OTLP_SUM;

    return is_value_or_total && container_row_is_on(row, mode) ? row : NULL;
}

/* The family feeds cells of that host, which it names together with its points. */
static void settle_container(struct pipeline *p, struct family *family,
                             const struct container_place *place, uint32_t machine)
{
    family->follows_service = false;
    family->wants_host = true;
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
static bool follow_container(struct pipeline *p, struct family *family,
                             const struct rule *rule,
                             const struct template_source *source)
{
    enum container_mode mode = mode_of(p, rule);
    const struct container_row *row = container_row(mode, source->metric);
    uint32_t machine = state_resource(p, state_source(p, family->source)->resource)->host;
    struct container_place place;
    bool is_network;

    if (!row)
        return false;
    container_place_init(&place, source->resource, row, mode);
    is_network = row->group == NATIVE_CONTAINER_NETWORK;
    if (place.has_host || (machine != POOL_NONE && !is_network))
        settle_container(p, family, &place, machine);
    else
        family->wants_host |= !is_network;
    container_place_release(&place);
    return family->is_container;
}

static void follow_rule(struct pipeline *p, struct family *family,
                        const struct rule *rule, const struct template_source *source)
{
    const struct otlp_metric *metric = source->metric;
    bool is_native = rule->native;

    destination_choose(p, family, rule, source);
    if (follow_container(p, family, rule, source))
        return;

    is_native = is_native && leads_to_host(p, family);
    family->is_native = is_native && native_knows(metric->name);
    family->hints_swap = is_native && !family->is_native &&
                         slice_starts_with(metric->name, "system.paging.");
    /* It may lead somewhere later, under this name. */
    if (family->destination != POOL_NONE || family->follows_service)
        name_family(p, family, rule, source);
    if (leads_to_host(p, family))
        draw_family(p, family, rule, metric);
    if (family->destination == POOL_NONE)
        refuse(family, nowhere(family));
}

static void keep_former(struct pipeline *p, struct family *family, uint64_t from_minute)
{
    family->former_destination = family->destination;
    family->changed_minute = from_minute;
    plans_give(p, family->former_plan);
    family->former_plan = plans_share(p, family->plan);
    free(family->former_name);
    family->former_name = memory_copy((struct slice){family->name, family->name_len});
    family->former_name_len = family->name_len;
}

static void forget(struct pipeline *p, struct family *family)
{
    plans_give(p, family->plan);
    drawing_give(p, family->drawing);
    free(family->name);
    family->plan = family->drawing = POOL_NONE;
    family->name = NULL;
    family->name_len = 0;
    family->refusal = 0;
    family->is_native = family->hints_swap = family->is_container = false;
}

void route_family(struct pipeline *p, uint32_t index,
                  const struct template_source *source)
{
    const struct rules *rules = route_rules(p);
    struct family *family = state_family(p, index);
    uint32_t rule = rule_match_family(rules, source);

    if (family->plan != POOL_NONE)
        keep_former(p, family, p->changed_minute);
    forget(p, family);
    family->rule = rule;
    family->generation = p->generation;
    if (rule == RULE_NONE || rules->items[rule].destination == RULE_DROP) {
        family->wants_host = family->follows_service = false;
        family->plan = plans_take_default(p, family->kind);
        refuse(family, rule == RULE_NONE ? REASON_NO_RULE : REASON_FILTERED);
        return;
    }
    plan_family(p, family, &rules->items[rule], source->metric);
    follow_rule(p, family, &rules->items[rule], source);
}

bool route_follow_default(struct pipeline *p, uint32_t index, uint64_t from_minute)
{
    struct family *family = state_family(p, index);
    uint32_t resource = state_source(p, family->source)->resource;
    uint32_t destination = state_resource(p, resource)->service;

    if (!family->follows_service || destination == family->destination)
        return false;
    keep_former(p, family, from_minute);
    family->destination = destination;
    family->refusal = 0;
    if (destination == POOL_NONE)
        refuse(family, nowhere(family));
    return true;
}

enum reason route_refusal(struct pipeline *p, const struct family *family)
{
    const struct rule *rule = route_rule(p, family);

    if (family->refusal)
        return (enum reason)(family->refusal - 1);
    return rule && rule->where.count ? REASON_FILTERED : nowhere(family);
}

void route_release(struct pipeline *p, struct family *family)
{
    plans_give(p, family->former_plan);
    free(family->former_name);
    family->former_name = NULL;
    forget(p, family);
}
