/*
 * Names of cells that depend on attributes of points: kept attributes are segments behind the metric's name,
 * templates may have them anywhere. Attributes never choose the destination, only the name in it.
 *
 * Of a kept attribute a metric has at most `top` values in a destination (rule, budgets.attribute_values):
 * the first ones that come; what comes later is `other` while these have streams. So is everything of
 * a point that its SDK marked as overflow (otel.metric.overflow), and the value `other` itself. Where the
 * attribute is missing stands `_`.
 */
#ifndef PIPELINE_KEPT_H
#define PIPELINE_KEPT_H

#include "pipeline/rule.h"
#include "pipeline/state.h"

struct kept_name {
    struct kept_value values[RULE_MAX_KEPT]; /* that take a place */
    uint32_t count;
    bool is_collapsed;    /* one of them became `other` for want of a place */
    struct hash128 label; /* of the texts before they were sanitised; zero: none */
    struct buffer name;   /* of the cell; the caller's to release */
};

/* Does the name of the rule's cells depend on points? */
bool kept_is_asked(const struct rule *rule);

/* What the cell of that point is called. `kept` is zero before; `collapses`: no value has a place. */
void kept_make(struct pipeline *p, const struct family *family,
               const struct template_source *source, bool collapses,
               struct kept_name *kept);

#endif
