#include "tests/pipeline/scene_body.h"

#include "tests/proto/message.h"

#include <math.h>

uint64_t scene_unix_ns(double time_s)
{
    return (uint64_t)SCENE_MIDNIGHT_S * 1000000000u + (uint64_t)llround(time_s * 1e9);
}

static void put_text_attribute(struct buffer *out, unsigned field, const char *key,
                               const char *value)
{
    if (key && value)
        put_attribute(out, field, key, value);
}

static void put_resource(struct buffer *out, const struct scene_resource *resource)
{
    struct buffer message = {0};

    put_text_attribute(&message, 1, "service.name", resource->service);
    put_text_attribute(&message, 1, "service.namespace", resource->namespace_);
    put_text_attribute(&message, 1, "service.instance.id", resource->instance);
    put_text_attribute(&message, 1, "host.name", resource->host);
    put_text_attribute(&message, 1, "k8s.pod.name", resource->pod);
    put_text_attribute(&message, 1, "k8s.container.name", resource->container);
    put_text_attribute(&message, 1, "telemetry.sdk.language",
                       resource->is_sdk ? "c" : NULL);
    put_message(out, 1, message);
}

static void put_times(struct buffer *out, const struct scene_point *point)
{
    if (point->start_s > 0)
        put_fixed64(out, 2, scene_unix_ns(point->start_s));
    put_fixed64(out, 3, scene_unix_ns(point->time_s));
}

static void put_number_point(struct buffer *out, const struct scene_point *point)
{
    struct buffer message = {0};

    put_text_attribute(&message, 7, point->key, point->attribute);
    put_text_attribute(&message, 7, point->key2, point->attribute2);
    put_times(&message, point);
    if (point->is_int)
        put_fixed64(&message, 6, (uint64_t)(int64_t)llround(point->value));
    else
        put_double(&message, 4, point->value);
    if (point->flags)
        put_number(&message, 8, point->flags);
    put_message(out, 1, message);
}

static bool has_extremes(const struct scene_point *point)
{
    return point->min < 0 || point->min > 0 || point->max < 0 || point->max > 0;
}

/* Count, sum, and from field `min` on minimum and maximum. */
static void put_distribution(struct buffer *message, const struct scene_point *point,
                             unsigned min)
{
    put_fixed64(message, 4, point->count);
    if (!point->has_no_sum)
        put_double(message, 5, point->value);
    if (has_extremes(point)) {
        put_double(message, min, point->min);
        put_double(message, min + 1, point->max);
    }
}

static uint64_t zigzag(int64_t number)
{
    return (uint64_t)(number < 0 ? -2 * number - 1 : 2 * number);
}

static void put_side(struct buffer *out, unsigned field, const struct scene_side *side)
{
    struct buffer message = {0}, counts = {0};

    if (side->count == 0)
        return;
    put_number(&message, 1, zigzag(side->offset));
    for (size_t i = 0; i < side->count; i++)
        put_varint(&counts, side->counts[i]);
    put_message(&message, 2, counts);
    put_message(out, field, message);
}

static void put_exponential_point(struct buffer *out, const struct scene_point *point)
{
    const struct scene_exponential *exponential = point->exponential;
    struct buffer message = {0};

    put_text_attribute(&message, 1, point->key, point->attribute);
    put_times(&message, point);
    put_distribution(&message, point, 12);
    put_number(&message, 6, zigzag(exponential->scale));
    put_fixed64(&message, 7, exponential->zero_count);
    put_side(&message, 8, &exponential->positive);
    put_side(&message, 9, &exponential->negative);
    put_double(&message, 14, exponential->zero_threshold);
    if (point->flags)
        put_number(&message, 10, point->flags);
    put_message(out, 1, message);
}

static void put_summary_point(struct buffer *out, const struct scene_point *point)
{
    struct buffer message = {0};

    put_text_attribute(&message, 7, point->key, point->attribute);
    put_times(&message, point);
    put_fixed64(&message, 4, point->count);
    put_double(&message, 5, point->value);
    for (size_t i = 0; i < point->quantile_count; i++) {
        struct buffer quantile = {0};

        put_double(&quantile, 1, point->quantiles[i].quantile);
        put_double(&quantile, 2, point->quantiles[i].value);
        put_message(&message, 6, quantile);
    }
    if (point->flags)
        put_number(&message, 8, point->flags);
    put_message(out, 1, message);
}

static void put_histogram_point(struct buffer *out, const struct scene_point *point)
{
    struct buffer message = {0}, buckets = {0}, bounds = {0};

    put_text_attribute(&message, 9, point->key, point->attribute);
    put_times(&message, point);
    put_distribution(&message, point, 11);
    for (size_t i = 0; i < point->bound_count; i++)
        buffer_append(&bounds, (struct slice){(const char *)&point->bounds[i], 8});
    for (size_t i = 0; point->buckets && i <= point->bound_count; i++)
        buffer_append(&buckets, (struct slice){(const char *)&point->buckets[i], 8});
    put_message(&message, 6, buckets);
    put_message(&message, 7, bounds);
    put_message(out, 1, message);
}

static void put_data(struct buffer *out, enum scene_kind kind,
                     const struct scene_point *points, size_t count)
{
    static const struct {
        unsigned field, temporality;
        bool monotonic;
    } shapes[] = {
        [SCENE_GAUGE] = {5, 0, false},        [SCENE_UPDOWN] = {7, 2, false},
        [SCENE_COUNTER] = {7, 2, true},       [SCENE_DELTA] = {7, 1, true},
        [SCENE_HISTOGRAM] = {9, 2, false},    [SCENE_DELTA_HISTOGRAM] = {9, 1, false},
        [SCENE_EXPONENTIAL] = {10, 2, false}, [SCENE_DELTA_EXPONENTIAL] = {10, 1, false},
        [SCENE_SUMMARY] = {11, 0, false},
    };
    struct buffer data = {0};

    for (size_t i = 0; i < count; i++) {
        switch (shapes[kind].field) {
        case 9: put_histogram_point(&data, &points[i]); break;
        case 10: put_exponential_point(&data, &points[i]); break;
        case 11: put_summary_point(&data, &points[i]); break;
        default: put_number_point(&data, &points[i]); break;
        }
    }
    if (shapes[kind].temporality)
        put_number(&data, 2, shapes[kind].temporality);
    if (shapes[kind].monotonic)
        put_number(&data, 3, 1);
    put_message(out, shapes[kind].field, data);
}

void scene_body_append(struct buffer *out, const struct scene_metric *metric,
                       const struct scene_point *points, size_t count)
{
    const struct scene_resource *resource = metric->resource;
    struct buffer message = {0}, scope_metrics = {0}, resource_metrics = {0}, scope = {0};

    put_text(&message, FIELD_METRIC_NAME, metric->name);
    if (resource->description)
        put_text(&message, 2, resource->description);
    if (resource->unit)
        put_text(&message, 3, resource->unit);
    put_data(&message, metric->kind, points, count);
    put_text(&scope, FIELD_SCOPE_NAME, resource->scope ? resource->scope : "scene");
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_SCOPE, scope);
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS, message);
    put_resource(&resource_metrics, resource);
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, scope_metrics);
    put_message(out, FIELD_REQUEST_RESOURCE_METRICS, resource_metrics);
}
