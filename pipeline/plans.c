#include "pipeline/plans.h"

#include "base/memory.h"

#include <stdlib.h>

void plans_default(enum cell_kind kind, struct plan *plan)
{
    static const double percentiles[] = {0.90, 0.95, 0.99};

    *plan = (struct plan){.scale = 1};
    switch (kind) {
    case CELL_RATE: plan->statistics = STATISTIC_RATE; break;
    case CELL_HISTOGRAM:
        plan->statistics = STATISTIC_RATE | STATISTIC_AVERAGE | STATISTIC_QUANTILES;
        plan->percentile_count = sizeof(percentiles) / sizeof(percentiles[0]);
        memcpy(plan->percentile, percentiles, sizeof(percentiles));
        break;
    case CELL_MEAN: plan->merges = MERGE_AVERAGE; break;
    case CELL_SUM: plan->merges = MERGE_SUM; break;
    case CELL_TOTALS:
    case CELL_INSTANTS: break;
    }
}

/* Field by field: padding has no say in it. */
static struct hash128 hash_of(const struct plan *plan)
{
    const uint32_t numbers[] = {plan->statistics,  plan->percentile_count,
                                plan->label_count, plan->merges,
                                plan->over_time,   plan->zero_fill};
    struct slice parts[] = {
        {(const char *)numbers, sizeof(numbers)},
        {(const char *)plan->percentile, plan->percentile_count * sizeof(double)},
        {(const char *)&plan->scale, sizeof(plan->scale)},
        {plan->labels, plan->labels_len},
    };
    struct hash128 hash = {0};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        hash = hash_mix(hash, hash_bytes(parts[i], i));
    return hash;
}

uint32_t plans_take(struct pipeline *p, const struct plan *plan)
{
    struct hash128 hash = hash_of(plan);
    uint32_t index = table_find(&p->plan_table, hash);

    if (index == TABLE_NONE) {
        struct plan *copy;

        index = pool_take(&p->plans);
        copy = state_plan(p, index);
        *copy = *plan;
        copy->hash = hash;
        copy->users = 0;
        copy->labels = memory_copy((struct slice){plan->labels, plan->labels_len});
        table_insert(&p->plan_table, hash, index);
    }
    return plans_share(p, index);
}

uint32_t plans_take_default(struct pipeline *p, enum cell_kind kind)
{
    struct plan plan;

    plans_default(kind, &plan);
    return plans_take(p, &plan);
}

uint32_t plans_share(struct pipeline *p, uint32_t index)
{
    if (index != POOL_NONE)
        state_plan(p, index)->users++;
    return index;
}

void plans_give(struct pipeline *p, uint32_t index)
{
    if (index == POOL_NONE)
        return;

    struct plan *plan = state_plan(p, index);

    if (--plan->users)
        return;
    table_remove(&p->plan_table, plan->hash);
    free(plan->labels);
    plan->labels = NULL;
    pool_give(&p->plans, index);
}
