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

static void put_histogram_point(struct buffer *out, const struct scene_point *point)
{
    struct buffer message = {0}, buckets = {0}, bounds = {0};

    put_text_attribute(&message, 9, point->key, point->attribute);
    put_times(&message, point);
    put_fixed64(&message, 4, point->count);
    put_double(&message, 5, point->value);
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
        [SCENE_GAUGE] = {5, 0, false},     [SCENE_UPDOWN] = {7, 2, false},
        [SCENE_COUNTER] = {7, 2, true},    [SCENE_DELTA] = {7, 1, true},
        [SCENE_HISTOGRAM] = {9, 2, false}, [SCENE_DELTA_HISTOGRAM] = {9, 1, false},
    };
    struct buffer data = {0};
    bool is_histogram = shapes[kind].field == 9;

    for (size_t i = 0; i < count; i++) {
        if (is_histogram)
            put_histogram_point(&data, &points[i]);
        else
            put_number_point(&data, &points[i]);
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
