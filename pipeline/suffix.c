#include "pipeline/suffix.h"

#include <stdio.h>

static const struct {
    enum statistic statistic;
    const char *suffix;
} statistics[] = {
    {STATISTIC_RATE, ".rate"},
    {STATISTIC_COUNT, ".count"},
    {STATISTIC_SUM, ".sum"},
    {STATISTIC_AVERAGE, ".avg"},
    {STATISTIC_MIN, ".min"},
    {STATISTIC_MAX, ".max"},
    {STATISTIC_SATURATION, ".saturation"},
    {STATISTIC_TIME, ".time.percentage"},
    {STATISTIC_PERCENTAGE, ".percentage"},
};

static const struct {
    enum merge merge;
    const char *suffix;
} merges[] = {
    {MERGE_AVERAGE, ".avg"},
    {MERGE_SUM, ".sum"},
    {MERGE_MIN, ".min"},
    {MERGE_MAX, ".max"},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

const char *suffix_of_statistic(enum statistic statistic)
{
    for (size_t i = 0; i < COUNT(statistics); i++)
        if (statistics[i].statistic == statistic)
            return statistics[i].suffix;
    return "";
}

const char *suffix_of_percentile(double q, struct suffix *suffix)
{
    snprintf(suffix->text, sizeof(suffix->text), ".p%.6g", 100 * q);

    char *dot = strchr(suffix->text + 1, '.');

    if (dot)
        *dot = '_';
    return suffix->text;
}

static bool has_one(const struct plan *plan)
{
    return (plan->merges & (plan->merges - 1)) == 0;
}

const char *suffix_of_merge(const struct plan *plan, enum merge merge)
{
    for (size_t i = 0; i < COUNT(merges); i++)
        if (merges[i].merge == merge && !has_one(plan))
            return merges[i].suffix;
    return "";
}

static const char *label_of(const struct plan *plan, int label)
{
    const char *at = plan->labels;

    while (label-- > 0)
        at += strlen(at) + 1;
    return at;
}

const char *suffix_of_rate(const struct plan *plan, int label, struct suffix *suffix)
{
    if (plan->label_count == 0)
        return ".rate";
    snprintf(suffix->text, sizeof(suffix->text), ".rate.%.60s",
             label < 0 ? "total" : label_of(plan, label));
    return suffix->text;
}

static void visit_rates(const struct plan *plan, suffix_visit *visit, void *self)
{
    struct suffix suffix;

    visit(self, suffix_of_rate(plan, -1, &suffix));
    for (int label = 0; label < plan->label_count; label++)
        visit(self, suffix_of_rate(plan, label, &suffix));
}

void suffix_all(const struct plan *plan, suffix_visit *visit, void *self)
{
    struct suffix suffix;

    for (size_t i = 0; i < COUNT(statistics); i++) {
        if (!(plan->statistics & statistics[i].statistic))
            continue;
        if (statistics[i].statistic == STATISTIC_RATE)
            visit_rates(plan, visit, self);
        else
            visit(self, statistics[i].suffix);
    }
    for (uint8_t i = 0; i < plan->percentile_count; i++)
        visit(self, suffix_of_percentile(plan->percentile[i], &suffix));
    for (size_t i = 0; i < COUNT(merges); i++)
        if (plan->merges & merges[i].merge)
            visit(self, suffix_of_merge(plan, merges[i].merge));
}

static void add_one(void *self, const char *suffix)
{
    (void)suffix;
    ++*(uint32_t *)self;
}

uint32_t suffix_count(const struct plan *plan)
{
    uint32_t count = 0;

    suffix_all(plan, add_one, &count);
    return count;
}

static void take_longest(void *self, const char *suffix)
{
    size_t *longest = self, len = strlen(suffix);

    *longest = len > *longest ? len : *longest;
}

size_t suffix_longest(const struct plan *plan)
{
    size_t longest = 0;

    suffix_all(plan, take_longest, &longest);
    return longest;
}
