/*
 * Requests of tests, as protobuf: one metric of one resource with its points at a time. Times are
 * seconds after 2026-11-24T00:00:00Z.
 */
#ifndef TESTS_PIPELINE_SCENE_BODY_H
#define TESTS_PIPELINE_SCENE_BODY_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SCENE_MIDNIGHT_S = 1795478400 /* 2026-11-24T00:00:00Z */
};

uint64_t scene_unix_ns(double time_s);

/* What a resource is; NULL fields are not sent. */
struct scene_resource {
    const char *service, *namespace_, *instance, *host;
    bool is_sdk;
    const char *scope;
    const char *description, *unit; /* of its metrics */
    const char *pod, *container;    /* of Kubernetes */
};

/* One side of an exponential histogram. */
struct scene_side {
    int64_t offset;
    const uint64_t *counts;
    size_t count;
};

struct scene_exponential {
    int scale;
    uint64_t zero_count;
    double zero_threshold;
    struct scene_side positive, negative;
};

struct scene_quantile {
    double quantile, value;
};

struct scene_point {
    double start_s, time_s; /* start 0: none */
    double value;
    bool is_int;
    const char *key, *attribute; /* one attribute; NULL: none */
    const char *key2, *attribute2;
    uint32_t flags;
    uint64_t count; /* distributions; their sum is the value */
    bool has_no_sum;
    double min, max; /* where not both 0 */
    const struct scene_exponential *exponential;
    const struct scene_quantile *quantiles;
    size_t quantile_count;
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
    SCENE_DELTA_HISTOGRAM,
    SCENE_EXPONENTIAL,
    SCENE_DELTA_EXPONENTIAL,
    SCENE_SUMMARY
};

struct scene_metric {
    const struct scene_resource *resource;
    enum scene_kind kind;
    const char *name;
};

/* Appends a ResourceMetrics; a request holds any number of them. */
void scene_body_append(struct buffer *out, const struct scene_metric *metric,
                       const struct scene_point *points, size_t count);

#endif
