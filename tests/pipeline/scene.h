/*
 * A scene for tests of the pipeline: what senders say at which time, and what is posted for it.
 *
 * Requests are written as protobuf and decoded like any other; time is whatever the scene says,
 * in seconds after 2026-11-24T00:00:00Z. Between requests the scene ticks whenever the pipeline is due.
 */
#ifndef TESTS_PIPELINE_SCENE_H
#define TESTS_PIPELINE_SCENE_H

#include "base/buffer.h"
#include "pipeline/pipeline.h"

struct scene_value {
    char destination[128]; /* "service NAME" or "host NAME" */
    char name[128];
    uint64_t minute; /* minutes after the scene's midnight */
    double value;
    enum mackerel_lane lane;
};

struct scene {
    struct pipeline *pipeline;
    struct otlp_batch *batch;
    struct scene_value *values;
    size_t count, room;
    struct buffer request;
};

/* What a resource is; NULL fields are not sent. */
struct scene_resource {
    const char *service, *namespace_, *instance, *host;
    bool is_sdk;
    const char *scope;
};

struct scene_point {
    double start_s, time_s; /* start 0: none */
    double value;
    bool is_int;
    const char *key, *attribute; /* one attribute; NULL: none */
    const char *key2, *attribute2;
    uint32_t flags;
    uint64_t count; /* histogram */
    const uint64_t *buckets;
    const double *bounds;
    size_t bound_count;
};

enum scene_kind {
    SCENE_GAUGE,
    SCENE_UPDOWN,
    SCENE_COUNTER,
    SCENE_DELTA,
    SCENE_HISTOGRAM,
    SCENE_DELTA_HISTOGRAM
};

/* A scene whose gateway has been watching since `watch_s`. */
struct scene *scene_new(double watch_s);
void scene_free(struct scene *scene);

struct scene_metric {
    const struct scene_resource *resource;
    enum scene_kind kind;
    const char *name;
};

/* One request with points of one metric, received at `receive_s`; ticks until then first. */
void scene_send(struct scene *scene, double receive_s, const struct scene_metric *metric,
                const struct scene_point *points, size_t count);

/* The two halves of it: encoding the request; letting time pass, decoding and applying it. */
void scene_prepare(struct scene *scene, const struct scene_metric *metric,
                   const struct scene_point *points, size_t count);
void scene_apply(struct scene *scene, double receive_s);

/* Lets time pass. */
void scene_wait_until(struct scene *scene, double now_s);

/* The value posted last for that minute; NAN when there is none. Names are unique in a scene. */
double scene_value(const struct scene *scene, const char *name, uint64_t minute);
/* How often it was posted. */
size_t scene_posts(const struct scene *scene, const char *name, uint64_t minute);
/* Sum over all minutes of the last posted values. */
double scene_total(const struct scene *scene, const char *name);
uint64_t scene_reason(const struct scene *scene, enum reason reason);

#endif
