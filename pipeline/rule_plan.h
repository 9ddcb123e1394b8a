/*
 * The plan that a rule and a metric make: what the rule says, and where it says nothing what holds
 * for metrics of that kind without rules.
 */
#ifndef PIPELINE_RULE_PLAN_H
#define PIPELINE_RULE_PLAN_H

#include "pipeline/rule.h"
#include "pipeline/state.h"

/* Labels of the plan lie in `labels`, which is emptied first and must live as long. */
void rule_plan_make(const struct rule *rule, const struct otlp_metric *metric,
                    enum cell_kind kind, struct buffer *labels, struct plan *plan);

/* What the conversion of the unit puts behind the metric's name. */
const char *rule_plan_suffix(const struct rule *rule, const struct otlp_metric *metric);

#endif
