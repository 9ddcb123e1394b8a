#include "pipeline/place.h"

#include "pipeline/cell.h"
#include "pipeline/route.h"
#include "pipeline/rule_match.h"

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

struct placing place_stream(struct pipeline *p, const struct stream_seed *seed)
{
    const struct family *family = state_family(p, seed->family);
    const struct otlp_scope *scope = &seed->batch->scopes[seed->metric->scope];
    const struct rule *rule = route_rule(p, family);
    struct template_source source = {seed->metric, seed->point, scope,
                                     &seed->batch->resources[scope->resource]};

    if (family->destination == POOL_NONE)
        return (struct placing){POOL_NONE, 0};
    if (!rule)
        return (struct placing){place_family_cell(p, family), 0};
    if (!rule_match_point(route_rules(p), rule, &source))
        return (struct placing){POOL_NONE, 0};
    return (struct placing){place_family_cell(p, family),
                            rule_match_labels(route_rules(p), rule, &source)};
}
