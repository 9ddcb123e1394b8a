/*
 * Any bytes as an OTLP body: decoded twice into one batch, then everything that a batch offers is
 * read. The books must balance and every record must belong to the one above it.
 */
#include "base/buffer.h"
#include "proto/otlp.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void read_attributes(struct otlp_attributes walk, struct buffer *text)
{
    struct otlp_attribute attribute;

    while (otlp_attributes_next(&walk, &attribute))
        otlp_attribute_text(&attribute, text);
}

static void read_histogram(const struct otlp_batch *batch, const struct otlp_point *point)
{
    require(point->detail < batch->histogram_count);

    const struct otlp_histogram *histogram = &batch->histograms[point->detail];
    uint64_t sum = 0;

    for (uint32_t i = 0; i < histogram->bucket_count; i++)
        sum += otlp_bucket(histogram, i);
    require(histogram->bucket_count == 0 || sum == point->count);
    for (uint32_t i = 1; i < histogram->bound_count; i++)
        require(otlp_bound(histogram, i) > otlp_bound(histogram, i - 1));
}

static uint64_t read_side(const struct otlp_buckets *buckets)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(buckets);
    struct otlp_bucket bucket;
    int64_t last = INT64_MIN;
    uint64_t sum = 0;

    while (otlp_buckets_next(&walk, &bucket)) {
        require(bucket.count > 0 && bucket.index > last);
        require(bucket.index >= buckets->offset &&
                bucket.index - buckets->offset < buckets->count);
        last = bucket.index;
        sum += bucket.count;
    }
    return sum;
}

static void read_exponential(const struct otlp_batch *batch,
                             const struct otlp_point *point)
{
    require(point->detail < batch->exponential_count);

    const struct otlp_exponential *exponential = &batch->exponentials[point->detail];

    require(read_side(&exponential->positive) + read_side(&exponential->negative) +
                exponential->zero_count ==
            point->count);
}

static void read_summary(const struct otlp_batch *batch, const struct otlp_point *point)
{
    require(point->detail < batch->summary_count);

    struct otlp_quantiles_walk walk = otlp_quantiles_walk(
        &batch->summaries[point->detail]);
    struct otlp_quantile quantile;
    double last = -1;

    while (otlp_quantiles_next(&walk, &quantile)) {
        require(quantile.quantile > last && quantile.quantile <= 1);
        last = quantile.quantile;
    }
}

static void read_metric(const struct otlp_batch *batch, uint32_t index,
                        struct buffer *text)
{
    const struct otlp_metric *metric = &batch->metrics[index];

    require(metric->scope < batch->scope_count);
    require(metric->point_count > 0);
    require(metric->first_point + metric->point_count <= batch->point_count);
    for (uint32_t i = 0; i < metric->point_count; i++) {
        const struct otlp_point *point = &batch->points[metric->first_point + i];

        require(point->metric == index && point->time_ns > 0);
        if (metric->kind == OTLP_HISTOGRAM)
            read_histogram(batch, point);
        else if (metric->kind == OTLP_EXPONENTIAL_HISTOGRAM)
            read_exponential(batch, point);
        else if (metric->kind == OTLP_SUMMARY)
            read_summary(batch, point);
        read_attributes(otlp_point_attributes(point, metric->kind), text);
    }
}

static void read_batch(const struct otlp_batch *batch, struct buffer *text)
{
    require(batch->point_count + batch->rejected == batch->total);
    otlp_describe_refused(batch, text);
    for (size_t i = 0; i < batch->resource_count; i++)
        read_attributes(otlp_resource_attributes(&batch->resources[i]), text);
    for (size_t i = 0; i < batch->scope_count; i++) {
        require(batch->scopes[i].resource < batch->resource_count);
        read_attributes(otlp_scope_attributes(&batch->scopes[i]), text);
    }
    for (size_t i = 0; i < batch->metric_count; i++)
        read_metric(batch, (uint32_t)i, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct otlp_batch *batch = otlp_batch_new();
    struct slice body = {(const char *)data, size};
    struct buffer first = {0}, second = {0};

    if (otlp_decode(batch, body, 1, NULL, NULL)) {
        read_batch(batch, &first);
        require(otlp_decode(batch, body, 1, NULL, NULL));
        read_batch(batch, &second);
        require(slice_equal(buffer_slice(&first), buffer_slice(&second)));
    }
    buffer_release(&first);
    buffer_release(&second);
    otlp_batch_free(batch);
    return 0;
}
