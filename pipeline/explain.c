#include "pipeline/explain.h"

#include "pipeline/cell.h"
#include "pipeline/family.h"
#include "pipeline/native.h"
#include "pipeline/rule.h"
#include "pipeline/stream.h"
#include "pipeline/suffix.h"

bool explain_is_cell(const struct pipeline *p, uint32_t cell)
{
    return cell < p->cells.used && state_cell(p, cell)->name;
}

/* ---- where to ---------------------------------------------------------------------------- */

static struct explanation refused(uint8_t refusal)
{
    return (struct explanation){
        .cell = POOL_NONE,
        .reason = (enum reason)(refusal - 1),
    };
}

static struct explanation explain_stream(const struct pipeline *p, uint32_t index)
{
    const struct stream *stream = state_stream(p, index);

    if (stream->refusal)
        return refused(stream->refusal);
    return (struct explanation){.cell = stream->cell};
}

static struct explanation explain_new_stream(struct pipeline *p,
                                             const struct stream_seed *seed)
{
    struct explanation explanation = {.cell = POOL_NONE};
    uint32_t index;

    if (seed->point->flags & OTLP_NO_RECORDED_VALUE)
        explanation.reason = REASON_STALE_MARKER;
    else if (stream_open(p, seed, &index, &explanation.reason))
        return explain_stream(p, index);
    return explanation;
}

struct explained_rule explain_rule(const struct pipeline *p, uint32_t index)
{
    const struct family *family = state_family(p, index);
    const struct rules *rules = p->compiled;

    if (!rules || family->generation != p->generation || family->rule >= rules->count)
        return (struct explained_rule){0};
    return (struct explained_rule){rules->items[family->rule].name, family->rule + 1,
                                   rules->count};
}

struct explanation explain_point(struct pipeline *p, const struct otlp_batch *batch,
                                 const struct otlp_point *point)
{
    const struct otlp_metric *metric = &batch->metrics[point->metric];
    uint32_t family = family_open(p, batch, metric);
    uint8_t refusal = state_family(p, family)->refusal;
    struct explanation explanation;

    if (refusal) {
        explanation = refused(refusal);
    } else {
        const struct stream_seed seed = {
            .family = family, .batch = batch, .metric = metric, .point = point};
        uint32_t index = stream_find(p, state_family(p, family), point);

        explanation = index == POOL_NONE ? explain_new_stream(p, &seed)
                                         : explain_stream(p, index);
    }
    explanation.rule = explain_rule(p, family);
    family_drop_if_unused(p, family);
    return explanation;
}

/* ---- under which names ------------------------------------------------------------------- */

struct naming {
    const struct pipeline *pipeline;
    const struct cell *cell;
    explain_visit *visit;
    void *self;
    struct buffer text;
};

static void visit_suffix(void *self, const char *suffix)
{
    struct naming *naming = self;

    buffer_reset(&naming->text);
    buffer_append(&naming->text, cell_name(naming->cell));
    buffer_append_text(&naming->text, suffix);
    naming->visit(naming->self, buffer_slice(&naming->text));
}

static void visit_native(void *self, struct slice name, double value)
{
    const struct naming *naming = self;

    (void)value;
    naming->visit(naming->self, name);
}

static void visit_container(struct naming *naming)
{
    bool is_network = naming->cell->group == NATIVE_CONTAINER_NETWORK;

    visit_suffix(naming, is_network ? ".rxBytes.delta" : ".usage");
    visit_suffix(naming, is_network ? ".txBytes.delta" : ".limit");
}

/* With every component that a stream feeds, as if all had risen. */
static void visit_host_group(struct naming *naming)
{
    const struct pipeline *p = naming->pipeline;
    struct native_minute minute = {
        .group = (enum native_group)naming->cell->group,
        .device = cell_name(naming->cell),
        .cpu_count = 1,
    };

    for (uint32_t at = naming->cell->first_stream; at != POOL_NONE;
         at = state_stream(p, at)->next_in_cell) {
        minute.has[state_stream(p, at)->component] = true;
        minute.value[state_stream(p, at)->component] = 1;
    }
    native_render(&minute, visit_native, naming);
}

void explain_names(const struct pipeline *p, uint32_t cell, explain_visit *visit,
                   void *self)
{
    struct naming naming = {p, state_cell(p, cell), visit, self, {0}};

    if (cell_is_container(naming.cell))
        visit_container(&naming);
    else if (cell_is_native(naming.cell))
        visit_host_group(&naming);
    else
        suffix_all(state_plan(p, naming.cell->plan), visit_suffix, &naming);
    buffer_release(&naming.text);
}
