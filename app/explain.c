#include "app/explain.h"

#include "base/memory.h"
#include "pipeline/cell.h"
#include "pipeline/explain.h"
#include "pipeline/names.h"

#include <stdlib.h>

enum {
    /* Streams of one cell that are named; a family may have a hundred thousand. */
    MAX_STREAMS = 20,
    /* Cells of a running pipeline that are named; its thread waits meanwhile. */
    MAX_CELLS = 10000,
    /* Mackerel, "About hosts": metrics of a standard host; what is beyond is charged. */
    INCLUDED_PER_HOST = 200,
};

/* ---- words ------------------------------------------------------------------------------- */

/* Telemetry must not move the reader's cursor. */
static void put_text(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        buffer_append_char(out, c < 0x20 || c == 0x7f ? '?' : text.ptr[i]);
    }
}

static void put_attributes(struct buffer *out, struct otlp_attributes walk)
{
    struct otlp_attribute attribute;
    struct buffer text = {0};
    const char *separator = "";

    buffer_append_char(out, '{');
    while (otlp_attributes_next(&walk, &attribute)) {
        buffer_append_text(out, separator);
        put_text(out, attribute.key);
        buffer_append_char(out, '=');
        buffer_reset(&text);
        otlp_attribute_text(&attribute, &text);
        put_text(out, buffer_slice(&text));
        separator = ", ";
    }
    buffer_append_char(out, '}');
    buffer_release(&text);
}

static const char *kind_of(const struct otlp_metric *metric)
{
    static const char *const names[] = {
        [OTLP_NO_DATA] = "no data",
        [OTLP_GAUGE] = "gauge",
        [OTLP_SUM] = "counter",
        [OTLP_HISTOGRAM] = "histogram",
        [OTLP_EXPONENTIAL_HISTOGRAM] = "exponential histogram",
        [OTLP_SUMMARY] = "summary",
    };

    if (metric->kind == OTLP_SUM && !metric->monotonic)
        return "up-down counter";
    return names[metric->kind];
}

static void put_metric(struct buffer *out, const struct otlp_metric *metric)
{
    static const char *const temporality[] = {"", ", delta", ", cumulative"};

    put_text(out, metric->name);
    buffer_printf(out, "  (%s%s", kind_of(metric), temporality[metric->temporality]);
    if (metric->unit.len) {
        buffer_append_text(out, ", unit ");
        put_text(out, metric->unit);
    }
    buffer_append_text(out, ")\n");
}

static void put_destination(struct buffer *out, const struct mackerel_destination *to)
{
    if (to->kind == MACKEREL_SERVICE) {
        buffer_append_text(out, "service ");
        put_text(out, to->name);
        return;
    }
    buffer_append_text(out, "host");
    if (to->host_id.len) {
        buffer_append_text(out, " id=");
        put_text(out, to->host_id);
    }
    if (to->custom_identifier.len) {
        buffer_append_text(out, " custom_identifier=");
        put_text(out, to->custom_identifier);
    }
    if (to->name.len) {
        buffer_append_text(out, " name=");
        put_text(out, to->name);
    }
}

/* ---- streams ------------------------------------------------------------------------------ */

/* A point with what becomes of its stream. */
struct entry {
    struct explanation explanation;
    const struct otlp_point *point;
    size_t order;
};

/* By what becomes of them; else as they came. */
static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    uint64_t a_key = (uint64_t)a->explanation.cell << 8 | a->explanation.reason;
    uint64_t b_key = (uint64_t)b->explanation.cell << 8 | b->explanation.reason;

    if (a_key != b_key)
        return a_key < b_key ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static bool is_alike(const struct entry *a, const struct entry *b)
{
    return a->explanation.cell == b->explanation.cell &&
           (a->explanation.cell != POOL_NONE ||
            a->explanation.reason == b->explanation.reason);
}

static void put_name(void *self, struct slice name)
{
    struct buffer *out = self;

    buffer_append_text(out, "      ");
    put_text(out, name);
    buffer_append_char(out, '\n');
}

static void put_verdict(struct pipeline *p, const struct explanation *explanation,
                        struct buffer *out)
{
    if (explanation->cell == POOL_NONE) {
        buffer_printf(out, "    not posted: %s (%s)\n", reason_name(explanation->reason),
                      reason_help(explanation->reason));
        return;
    }
    buffer_append_text(out, "    to ");
    put_destination(
        out,
        &state_destination(p, state_cell(p, explanation->cell)->destination)->target);
    buffer_append_char(out, '\n');
    explain_names(p, explanation->cell, put_name, out);
}

static void put_streams(const struct otlp_metric *metric, const struct entry *entries,
                        size_t count, struct buffer *out)
{
    for (size_t i = 0; i < count && i < MAX_STREAMS; i++) {
        buffer_append_text(out, "    <- ");
        put_attributes(
            out, otlp_point_attributes(entries[i].point, (enum otlp_kind)metric->kind));
        buffer_append_char(out, '\n');
    }
    if (count > MAX_STREAMS)
        buffer_printf(out, "    <- and %zu more\n", count - MAX_STREAMS);
}

static void put_entries(struct pipeline *p, const struct otlp_metric *metric,
                        const struct entry *entries, size_t count, struct buffer *out)
{
    for (size_t first = 0, after; first < count; first = after) {
        for (after = first + 1;
             after < count && is_alike(&entries[first], &entries[after]); after++)
            ;
        put_verdict(p, &entries[first].explanation, out);
        put_streams(metric, entries + first, after - first, out);
    }
}

static void put_rule(const struct explained_rule *rule, const char *before,
                     struct buffer *out)
{
    if (rule->place == 0)
        return;
    buffer_append_text(out, before);
    put_text(out, rule->name);
    buffer_printf(out, " (%zu of %zu)\n", rule->place, rule->count);
}

static void explain_metric(struct pipeline *p, const struct otlp_batch *batch,
                           const struct otlp_metric *metric, struct buffer *out)
{
    struct entry *entries = memory_new(metric->point_count, sizeof(*entries));

    for (uint32_t i = 0; i < metric->point_count; i++) {
        const struct otlp_point *point = &batch->points[metric->first_point + i];

        entries[i] = (struct entry){explain_point(p, batch, point), point, i};
    }
    buffer_append_text(out, "  ");
    put_metric(out, metric);
    put_rule(&entries[0].explanation.rule, "    rule ", out);
    qsort(entries, metric->point_count, sizeof(*entries), compare);
    put_entries(p, metric, entries, metric->point_count, out);
    free(entries);
}

void explain_request(struct rehearsal *rehearsal, struct buffer *out)
{
    const struct otlp_batch *batch = rehearsal_batch(rehearsal);
    const struct otlp_resource *told = NULL;

    for (size_t i = 0; i < batch->metric_count; i++) {
        const struct otlp_metric *metric = &batch->metrics[i];

        if (metric->point_count == 0)
            continue;
        const struct otlp_resource *resource =
            &batch->resources[batch->scopes[metric->scope].resource];

        if (!told || !hash_equal(told->hash, resource->hash)) {
            buffer_append_text(out, "resource ");
            put_attributes(out, otlp_resource_attributes(resource));
            buffer_append_char(out, '\n');
        }
        told = resource;
        explain_metric(rehearsal_pipeline(rehearsal), batch, metric, out);
    }
    for (int reason = 0; reason <= REASON_LAST; reason++)
        if (batch->refused[reason])
            buffer_printf(out, "%u points refused: %s (%s), such as %s\n",
                          batch->refused[reason], reason_name((enum reason)reason),
                          reason_help((enum reason)reason), batch->example[reason]);
}

/* ---- cost --------------------------------------------------------------------------------- */

static void count_name(void *self, struct slice name)
{
    size_t *count = self;

    (void)name;
    (*count)++;
}

/* Names by destination; the caller's. */
static size_t *count_names(const struct pipeline *p)
{
    size_t *names = memory_new(p->destinations.used + 1, sizeof(*names));

    for (uint32_t cell = 0; cell < p->cells.used; cell++)
        if (explain_is_cell(p, cell))
            explain_names(p, cell, count_name, &names[state_cell(p, cell)->destination]);
    return names;
}

/* Warned about from 80 % on, as the running gateway does. */
static void put_budget(struct buffer *out, size_t names, uint32_t budget)
{
    if (budget == 0)
        return;
    buffer_printf(out, ", budget %u", budget);
    if (names >= budget)
        buffer_append_text(out, ": USED UP");
    else if (names * 5 >= (size_t)budget * 4)
        buffer_append_text(out, ": nearly used up");
}

static void put_cost(const struct pipeline *p, const struct destination *destination,
                     size_t names, struct buffer *out)
{
    const struct mackerel_destination *to = &destination->target;

    buffer_append_text(out, "  ");
    put_destination(out, to);
    buffer_printf(out, ": %zu metric name%s", names, names == 1 ? "" : "s");
    if (to->kind == MACKEREL_HOST)
        buffer_printf(out, " of %d included%s", INCLUDED_PER_HOST,
                      names > INCLUDED_PER_HOST ? ": MORE THAN THAT" : "");
    put_budget(out, names, names_budget(p, destination));
    buffer_append_char(out, '\n');
}

void explain_cost(const struct pipeline *p, struct buffer *out)
{
    size_t *names = count_names(p);
    size_t hosts = 0, services = 0, host_names = 0, service_names = 0;

    buffer_append_text(out, "cost\n");
    for (uint32_t i = 0; i < p->destinations.used; i++) {
        const struct mackerel_destination *to = &state_destination(p, i)->target;
        bool is_host = to->kind == MACKEREL_HOST;

        if (names[i] == 0)
            continue;
        put_cost(p, state_destination(p, i), names[i], out);
        hosts += is_host;
        services += !is_host;
        host_names += is_host ? names[i] : 0;
        service_names += is_host ? 0 : names[i];
    }
    buffer_printf(out,
                  "  in all: hosts %zu with %zu metric names, services %zu with %zu\n",
                  hosts, host_names, services, service_names);
    free(names);
}

/* ---- a running pipeline --------------------------------------------------------------------- */

static size_t count_streams(const struct pipeline *p, const struct cell *cell)
{
    size_t count = 0;

    for (uint32_t at = cell->first_stream; at != POOL_NONE;
         at = state_stream(p, at)->next_in_cell)
        count++;
    return count;
}

static void put_cell(const struct pipeline *p, uint32_t index, struct buffer *out)
{
    const struct cell *cell = state_cell(p, index);
    size_t streams = count_streams(p, cell);
    struct explained_rule rule = explain_rule(
        p, state_stream(p, cell->first_stream)->family);

    buffer_printf(out, "  %zu stream%s to ", streams, streams == 1 ? "" : "s");
    put_destination(out, &state_destination(p, cell->destination)->target);
    buffer_append_char(out, '\n');
    put_rule(&rule, "    rule ", out);
    explain_names(p, index, put_name, out);
}

void explain_state(const struct pipeline *p, struct buffer *out)
{
    size_t told = 0, more = 0;

    buffer_append_text(out, "posted\n");
    for (uint32_t cell = 0; cell < p->cells.used; cell++) {
        if (!explain_is_cell(p, cell) || state_cell(p, cell)->first_stream == POOL_NONE)
            continue;
        if (told == MAX_CELLS) {
            more++;
            continue;
        }
        put_cell(p, cell, out);
        told++;
    }
    if (more)
        buffer_printf(out, "  and %zu more\n", more);
    explain_cost(p, out);
}
