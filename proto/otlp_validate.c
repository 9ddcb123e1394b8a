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

int otlp_validate_sum(uint64_t count, const struct otlp_histogram *histogram)
{
    if (!histogram->has_sum)
        return OTLP_ACCEPTED;
    if (!isfinite(histogram->sum))
        return REASON_NOT_FINITE;
    /* Written so that no comparison for equality of doubles is needed. */
    if (count == 0 && (histogram->sum < 0 || histogram->sum > 0))
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
    return otlp_validate_sum(count, histogram);
}
