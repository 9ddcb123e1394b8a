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

/* ---- exponential -------------------------------------------------------------------------- */

static double total_of_side(const struct exponential_side *side)
{
    double total = 0;

    for (uint32_t i = 0; i < side->len; i++)
        total += side->count[i].part;
    return total;
}

/* On the way from the lowest value to the highest. */
struct climb {
    double rank, before;
};

/* Is the rank in here? Then which share of it lies below the rank. */
static bool reaches(struct climb *climb, double count, double *share)
{
    double rest = climb->rank - climb->before;

    climb->before += count;
    if (!(count > 0) || climb->before < climb->rank * REACHED)
        return false;
    *share = fmin(rest / count, 1);
    return true;
}

static bool find_negative(const struct exponential *buckets, struct climb *climb,
                          double *value)
{
    const struct exponential_side *side = &buckets->negative;
    double share;

    for (uint32_t i = side->len; i-- > 0;) {
        if (!reaches(climb, side->count[i].part, &share))
            continue;
        *value = -exponential_edge(buckets, (double)(side->low + i) + 1 - share);
        return true;
    }
    return false;
}

static bool find_positive(const struct exponential *buckets, struct climb *climb,
                          double *value)
{
    const struct exponential_side *side = &buckets->positive;
    double share;

    for (uint32_t i = 0; i < side->len; i++) {
        if (!reaches(climb, side->count[i].part, &share))
            continue;
        *value = exponential_edge(buckets, (double)(side->low + i) + share);
        return true;
    }
    return false;
}

static bool find_zero(const struct exponential *buckets, struct climb *climb,
                      double *value)
{
    bool has_positive = total_of_side(&buckets->positive) > 0;
    bool has_negative = total_of_side(&buckets->negative) > 0;
    double low = has_positive && !has_negative ? 0 : -buckets->zero_threshold;
    double high = has_negative && !has_positive ? 0 : buckets->zero_threshold;
    double share;

    if (!reaches(climb, buckets->zero.part, &share))
        return false;
    *value = low + (high - low) * share;
    return true;
}

bool percentile_exponential(const struct exponential *buckets, double q, double *value)
{
    double total = total_of_side(&buckets->negative) + buckets->zero.part +
                   total_of_side(&buckets->positive);
    struct climb climb = {q * total, 0};

    return total > 0 &&
           (find_negative(buckets, &climb, value) || find_zero(buckets, &climb, value) ||
            find_positive(buckets, &climb, value));
}
