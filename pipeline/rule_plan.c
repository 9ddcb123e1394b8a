#include "pipeline/rule_plan.h"

#include "pipeline/plans.h"
#include "pipeline/unit.h"

/* A unit that does not lead to the wanted one leaves the values as they are. */
static struct unit_conversion conversion_of(const struct rule *rule,
                                            const struct otlp_metric *metric)
{
    struct unit_conversion conversion;

    if (rule->has_scale)
        return (struct unit_conversion){rule->scale, ""};
    if (rule->convert.len && unit_convert(metric->unit, rule->convert, &conversion))
        return conversion;
    return (struct unit_conversion){1, ""};
}

const char *rule_plan_suffix(const struct rule *rule, const struct otlp_metric *metric)
{
    return conversion_of(rule, metric).suffix;
}

static void take_statistics(const struct rule *rule, struct plan *plan)
{
    if (!rule->has_statistics)
        return;
    plan->statistics = rule->statistics;
    plan->percentile_count = rule->percentile_count;
    memcpy(plan->percentile, rule->percentile, sizeof(plan->percentile));
}

static void take_labels(const struct rule *rule, struct buffer *labels, struct plan *plan)
{
    buffer_reset(labels);
    for (size_t i = 0; i < rule->label_count; i++) {
        buffer_append(labels, rule->labels[i].name);
        buffer_append_char(labels, '\0');
    }
    plan->labels = labels->ptr;
    plan->labels_len = (uint32_t)labels->len;
    plan->label_count = (uint8_t)rule->label_count;
}

/* Only what a cell of that kind does: other words of the rule do not make its plan another one. */
void rule_plan_make(const struct rule *rule, const struct otlp_metric *metric,
                    enum cell_kind kind, struct buffer *labels, struct plan *plan)
{
    bool is_value = kind == CELL_MEAN || kind == CELL_SUM;

    plans_default(kind, plan);
    plan->scale = conversion_of(rule, metric).factor;
    plan->zero_fill = rule->zero_fill;
    if (is_value) {
        plan->over_time = rule->has_over_time ? (uint8_t)rule->over_time
                                              : plan->over_time;
        plan->merges = rule->merges ? rule->merges : plan->merges;
    } else {
        take_statistics(rule, plan);
        take_labels(rule, labels, plan);
    }
}
