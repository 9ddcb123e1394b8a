/*
 * A scene for tests of the pipeline: what senders say at which time, and what is posted for it.
 *
 * Requests are written as protobuf and decoded like any other; time is whatever the scene says,
 * in seconds after 2026-11-24T00:00:00Z. Between requests the scene ticks whenever the pipeline is due.
 *
 * With SCENE_RELOAD in the environment the pipeline is saved and loaded before every request and
 * tick: what holds for one that runs on must hold for one that never does.
 */
#ifndef TESTS_PIPELINE_SCENE_H
#define TESTS_PIPELINE_SCENE_H

#include "base/buffer.h"
#include "pipeline/pipeline.h"
#include "tests/pipeline/scene_body.h"

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
    struct buffer
        graphs;   /* definitions that came with the last values, as JSON, one a line */
    bool reloads; /* before every request and tick */
    bool is_unbalanced; /* its books may be wrong: it comes from damaged bytes */
};

/* A scene whose gateway has been watching since `watch_s`. */
struct scene *scene_new(double watch_s);
struct scene *scene_open(const struct pipeline_options *options);
void scene_free(struct scene *scene);

/* One request with points of one metric, received at `receive_s`; ticks until then first. */
void scene_send(struct scene *scene, double receive_s, const struct scene_metric *metric,
                const struct scene_point *points, size_t count);

/* The two halves of it: encoding the request; letting time pass, decoding and applying it. */
void scene_prepare(struct scene *scene, const struct scene_metric *metric,
                   const struct scene_point *points, size_t count);
void scene_apply(struct scene *scene, double receive_s);

/* A changed configuration, received at `receive_s`; ticks until then first. */
void scene_configure(struct scene *scene, double receive_s,
                     const struct pipeline_options *options);

/* Saves the pipeline and goes on with what is loaded from the bytes. */
void scene_reload(struct scene *scene);

/* Lets time pass. */
void scene_wait_until(struct scene *scene, double now_s);

/* The same, but at most so many ticks. */
void scene_ticks(struct scene *scene, double until_s, int most);

/* The value posted last for that minute; NAN when there is none. Names are unique in a scene. */
double scene_value(const struct scene *scene, const char *name, uint64_t minute);
/* The same for one destination: "service NAME" or "host NAME". */
double scene_value_of(const struct scene *scene, const char *destination,
                      const char *name, uint64_t minute);
/* How often it was posted. */
size_t scene_posts(const struct scene *scene, const char *name, uint64_t minute);
/* Sum over all minutes of the last posted values. */
double scene_total(const struct scene *scene, const char *name);
uint64_t scene_reason(const struct scene *scene, enum reason reason);

#endif
