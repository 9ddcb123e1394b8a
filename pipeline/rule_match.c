#include "pipeline/rule_match.h"

#include "base/buffer.h"

enum rule_kind rule_match_kind(const struct otlp_metric *metric)
{
    switch ((enum otlp_kind)metric->kind) {
    case OTLP_NO_DATA:
    case OTLP_GAUGE: return RULE_GAUGE;
    case OTLP_SUM: break;
    case OTLP_HISTOGRAM: return RULE_HISTOGRAM;
    case OTLP_EXPONENTIAL_HISTOGRAM: return RULE_EXPONENTIAL_HISTOGRAM;
    case OTLP_SUMMARY: return RULE_SUMMARY;
    }
    return metric->monotonic || metric->temporality == OTLP_DELTA ? RULE_COUNTER
                                                                  : RULE_UPDOWNCOUNTER;
}

/* ---- conditions --------------------------------------------------------------------------- */

static bool condition_holds(const struct rules *rules,
                            const struct rule_condition *condition,
                            struct otlp_attributes walk)
{
    struct otlp_attribute attribute;
    struct buffer text = {0};
    bool is_there = otlp_attributes_find(walk, condition->key.ptr, &attribute);
    bool holds;

    if (condition->presence != RULE_MATCHES || !is_there)
        return condition->presence == (is_there ? RULE_PRESENT : RULE_ABSENT);
    otlp_attribute_text(&attribute, &text);
    holds = pattern_list_matches(
        &condition->patterns, text.len ? buffer_slice(&text) : slice_of(""), rules->run);
    buffer_release(&text);
    return holds;
}

static bool conditions_hold(const struct rules *rules,
                            const struct rule_conditions *conditions,
                            struct otlp_attributes walk)
{
    for (size_t i = 0; i < conditions->count; i++)
        if (!condition_holds(rules, &conditions->items[i], walk))
            return false;
    return true;
}

/* ---- families ----------------------------------------------------------------------------- */

static bool suits(const struct rules *rules, const struct pattern_list *patterns,
                  struct slice text)
{
    return patterns->count == 0 || pattern_list_matches(patterns, text, rules->run);
}

/* What is cheap and tells most comes first. */
static bool matches(const struct rules *rules, const struct rule_match *match,
                    const struct template_source *source)
{
    const struct otlp_metric *metric = source->metric;

    return (match->kinds == 0 || match->kinds & rule_match_kind(metric)) &&
           suits(rules, &match->metric, metric->name) &&
           suits(rules, &match->unit, metric->unit) &&
           suits(rules, &match->scope, source->scope->name) &&
           conditions_hold(rules, &match->resource,
                           otlp_resource_attributes(source->resource)) &&
           conditions_hold(rules, &match->scope_attributes,
                           otlp_scope_attributes(source->scope));
}

uint32_t rule_match_family(const struct rules *rules,
                           const struct template_source *source)
{
    for (uint32_t i = 0; i < rules->count; i++)
        if (matches(rules, &rules->items[i].match, source))
            return i;
    return RULE_NONE;
}

/* ---- streams ------------------------------------------------------------------------------ */

static struct otlp_attributes attributes_of(const struct template_source *source)
{
    return otlp_point_attributes(source->point, (enum otlp_kind)source->metric->kind);
}

bool rule_match_point(const struct rules *rules, const struct rule *rule,
                      const struct template_source *source)
{
    return rule->where.count == 0 ||
           conditions_hold(rules, &rule->where, attributes_of(source));
}

uint8_t rule_match_labels(const struct rules *rules, const struct rule *rule,
                          const struct template_source *source)
{
    unsigned labels = 0;

    for (size_t i = 0; i < rule->label_count; i++)
        if (conditions_hold(rules, &rule->labels[i].where, attributes_of(source)))
            labels |= 1u << i;
    return (uint8_t)labels;
}
