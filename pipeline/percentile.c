#include "pipeline/percentile.h"

#include <math.h>

/* Increases at minute boundaries are interpolated, so a rank may miss its bucket by rounding. */
static const double REACHED = 1 - 1e-9;

static double total_of(const double *buckets, size_t count)
{
    double total = 0;

    for (size_t i = 0; i < count; i++)
        total += buckets[i];
    return total;
}

static double interpolate(const double *bounds, size_t i, double fraction)
{
    if (i == 0 && bounds[0] <= 0)
        return bounds[0];

    double lower = i == 0 ? 0 : bounds[i - 1];

    return lower + (bounds[i] - lower) * fmin(fraction, 1);
}

bool percentile_explicit(const double *buckets, const double *bounds, size_t bound_count,
                         double q, double *value)
{
    double total = total_of(buckets, bound_count ? bound_count + 1 : 0);
    double rank = q * total, before = 0;

    if (!(total > 0))
        return false;
    for (size_t i = 0; i < bound_count; before += buckets[i], i++) {
        if (buckets[i] > 0 && before + buckets[i] >= rank * REACHED) {
            *value = interpolate(bounds, i, (rank - before) / buckets[i]);
            return true;
        }
    }
    *value = bounds[bound_count - 1];
    return true;
}
