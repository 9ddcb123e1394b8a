#include "pipeline/render.h"

#include "pipeline/cell.h"
#include "pipeline/container_minute.h"
#include "pipeline/members.h"
#include "pipeline/render_merged.h"
#include "pipeline/render_total.h"
#include "pipeline/stream.h"
#include "pipeline/total.h"
#include "pipeline/value.h"

#include <math.h>

static void emit_native(void *self, struct slice name, double value)
{
    rendering_emit_as(self, name, "", value);
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
    const struct cell *cell = state_cell(p, cell_index);
    struct rendering r = {
        .pipeline = p,
        .cell = cell,
        .plan = cell->plan == POOL_NONE ? NULL : state_plan(p, cell->plan),
        .minute = minute,
    };

    switch ((enum cell_kind)cell->kind) {
    case CELL_RATE: render_counter(&r); break;
    case CELL_HISTOGRAM: render_histogram(&r); break;
    case CELL_MEAN:
    case CELL_SUM: render_merged(&r); break;
    case CELL_TOTALS:
    case CELL_INSTANTS: render_native(&r); break;
    }
    return r.any;
}
