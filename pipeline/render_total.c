#include "pipeline/render_total.h"

#include "pipeline/render_distribution.h"
#include "pipeline/suffix.h"

/* One of the minute's parts (struct minute), 0 where nothing fell into it. */
static double part(const struct minute *minute, uint32_t index)
{
    return index < minute->part_count ? minute->part[index] : 0;
}

/* All of it, then each label's. */
static void emit_rates(struct rendering *r, double scale)
{
    struct suffix suffix;

    rendering_emit(r, suffix_of_rate(r->plan, -1, &suffix),
                   r->minute->increase * scale / 60);
    for (int label = 0; label < r->plan->label_count; label++)
        rendering_emit(r, suffix_of_rate(r->plan, label, &suffix),
                       part(r->minute, MINUTE_PART_LABELS + (uint32_t)label) * scale /
                           60);
}

static void emit_statistic(struct rendering *r, enum statistic statistic, double value)
{
    if (rendering_has(r, statistic))
        rendering_emit(r, suffix_of_statistic(statistic), value);
}

void render_counter(struct rendering *r)
{
    const struct minute *minute = r->minute;
    double scale = r->plan->scale;

    if (rendering_has(r, STATISTIC_RATE))
        emit_rates(r, scale);
    emit_statistic(r, STATISTIC_COUNT, part(minute, MINUTE_PART_WHOLE) * scale);
    emit_statistic(r, STATISTIC_PERCENTAGE, minute->increase * scale * 100 / 60);
}

/* Without a sum nothing is known of it; without observations there is no average. */
void render_distribution_sums(struct rendering *r)
{
    const struct minute *minute = r->minute;
    double sum = minute->sum * r->plan->scale;

    if (rendering_has(r, STATISTIC_RATE))
        emit_rates(r, 1);
    emit_statistic(r, STATISTIC_COUNT, part(minute, MINUTE_PART_WHOLE));
    if (minute->sum_missing)
        return;
    emit_statistic(r, STATISTIC_SUM, sum / 60);
    if (minute->increase > 0)
        emit_statistic(r, STATISTIC_AVERAGE, sum / minute->increase);
    emit_statistic(r, STATISTIC_TIME, sum * 100 / 60);
}

void render_histogram(struct rendering *r)
{
    render_distribution_sums(r);
    render_quantiles(r);
    if (!(r->minute->increase > 0))
        return;
    render_extremes(r);
    render_buckets(r);
}
