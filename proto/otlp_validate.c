#include "proto/otlp_validate.h"

#include <math.h>

int otlp_validate_time(const struct otlp_point *point)
{
    if (point->time_ns == 0)
        return REASON_NO_TIME;
    if (point->start_ns > point->time_ns)
        return REASON_START_AFTER_TIME;
    return OTLP_ACCEPTED;
}

int otlp_validate_number(const struct otlp_point *point,
                         enum otlp_temporality temporality, bool monotonic)
{
    bool is_int = point->value_type == OTLP_INT;

    if (point->value_type == OTLP_NO_VALUE)
        return REASON_NO_VALUE;
    if (!is_int && !isfinite(point->as_double))
        return REASON_NOT_FINITE;
    if (monotonic && temporality == OTLP_DELTA &&
        (is_int ? point->as_int < 0 : point->as_double < 0))
        return REASON_NEGATIVE_DELTA;
    return OTLP_ACCEPTED;
}

int otlp_validate_sum(uint64_t count, bool has_sum, double sum)
{
    if (!has_sum)
        return OTLP_ACCEPTED;
    if (!isfinite(sum))
        return REASON_NOT_FINITE;
    /* Written so that no comparison for equality of doubles is needed. */
    if (count == 0 && (sum < 0 || sum > 0))
        return REASON_BAD_HISTOGRAM;
    return OTLP_ACCEPTED;
}

static bool bounds_rise(const struct otlp_histogram *histogram)
{
    double last = -HUGE_VAL;

    for (uint32_t i = 0; i < histogram->bound_count; i++) {
        double bound = otlp_bound(histogram, i);

        if (!(bound > last) || !isfinite(bound))
            return false;
        last = bound;
    }
    return true;
}

static bool buckets_add_up(uint64_t count, const struct otlp_histogram *histogram)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < histogram->bucket_count; i++) {
        uint64_t bucket = otlp_bucket(histogram, i);

        if (bucket > count - sum)
            return false;
        sum += bucket;
    }
    return sum == count;
}

int otlp_validate_histogram(uint64_t count, const struct otlp_histogram *histogram)
{
    bool has_buckets = histogram->bucket_count > 0;

    if (!has_buckets && histogram->bound_count > 0)
        return REASON_BAD_HISTOGRAM;
    if (has_buckets && histogram->bucket_count != histogram->bound_count + 1)
        return REASON_BAD_HISTOGRAM;
    if (has_buckets && (!bounds_rise(histogram) || !buckets_add_up(count, histogram)))
        return REASON_BAD_HISTOGRAM;
    return otlp_validate_sum(count, histogram->has_sum, histogram->sum);
}

/*
 * Is there a double in the bucket? Its edges are 2^(index / 2^scale) and 2^((index + 1) / 2^scale);
 * doubles lie between 2^-1074, the smallest, and 2^1024.
 */
static bool holds_doubles(int64_t index, int32_t scale)
{
    int exponent = scale < -1100 ? 1100 : scale > 1100 ? -1100 : -scale;

    return ldexp((double)index, exponent) < 1024 &&
           ldexp((double)index + 1, exponent) >= -1074;
}

/* Takes the buckets of one side out of what is left of the count. */
static bool side_holds(const struct otlp_buckets *side, int32_t scale, uint64_t *left)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(side);
    struct otlp_bucket bucket;

    if (side->count > OTLP_MAX_BUCKETS)
        return false;
    while (otlp_buckets_next(&walk, &bucket)) {
        if (bucket.count > *left || !holds_doubles(bucket.index, scale))
            return false;
        *left -= bucket.count;
    }
    return true;
}

int otlp_validate_exponential(uint64_t count, const struct otlp_exponential *exponential)
{
    uint64_t left = count;

    if (!(exponential->zero_threshold >= 0) || !isfinite(exponential->zero_threshold) ||
        !side_holds(&exponential->positive, exponential->scale, &left) ||
        !side_holds(&exponential->negative, exponential->scale, &left) ||
        left != exponential->zero_count)
        return REASON_BAD_HISTOGRAM;
    return otlp_validate_sum(count, exponential->has_sum, exponential->sum);
}

int otlp_validate_summary(uint64_t count, const struct otlp_summary *summary)
{
    struct otlp_quantiles_walk walk = otlp_quantiles_walk(summary);
    struct otlp_quantile quantile;
    double last = -1;

    while (otlp_quantiles_next(&walk, &quantile)) {
        if (!(quantile.quantile > last) || !(quantile.quantile >= 0) ||
            !(quantile.quantile <= 1) || quantile.value < 0)
            return REASON_BAD_SUMMARY;
        last = quantile.quantile;
    }
    if (otlp_validate_sum(count, true, summary->sum) == REASON_BAD_HISTOGRAM)
        return REASON_BAD_SUMMARY;
    return isfinite(summary->sum) ? OTLP_ACCEPTED : REASON_NOT_FINITE;
}
