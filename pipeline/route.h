/*
 * Where a family goes by the rules in force: its destination, its name, its plan, or why it is refused.
 * Pure: resource, scope and metric decide, attributes of points never do.
 */
#ifndef PIPELINE_ROUTE_H
#define PIPELINE_ROUTE_H

#include "pipeline/rule.h"
#include "pipeline/state.h"

/* The rules in force; compiled when they are first asked for. */
const struct rules *route_rules(struct pipeline *p);
/* The rule that the family was routed by; NULL when it was none or other rules are in force by now. */
const struct rule *route_rule(struct pipeline *p, const struct family *family);

/* Routes a new family, or one whose rules changed: then what it was before is kept as its former route.
 * The source has no point. */
void route_family(struct pipeline *p, uint32_t index,
                  const struct template_source *source);

/* The family's own destination changed with the default service. False: it does not follow it. */
bool route_follow_default(struct pipeline *p, uint32_t index, uint64_t from_minute);

/* Why points of the family find no cell. */
enum reason route_refusal(struct pipeline *p, const struct family *family);

/*
 * Appends the name of the metric by the rule, without what stands before it (`custom.`, the service's
 * prefix) and behind it (kept attributes, statistics). With the source's point, its attributes too.
 */
void route_append_name(const struct rule *rule, const struct template_source *source,
                       struct buffer *out);

/* Appends all of that name but what stands behind it. */
void route_append_full_name(struct pipeline *p, const struct family *family,
                            const struct template_source *source, struct buffer *out);

/* How the family's cells at that destination are drawn; POOL_NONE at a service. */
uint32_t route_drawing(const struct pipeline *p, const struct family *family,
                       uint32_t destination);

/* Frees what the family holds of its route. */
void route_release(struct pipeline *p, struct family *family);

#endif
