#include "pipeline/render_distribution.h"

#include "pipeline/percentile.h"
#include "pipeline/suffix.h"

#include <math.h>

static void emit_statistic(struct rendering *r, enum statistic statistic, double value)
{
    if (rendering_has(r, statistic))
        rendering_emit(r, suffix_of_statistic(statistic), value);
}

/* ---- buckets ------------------------------------------------------------------------------ */

/* The share of observations above the last bound: how far percentiles can be believed. */
static void emit_saturation(struct rendering *r, const struct layout *layout)
{
    if (layout->bound_count)
        emit_statistic(r, STATISTIC_SATURATION,
                       r->minute->component[layout->bound_count] / r->minute->bucketed);
}

static bool read_percentile(const struct rendering *r, double q, double *value)
{
    const struct minute *minute = r->minute;
    const struct layout *layout;

    if (minute->layout == POOL_NONE)
        return percentile_exponential(state_exponential(r->pipeline, minute->exponential),
                                      q, value);
    layout = state_layout(r->pipeline, minute->layout);
    return percentile_explicit(minute->component, layout->bounds, layout->bound_count, q,
                               value);
}

static void emit_percentiles(struct rendering *r)
{
    for (uint8_t i = 0; i < r->plan->percentile_count; i++) {
        double q = r->plan->percentile[i], value;
        struct suffix suffix;

        if (read_percentile(r, q, &value))
            rendering_emit(r, suffix_of_percentile(q, &suffix), value * r->plan->scale);
    }
}

void render_buckets(struct rendering *r)
{
    const struct minute *minute = r->minute;
    bool has_buckets = minute->layout != POOL_NONE || minute->exponential != POOL_NONE;
    bool all_in_buckets = fabs(minute->bucketed - minute->increase) <=
                          1e-9 * minute->increase;

    if (!has_buckets || minute->layout_mix || !all_in_buckets) {
        r->pipeline->counts.layout_mix += minute->layout_mix;
        return;
    }
    if (minute->layout != POOL_NONE)
        emit_saturation(r, state_layout(r->pipeline, minute->layout));
    emit_percentiles(r);
}

/* ---- minimum, maximum --------------------------------------------------------------------- */

void render_extremes(struct rendering *r)
{
    const struct minute *minute = r->minute;

    if (!minute->has_extremes || minute->extremes_missing)
        return;
    emit_statistic(r, STATISTIC_MIN, minute->min * r->plan->scale);
    emit_statistic(r, STATISTIC_MAX, minute->max * r->plan->scale);
}

/* ---- summaries ---------------------------------------------------------------------------- */

static const char *name_quantile(double q, struct suffix *suffix)
{
    if (q <= 0)
        return suffix_of_statistic(STATISTIC_MIN);
    return q >= 1 ? suffix_of_statistic(STATISTIC_MAX) : suffix_of_percentile(q, suffix);
}

static bool is_wanted(const struct rendering *r, double q)
{
    if (rendering_has(r, STATISTIC_QUANTILES))
        return true;
    if (q <= 0 || q >= 1)
        return rendering_has(r, q <= 0 ? STATISTIC_MIN : STATISTIC_MAX);
    for (uint8_t i = 0; i < r->plan->percentile_count; i++)
        if (fabs(r->plan->percentile[i] - q) < 1e-9)
            return true;
    return false;
}

void render_quantiles(struct rendering *r)
{
    const struct minute *minute = r->minute;
    const struct quantiles *quantiles;

    if (minute->quantiles == POOL_NONE)
        return;
    quantiles = state_quantiles(r->pipeline, minute->quantiles);
    if (quantiles->is_mixed || minute->layout != POOL_NONE ||
        minute->exponential != POOL_NONE) {
        r->pipeline->counts.layout_mix++;
        return;
    }
    for (uint32_t i = 0; i < quantiles->len; i++) {
        const struct otlp_quantile *at = &quantiles->value[i];
        struct suffix suffix;

        if (is_wanted(r, at->quantile))
            rendering_emit(r, name_quantile(at->quantile, &suffix),
                           at->value * r->plan->scale);
    }
}
