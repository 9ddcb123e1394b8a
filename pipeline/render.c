#include "pipeline/render.h"

#include "base/memory.h"
#include "pipeline/cell.h"
#include "pipeline/container_minute.h"
#include "pipeline/members.h"
#include "pipeline/percentile.h"
#include "pipeline/stream.h"
#include "pipeline/total.h"
#include "pipeline/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
    MAX_SUFFIX = 24
};

/* The minute being rendered, for callbacks. */
struct rendering {
    struct pipeline *pipeline;
    const struct cell *cell;
    const struct minute *minute;
    bool any;
};

static void emit(struct rendering *r, struct slice name, const char *statistic,
                 double value)
{
    struct pipeline *p = r->pipeline;

    if (!isfinite(value))
        return;
    p->emissions = memory_grow(p->emissions, p->emission_count + 1, &p->emission_room,
                               sizeof(*p->emissions));

    struct emission *emission = &p->emissions[p->emission_count++];

    *emission = (struct emission){
        .minute = r->minute->number,
        .destination = r->cell->destination,
        .name_at = (uint32_t)p->emission_text.len,
        .value = value,
        .native = cell_is_native(r->cell) && !cell_is_container(r->cell),
        .lane = r->minute->late || r->minute->posted ? MACKEREL_BACKFILL : MACKEREL_LIVE,
    };
    buffer_append(&p->emission_text, name);
    buffer_append_text(&p->emission_text, statistic);
    emission->name_len = (uint32_t)p->emission_text.len - emission->name_at;
    r->any = true;
}

static void emit_native(void *self, struct slice name, double value)
{
    emit(self, name, "", value);
}

/* ".p99"; ".p99_9": a dot would begin a segment. */
static const char *name_percentile(double q, char statistic[MAX_SUFFIX])
{
    snprintf(statistic, MAX_SUFFIX, ".p%.6g", 100 * q);

    char *dot = strchr(statistic + 1, '.');

    if (dot)
        *dot = '_';
    return statistic;
}

static const struct plan *plan_of(const struct rendering *r)
{
    return state_plan(r->pipeline, r->cell->plan);
}

static void render_percentiles(struct rendering *r)
{
    const struct plan *plan = plan_of(r);
    const struct minute *minute = r->minute;
    bool all_in_buckets = fabs(minute->bucketed - minute->increase) <=
                          1e-9 * minute->increase;

    if (minute->layout == POOL_NONE || minute->layout_mix || !all_in_buckets) {
        r->pipeline->counts.layout_mix += minute->layout_mix;
        return;
    }

    const struct layout *layout = state_layout(r->pipeline, minute->layout);

    for (uint8_t i = 0; i < plan->percentile_count; i++) {
        char statistic[MAX_SUFFIX];
        double value;

        if (percentile_explicit(minute->component, layout->bounds, layout->bound_count,
                                plan->percentile[i], &value))
            emit(r, cell_name(r->cell), name_percentile(plan->percentile[i], statistic),
                 value);
    }
}

static void render_rate(struct rendering *r)
{
    if (plan_of(r)->statistics & STATISTIC_RATE)
        emit(r, cell_name(r->cell), ".rate", r->minute->increase / 60);
}

static void render_histogram(struct rendering *r)
{
    const struct minute *minute = r->minute;

    render_rate(r);
    if (minute->increase <= 0)
        return;
    if (!minute->sum_missing && plan_of(r)->statistics & STATISTIC_AVERAGE)
        emit(r, cell_name(r->cell), ".avg", minute->sum / minute->increase);
    render_percentiles(r);
}

/* A sum that remembers what rounding took from it (Neumaier): the order of streams, and values of
 * very different size, change nothing. */
struct sum {
    double total, lost;
    unsigned count;
};

static void sum_add(struct sum *sum, double value)
{
    double total = sum->total + value;

    sum->lost += fabs(sum->total) >= fabs(value) ? sum->total - total + value
                                                 : value - total + sum->total;
    sum->total = total;
    sum->count++;
}

/* By mean or by sum; streams that are not alive only where none is. */
static void render_merged(struct rendering *r)
{
    struct sum alive = {0}, rest = {0};
    struct members walk = members_of(r->cell, r->minute->number);
    const struct stream *stream;

    while ((stream = members_next(r->pipeline, &walk)) != NULL) {
        struct value_reading reading;

        if (!value_read(r->pipeline, stream, r->minute->number, &reading))
            continue;
        sum_add(reading.is_alive ? &alive : &rest, reading.value);
    }

    struct sum sum = alive.count ? alive : rest;
    double total = sum.total + sum.lost;

    if (sum.count)
        emit(r, cell_name(r->cell), "",
             plan_of(r)->merges & MERGE_AVERAGE ? total / sum.count : total);
}

/* Of several mounts of one device only that of the lowest rank counts. */
static uint64_t lowest_rank(const struct rendering *r)
{
    uint64_t lowest = UINT64_MAX;
    struct members walk = members_of(r->cell, r->minute->number);
    const struct stream *stream;

    if (r->cell->group != NATIVE_FILESYSTEM)
        return lowest;
    while ((stream = members_next(r->pipeline, &walk)) != NULL) {
        double value;

        if (stream_feeds_native(r->pipeline, stream, r->minute->number) &&
            stream->rank < lowest &&
            value_read_at_start(r->pipeline, stream, r->minute->number, &value))
            lowest = stream->rank;
    }
    return lowest;
}

static void render_instants(struct rendering *r)
{
    struct native_minute native = {
        .group = r->cell->group,
        .device = cell_name(r->cell),
    };
    uint64_t lowest = lowest_rank(r);
    struct members walk = members_of(r->cell, r->minute->number);
    const struct stream *stream;

    while ((stream = members_next(r->pipeline, &walk)) != NULL) {
        double value;

        if (!stream_feeds_native(r->pipeline, stream, r->minute->number) ||
            (r->cell->group == NATIVE_FILESYSTEM && stream->rank != lowest) ||
            !value_read_at_start(r->pipeline, stream, r->minute->number, &value))
            continue;
        native.value[stream->component] += value;
        native.has[stream->component] = true;
    }
    native_render(&native, emit_native, r);
}

static void read_total(struct rendering *r, const struct stream *stream,
                       struct native_minute *native)
{
    uint8_t component = stream->component;

    if (component >= r->minute->room)
        return;
    native->has[component] = true;
    native->value[component] = r->minute->component[component];
}

static void read_cpu_count(struct rendering *r, const struct stream *stream,
                           struct native_minute *native)
{
    struct value_reading reading;

    if (!value_read(r->pipeline, stream, r->minute->number, &reading))
        return;
    native->has[NATIVE_CPU_COUNT] = true;
    native->value[NATIVE_CPU_COUNT] = reading.value;
}

static void render_totals(struct rendering *r)
{
    struct native_minute native = {
        .group = r->cell->group,
        .device = cell_name(r->cell),
    };
    double cpus[NATIVE_COMPONENTS] = {0};
    struct members walk = members_of(r->cell, r->minute->number);
    const struct stream *stream;

    while ((stream = members_next(r->pipeline, &walk)) != NULL) {
        if (!stream_feeds_native(r->pipeline, stream, r->minute->number))
            continue;
        if (stream->shape == SHAPE_VALUE) {
            read_cpu_count(r, stream, &native);
        } else {
            read_total(r, stream, &native);
            cpus[stream->component] += stream->rank != 0;
            native.cpu_count = fmax(native.cpu_count, cpus[stream->component]);
        }
    }
    native_render(&native, emit_native, r);
}

static void render_native(struct rendering *r)
{
    if (cell_is_container(r->cell))
        container_minute_render(r->pipeline, r->cell, r->minute, emit_native, r);
    else if (r->cell->kind == CELL_TOTALS)
        render_totals(r);
    else
        render_instants(r);
}

bool render_minute(struct pipeline *p, uint32_t cell_index, const struct minute *minute)
{
    struct rendering r = {p, state_cell(p, cell_index), minute, false};

    switch ((enum cell_kind)r.cell->kind) {
    case CELL_RATE: render_rate(&r); break;
    case CELL_HISTOGRAM: render_histogram(&r); break;
    case CELL_MEAN:
    case CELL_SUM: render_merged(&r); break;
    case CELL_TOTALS:
    case CELL_INSTANTS: render_native(&r); break;
    }
    return r.any;
}
