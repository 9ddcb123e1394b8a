#include "pipeline/rendering.h"

#include "base/memory.h"
#include "pipeline/cell.h"

#include <math.h>

void rendering_emit_as(struct rendering *rendering, struct slice name, const char *suffix,
                       double value)
{
    struct pipeline *p = rendering->pipeline;
    const struct minute *minute = rendering->minute;

    if (!isfinite(value))
        return;
    p->emissions = memory_grow(p->emissions, p->emission_count + 1, &p->emission_room,
                               sizeof(*p->emissions));

    struct emission *emission = &p->emissions[p->emission_count++];

    *emission = (struct emission){
        .minute = minute->number,
        .destination = rendering->cell->destination,
        .name_at = (uint32_t)p->emission_text.len,
        .drawing = rendering->cell->drawing,
        .base_len = rendering->cell->name_len,
        .value = value,
        .native = cell_is_native(rendering->cell) && !cell_is_container(rendering->cell),
        .lane = minute->late || minute->posted ? MACKEREL_BACKFILL : MACKEREL_LIVE,
    };
    buffer_append(&p->emission_text, name);
    buffer_append_text(&p->emission_text, suffix);
    emission->name_len = (uint32_t)p->emission_text.len - emission->name_at;
    rendering->any = true;
}

void rendering_emit(struct rendering *rendering, const char *suffix, double value)
{
    rendering_emit_as(rendering, cell_name(rendering->cell), suffix, value);
}
