#include "pipeline/render.h"

#include "pipeline/cell.h"
#include "pipeline/container_minute.h"
#include "pipeline/members.h"
#include "pipeline/native_read.h"
#include "pipeline/render_merged.h"
#include "pipeline/render_total.h"
#include "pipeline/value.h"

#include <math.h>

static void emit_native(void *self, struct slice name, double value)
{
    rendering_emit_as(self, name, "", value);
}

static void render_native(struct rendering *r)
{
    struct native_minute native;

    if (cell_is_container(r->cell)) {
        container_minute_render(r->pipeline, r->cell, r->minute, emit_native, r);
        return;
    }
    native_read_minute(r->pipeline, r->cell, r->minute, &native);
    native_render(&native, emit_native, r);
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
