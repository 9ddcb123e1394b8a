#include "pipeline/render_total.h"

#include "pipeline/percentile.h"
#include "pipeline/suffix.h"

#include <math.h>

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

/* The share of observations above the last bound: how far percentiles can be believed. */
static void emit_saturation(struct rendering *r, const struct layout *layout)
{
    if (layout->bound_count)
        emit_statistic(r, STATISTIC_SATURATION,
                       r->minute->component[layout->bound_count] / r->minute->bucketed);
}

static void emit_percentiles(struct rendering *r, const struct layout *layout)
{
    for (uint8_t i = 0; i < r->plan->percentile_count; i++) {
        double q = r->plan->percentile[i], value;
        struct suffix suffix;

        if (percentile_explicit(r->minute->component, layout->bounds, layout->bound_count,
                                q, &value))
            rendering_emit(r, suffix_of_percentile(q, &suffix), value * r->plan->scale);
    }
}

static void render_buckets(struct rendering *r)
{
    const struct minute *minute = r->minute;
    bool all_in_buckets = fabs(minute->bucketed - minute->increase) <=
                          1e-9 * minute->increase;

    if (minute->layout == POOL_NONE || minute->layout_mix || !all_in_buckets) {
        r->pipeline->counts.layout_mix += minute->layout_mix;
        return;
    }

    const struct layout *layout = state_layout(r->pipeline, minute->layout);

    emit_saturation(r, layout);
    emit_percentiles(r, layout);
}

void render_histogram(struct rendering *r)
{
    render_distribution_sums(r);
    if (r->minute->increase > 0)
        render_buckets(r);
}
