/*
 * Which rule a metric follows, and which of its streams a rule takes. On first sight only.
 *
 * Resource, scope and metric choose the rule, attributes of points never do; so that work can be
 * divided by destination before anything is known about streams.
 */
#ifndef PIPELINE_RULE_MATCH_H
#define PIPELINE_RULE_MATCH_H

#include "pipeline/rule.h"

/* The first rule that matches; RULE_NONE where none does. The source's point is not looked at. */
uint32_t rule_match_family(const struct rules *rules,
                           const struct template_source *source);

/* Does the rule take the stream of that point (its `where`)? */
bool rule_match_point(const struct rules *rules, const struct rule *rule,
                      const struct template_source *source);

/* The labels of the rule's breakdown that the stream of that point has: bit 0 is the first. */
uint8_t rule_match_labels(const struct rules *rules, const struct rule *rule,
                          const struct template_source *source);

/* The metric's kind as rules see it. */
enum rule_kind rule_match_kind(const struct otlp_metric *metric);

#endif
