#include "pipeline/place.h"

#include "pipeline/cell.h"
#include "pipeline/kept.h"
#include "pipeline/names.h"
#include "pipeline/route.h"
#include "pipeline/rule_match.h"
#include "pipeline/suffix.h"

uint32_t place_family_cell(struct pipeline *p, const struct family *family)
{
    if (family->destination == POOL_NONE)
        return POOL_NONE;
    return cell_open(p, &(struct cell_key){
                            .destination = family->destination,
                            .drawing = route_drawing(p, family, family->destination),
                            .plan = family->plan,
                            .kind = family->kind,
                            .name = {family->name, family->name_len},
                        });
}

uint32_t place_former_cell(struct pipeline *p, const struct family *family)
{
    if (family->former_destination == POOL_NONE || family->former_name_len == 0)
        return POOL_NONE;
    return cell_open(p,
                     &(struct cell_key){
                         .destination = family->former_destination,
                         .drawing = route_drawing(p, family, family->former_destination),
                         .plan = family->former_plan,
                         .kind = family->kind,
                         .name = {family->former_name, family->former_name_len},
                     });
}

/* ---- names -------------------------------------------------------------------------------- */

/* The last place in the budget of names is kept for `other`. */
static uint32_t reserve_of(const struct pipeline *p, const struct family *family,
                           const struct kept_name *kept)
{
    return kept->count ? suffix_count(state_plan(p, family->plan)) : 0;
}

/* May streams join the cell? If not, it goes again unless others are in it. */
static enum names_verdict enter(struct pipeline *p, uint32_t cell, uint32_t reserve)
{
    bool is_known = state_cell(p, cell)->first_stream != POOL_NONE &&
                    state_cell(p, cell)->generation == p->generation;
    enum names_verdict verdict = is_known ? NAMES_FREE : names_ask(p, cell, reserve);

    if (verdict != NAMES_FREE)
        cell_drop_if_unused(p, cell);
    else if (!is_known && state_cell(p, cell)->first_stream != POOL_NONE)
        names_confirm(p, cell);
    return verdict;
}

static enum names_verdict enter_kept(struct pipeline *p, const struct family *family,
                                     const struct template_source *source, bool collapses,
                                     uint32_t *cell)
{
    struct kept_name kept = {0};
    enum names_verdict verdict;

    kept_make(p, family, source, collapses, &kept);
    *cell = cell_open(p, &(struct cell_key){
                             .destination = family->destination,
                             .drawing = route_drawing(p, family, family->destination),
                             .plan = family->plan,
                             .kind = family->kind,
                             .name = buffer_slice(&kept.name),
                             .label = kept.label,
                             .kept = kept.values,
                             .kept_count = kept.count,
                         });
    verdict = enter(p, *cell, reserve_of(p, family, &kept));
    buffer_release(&kept.name);
    if (verdict == NAMES_FREE)
        p->counts.collapsed += kept.is_collapsed;
    return verdict;
}

/* Over budget the values become `other`, where the policy says so. */
static enum names_verdict enter_by_attributes(struct pipeline *p,
                                              const struct family *family,
                                              const struct template_source *source,
                                              uint32_t *cell)
{
    enum names_verdict verdict = enter_kept(p, family, source, false, cell);

    if (verdict == NAMES_OVER_BUDGET && !p->options.budgets.refuses)
        verdict = enter_kept(p, family, source, true, cell);
    return verdict;
}

static enum names_verdict enter_plain(struct pipeline *p, const struct family *family,
                                      uint32_t *cell)
{
    *cell = place_family_cell(p, family);
    return enter(p, *cell, 0);
}

/* ---- streams ------------------------------------------------------------------------------ */

static struct placing nowhere(enum reason why)
{
    return (struct placing){.cell = POOL_NONE, .why = why};
}

static struct placing place_by_rule(struct pipeline *p, const struct family *family,
                                    const struct rule *rule,
                                    const struct template_source *source)
{
    struct placing placing = {
        .labels = rule ? rule_match_labels(route_rules(p), rule, source) : 0,
    };
    bool is_kept = rule && kept_is_asked(rule);
    enum names_verdict verdict = is_kept ? enter_by_attributes(p, family, source,
                                                               &placing.cell)
                                         : enter_plain(p, family, &placing.cell);

    switch (verdict) {
    case NAMES_FREE: return placing;
    case NAMES_COLLIDE: return nowhere(REASON_NAME_COLLISION);
    case NAMES_OVER_BUDGET: return nowhere(REASON_OVER_BUDGET);
    }
    return placing;
}

struct placing place_stream(struct pipeline *p, const struct stream_seed *seed)
{
    const struct family *family = state_family(p, seed->family);
    const struct otlp_scope *scope = &seed->batch->scopes[seed->metric->scope];
    const struct rule *rule = route_rule(p, family);
    struct template_source source = {seed->metric, seed->point, scope,
                                     &seed->batch->resources[scope->resource]};

    if (family->destination == POOL_NONE ||
        (rule && !rule_match_point(route_rules(p), rule, &source)))
        return nowhere(REASON_FILTERED);
    return place_by_rule(p, family, rule, &source);
}
