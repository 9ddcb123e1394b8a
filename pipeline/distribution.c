#include "pipeline/distribution.h"

#include "base/memory.h"
#include "pipeline/details.h"
#include "pipeline/layout.h"
#include "pipeline/quantiles.h"

#include <math.h>

static double *scratch(struct pipeline *p, uint32_t count)
{
    p->increases = memory_grow(p->increases, count, &p->increase_room, sizeof(double));
    return p->increases;
}

static void take_extremes(struct increase *increase, double min, double max)
{
    if (!isfinite(min) || !isfinite(max))
        return;
    increase->min = min;
    increase->max = max;
    increase->has_extremes = true;
}

/* ---- explicit ----------------------------------------------------------------------------- */

static void read_explicit(struct pipeline *p, uint32_t stream,
                          const struct otlp_histogram *histogram,
                          struct increase *increase)
{
    double *buckets = scratch(p, histogram->bucket_count);

    layout_remember(p, stream, histogram);
    increase->sum = histogram->sum;
    increase->has_sum = histogram->has_sum;
    increase->layout = state_buckets(p, state_stream(p, stream)->detail)->layout;
    for (uint32_t i = 0; i < histogram->bucket_count; i++)
        buckets[i] = (double)otlp_bucket(histogram, i);
    increase->buckets = buckets;
    if (histogram->has_min && histogram->has_max)
        take_extremes(increase, histogram->min, histogram->max);
}

static bool rise_explicit(struct pipeline *p, const struct buckets *last,
                          const struct otlp_histogram *histogram,
                          struct increase *increase)
{
    double *buckets = scratch(p, histogram->bucket_count);

    increase->sum = histogram->sum - last->sum;
    increase->has_sum = histogram->has_sum && last->has_sum;
    if (!layout_matches(p, last->layout, histogram))
        return true;
    for (uint32_t i = 0; i < histogram->bucket_count; i++) {
        uint64_t count = otlp_bucket(histogram, i);

        if (count < last->count[i])
            return false;
        buckets[i] = (double)(count - last->count[i]);
    }
    increase->layout = last->layout;
    increase->buckets = buckets;
    return true;
}

/* ---- exponential -------------------------------------------------------------------------- */

static void read_exponential(struct pipeline *p, const struct otlp_exponential *point,
                             struct increase *increase)
{
    exponential_read(&p->now, point);
    increase->sum = point->sum;
    increase->has_sum = point->has_sum;
    increase->exponential = &p->now;
    if (point->has_min && point->has_max)
        take_extremes(increase, point->min, point->max);
}

static bool rise_exponential(struct pipeline *p, const struct exponential *last,
                             const struct otlp_exponential *point,
                             struct increase *increase)
{
    exponential_read(&p->now, point);
    increase->sum = point->sum - last->sum;
    increase->has_sum = point->has_sum && last->has_sum;
    increase->exponential = &p->rise;
    return exponential_rise(&p->rise, last, &p->now, &p->other);
}

static void remember_exponential(struct pipeline *p, uint32_t stream,
                                 const struct otlp_exponential *point)
{
    uint32_t index = state_stream(p, stream)->detail;

    if (index == POOL_NONE) {
        index = pool_take(&p->exponentials);
        state_stream(p, stream)->detail = index;
    }
    exponential_read(state_exponential(p, index), point);
}

void distribution_add_exponential(struct pipeline *p, struct minute *minute,
                                  const struct increase *increase, double before,
                                  double until)
{
    if (minute->exponential == POOL_NONE)
        minute->exponential = pool_take(&p->exponentials);
    exponential_add(state_exponential(p, minute->exponential), increase->exponential,
                    before, until, &p->other);
}

/* ---- all kinds ---------------------------------------------------------------------------- */

void distribution_read(struct pipeline *p, uint32_t stream, const struct arrival *arrival,
                       struct increase *increase)
{
    increase->amount = (double)arrival->point->count;
    if (arrival->histogram) {
        read_explicit(p, stream, arrival->histogram, increase);
    } else if (arrival->exponential) {
        read_exponential(p, arrival->exponential, increase);
    } else {
        increase->sum = arrival->summary->sum;
        increase->has_sum = true;
    }
    if (state_stream(p, stream)->shape != SHAPE_DELTA)
        increase->has_extremes = false;
}

bool distribution_rise(struct pipeline *p, const struct stream *stream,
                       const struct arrival *arrival, struct increase *increase)
{
    if (arrival->point->count < stream->last.as_count)
        return false;
    increase->amount = (double)(arrival->point->count - stream->last.as_count);
    if (arrival->histogram)
        return rise_explicit(p, state_buckets(p, stream->detail), arrival->histogram,
                             increase);
    if (arrival->exponential)
        return rise_exponential(p, state_exponential(p, stream->detail),
                                arrival->exponential, increase);
    increase->sum = arrival->summary->sum - state_quantiles(p, stream->detail)->sum;
    increase->has_sum = true;
    return true;
}

void distribution_remember(struct pipeline *p, uint32_t stream,
                           const struct arrival *arrival)
{
    state_stream(p, stream)->last.as_count = arrival->point->count;
    if (arrival->histogram)
        layout_remember(p, stream, arrival->histogram);
    else if (arrival->exponential)
        remember_exponential(p, stream, arrival->exponential);
    else
        quantiles_observe(p, stream, arrival);
}

void distribution_forget(struct pipeline *p, const struct stream *stream)
{
    switch ((enum distribution_kind)stream->distribution) {
    case DISTRIBUTION_EXPLICIT: layout_drop_buckets(p, stream->detail); break;
    case DISTRIBUTION_EXPONENTIAL: details_drop_exponential(p, stream->detail); break;
    case DISTRIBUTION_SUMMARY: details_drop_quantiles(p, stream->detail); break;
    }
}
