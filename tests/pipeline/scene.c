#include "tests/pipeline/scene.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t MIDNIGHT_S = 1795478400; /* 2026-11-24T00:00:00Z */

static uint64_t unix_ns(double time_s)
{
    return MIDNIGHT_S * 1000000000u + (uint64_t)llround(time_s * 1e9);
}

/* ---- a protobuf writer of just what a request needs --------------------------------------- */

static void put_varint(struct buffer *out, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        buffer_append_char(out, (char)(value | 128));
    buffer_append_char(out, (char)value);
}

static void put_number(struct buffer *out, unsigned field, uint64_t value)
{
    put_varint(out, field << 3);
    put_varint(out, value);
}

static void put_fixed(struct buffer *out, unsigned field, uint64_t value)
{
    put_varint(out, field << 3 | 1);
    for (int i = 0; i < 8; i++)
        buffer_append_char(out, (char)(value >> (8 * i)));
}

static void put_double(struct buffer *out, unsigned field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_fixed(out, field, bits);
}

static void put_bytes(struct buffer *out, unsigned field, struct slice bytes)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len);
    buffer_append(out, bytes);
}

static void put_message(struct buffer *out, unsigned field, struct buffer *message)
{
    put_bytes(out, field, buffer_slice(message));
    buffer_release(message);
}

static void put_attribute(struct buffer *out, unsigned field, const char *key,
                          const char *value)
{
    struct buffer any = {0}, pair = {0};

    if (!key || !value)
        return;
    put_bytes(&any, 1, slice_of(value));
    put_bytes(&pair, 1, slice_of(key));
    put_message(&pair, 2, &any);
    put_message(out, field, &pair);
}

static void put_resource(struct buffer *out, const struct scene_resource *resource)
{
    struct buffer message = {0};

    put_attribute(&message, 1, "service.name", resource->service);
    put_attribute(&message, 1, "service.namespace", resource->namespace_);
    put_attribute(&message, 1, "service.instance.id", resource->instance);
    put_attribute(&message, 1, "host.name", resource->host);
    put_attribute(&message, 1, "telemetry.sdk.language", resource->is_sdk ? "c" : NULL);
    put_message(out, 1, &message);
}

static void put_times(struct buffer *out, const struct scene_point *point)
{
    if (point->start_s > 0)
        put_fixed(out, 2, unix_ns(point->start_s));
    put_fixed(out, 3, unix_ns(point->time_s));
}

static void put_number_point(struct buffer *out, const struct scene_point *point)
{
    struct buffer message = {0};

    put_attribute(&message, 7, point->key, point->attribute);
    put_attribute(&message, 7, point->key2, point->attribute2);
    put_times(&message, point);
    if (point->is_int)
        put_fixed(&message, 6, (uint64_t)(int64_t)llround(point->value));
    else
        put_double(&message, 4, point->value);
    if (point->flags)
        put_number(&message, 8, point->flags);
    put_message(out, 1, &message);
}

static void put_histogram_point(struct buffer *out, const struct scene_point *point)
{
    struct buffer message = {0}, buckets = {0}, bounds = {0};

    put_attribute(&message, 9, point->key, point->attribute);
    put_times(&message, point);
    put_fixed(&message, 4, point->count);
    put_double(&message, 5, point->value);
    for (size_t i = 0; i < point->bound_count; i++)
        buffer_append(&bounds, (struct slice){(const char *)&point->bounds[i], 8});
    for (size_t i = 0; point->bound_count && i <= point->bound_count; i++)
        buffer_append(&buckets, (struct slice){(const char *)&point->buckets[i], 8});
    put_message(&message, 6, &buckets);
    put_message(&message, 7, &bounds);
    put_message(out, 1, &message);
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
    put_message(out, shapes[kind].field, &data);
}

/* ---- the scene ---------------------------------------------------------------------------- */

struct scene *scene_new(double watch_s)
{
    struct scene *scene = memory_new(1, sizeof(*scene));

    scene->pipeline = pipeline_new(&(struct pipeline_options){
        .watch_start_ns = unix_ns(watch_s),
        .grace_ns = 15000000000u,
        .lateness_ns = 300000000000u,
    });
    scene->batch = otlp_batch_new();
    return scene;
}

void scene_free(struct scene *scene)
{
    const struct point_ledger *ledger = pipeline_ledger(scene->pipeline);

    if (!point_ledger_balances(ledger)) {
        fprintf(stderr, "the point ledger does not balance\n");
        abort();
    }
    pipeline_free(scene->pipeline);
    otlp_batch_free(scene->batch);
    buffer_release(&scene->request);
    free(scene->values);
    free(scene);
}

static void keep(void *self, const struct mackerel_row *rows, size_t count)
{
    struct scene *scene = self;

    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < rows[i].count; j++) {
            scene->values = memory_grow(scene->values, scene->count + 1, &scene->room,
                                        sizeof(*scene->values));

            struct scene_value *value = &scene->values[scene->count++];
            const struct mackerel_row *row = &rows[i];

            snprintf(value->destination, sizeof(value->destination), "%s %.*s",
                     row->destination.kind == MACKEREL_HOST ? "host" : "service",
                     SLICE_ARG(row->destination.name));
            snprintf(value->name, sizeof(value->name), "%.*s",
                     SLICE_ARG(row->values[j].name));
            value->minute = (row->minute_s - MIDNIGHT_S) / 60;
            value->value = row->values[j].value;
            value->lane = row->lane;
        }
    }
}

void scene_wait_until(struct scene *scene, double now_s)
{
    uint64_t due_ns;

    while ((due_ns = pipeline_next_due(scene->pipeline)) <= unix_ns(now_s))
        pipeline_tick(scene->pipeline, due_ns, keep, scene);
}

void scene_prepare(struct scene *scene, const struct scene_metric *sent,
                   const struct scene_point *points, size_t count)
{
    const struct scene_resource *resource = sent->resource;
    struct buffer metric = {0}, scope_metrics = {0}, resource_metrics = {0}, scope = {0};

    put_bytes(&metric, 1, slice_of(sent->name));
    put_data(&metric, sent->kind, points, count);
    put_bytes(&scope, 1, slice_of(resource->scope ? resource->scope : "scene"));
    put_message(&scope_metrics, 1, &scope);
    put_message(&scope_metrics, 2, &metric);
    put_resource(&resource_metrics, resource);
    put_message(&resource_metrics, 2, &scope_metrics);
    buffer_reset(&scene->request);
    put_message(&scene->request, 1, &resource_metrics);
}

void scene_apply(struct scene *scene, double receive_s)
{
    struct error err;

    scene_wait_until(scene, receive_s);
    if (!otlp_decode(scene->batch, buffer_slice(&scene->request), 7,
                     &(struct otlp_limits){OTLP_MAX_DEPTH}, &err)) {
        fprintf(stderr, "scene: %s\n", err.text);
        abort();
    }
    pipeline_apply(scene->pipeline, scene->batch, unix_ns(receive_s));
}

void scene_send(struct scene *scene, double receive_s, const struct scene_metric *metric,
                const struct scene_point *points, size_t count)
{
    scene_prepare(scene, metric, points, count);
    scene_apply(scene, receive_s);
}

double scene_value(const struct scene *scene, const char *name, uint64_t minute)
{
    for (size_t i = scene->count; i-- > 0;)
        if (scene->values[i].minute == minute && strcmp(scene->values[i].name, name) == 0)
            return scene->values[i].value;
    return (double)NAN;
}

size_t scene_posts(const struct scene *scene, const char *name, uint64_t minute)
{
    size_t posts = 0;

    for (size_t i = 0; i < scene->count; i++)
        posts += scene->values[i].minute == minute &&
                 strcmp(scene->values[i].name, name) == 0;
    return posts;
}

double scene_total(const struct scene *scene, const char *name)
{
    double total = 0;

    for (uint64_t minute = 0; minute < 1440; minute++) {
        double value = scene_value(scene, name, minute);

        if (!isnan(value))
            total += value;
    }
    return total;
}

uint64_t scene_reason(const struct scene *scene, enum reason reason)
{
    return pipeline_ledger(scene->pipeline)->reasons[reason].count;
}
