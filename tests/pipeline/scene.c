#include "tests/pipeline/scene.h"

#include "base/memory.h"
#include "pipeline/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct scene *scene_open(const struct pipeline_options *options)
{
    struct scene *scene = memory_new(1, sizeof(*scene));

    scene->pipeline = pipeline_new(options);
    scene->batch = otlp_batch_new();
    scene->reloads = getenv("SCENE_RELOAD") != NULL;
    return scene;
}

struct scene *scene_new(double watch_s)
{
    return scene_open(&(struct pipeline_options){
        .watch_start_ns = scene_unix_ns(watch_s),
        .grace_ns = 15000000000u,
        .lateness_ns = 300000000000u,
    });
}

void scene_free(struct scene *scene)
{
    const struct point_ledger *ledger = pipeline_ledger(scene->pipeline);

    if (!scene->is_unbalanced && !point_ledger_balances(ledger)) {
        fprintf(stderr, "the point ledger does not balance\n");
        abort();
    }
    pipeline_free(scene->pipeline);
    otlp_batch_free(scene->batch);
    buffer_release(&scene->request);
    buffer_release(&scene->graphs);
    free(scene->values);
    free(scene);
}

/* One definition a line; the lines of the last tick that closed anything. */
static void keep_graphs(struct scene *scene, const struct mackerel_row *rows,
                        size_t count)
{
    buffer_reset(&scene->graphs);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].graph_count; k++) {
            mackerel_write_graph(&scene->graphs, &rows[i].graphs[k]);
            buffer_append_char(&scene->graphs, '\n');
        }
}

static void keep(void *self, const struct mackerel_row *rows, size_t count)
{
    struct scene *scene = self;

    keep_graphs(scene, rows, count);
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
            value->minute = (row->minute_s - SCENE_MIDNIGHT_S) / 60;
            value->value = row->values[j].value;
            value->lane = row->lane;
        }
    }
}

static bool append(void *self, struct slice bytes)
{
    buffer_append(self, bytes);
    return true;
}

static bool cut(void *self, char *to, size_t len)
{
    struct slice *rest = self;

    if (rest->len < len)
        return false;
    memcpy(to, rest->ptr, len);
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return true;
}

void scene_reload(struct scene *scene)
{
    struct buffer bytes = {0};
    struct error err;

    if (!pipeline_save(scene->pipeline, append, &bytes))
        abort();
    pipeline_free(scene->pipeline);

    struct slice rest = buffer_slice(&bytes);

    scene->pipeline = pipeline_load(cut, &rest, &err);
    if (!scene->pipeline || rest.len) {
        fprintf(stderr, "scene: %s\n", scene->pipeline ? "bytes are left" : err.text);
        abort();
    }
    buffer_release(&bytes);
}

static void tick(struct scene *scene, uint64_t now_ns)
{
    if (scene->reloads)
        scene_reload(scene);
    pipeline_tick(scene->pipeline, now_ns, keep, scene);
}

void scene_ticks(struct scene *scene, double until_s, int most)
{
    uint64_t due_ns;

    while (most-- > 0 &&
           (due_ns = pipeline_next_due(scene->pipeline)) <= scene_unix_ns(until_s))
        tick(scene, due_ns);
}

void scene_wait_until(struct scene *scene, double now_s)
{
    uint64_t due_ns;

    while ((due_ns = pipeline_next_due(scene->pipeline)) <= scene_unix_ns(now_s))
        tick(scene, due_ns);
}

void scene_prepare(struct scene *scene, const struct scene_metric *metric,
                   const struct scene_point *points, size_t count)
{
    buffer_reset(&scene->request);
    scene_body_append(&scene->request, metric, points, count);
}

void scene_apply(struct scene *scene, double receive_s)
{
    struct error err;

    scene_wait_until(scene, receive_s);
    if (scene->reloads)
        scene_reload(scene);
    if (!otlp_decode(scene->batch, buffer_slice(&scene->request), 7,
                     &(struct otlp_limits){OTLP_MAX_DEPTH}, &err)) {
        fprintf(stderr, "scene: %s\n", err.text);
        abort();
    }
    pipeline_apply(scene->pipeline, scene->batch, scene_unix_ns(receive_s));
}

void scene_send(struct scene *scene, double receive_s, const struct scene_metric *metric,
                const struct scene_point *points, size_t count)
{
    scene_prepare(scene, metric, points, count);
    scene_apply(scene, receive_s);
}

void scene_configure(struct scene *scene, double receive_s,
                     const struct pipeline_options *options)
{
    scene_wait_until(scene, receive_s);
    if (scene->reloads)
        scene_reload(scene);
    pipeline_configure(scene->pipeline, options, scene_unix_ns(receive_s));
}

double scene_value_of(const struct scene *scene, const char *destination,
                      const char *name, uint64_t minute)
{
    for (size_t i = scene->count; i-- > 0;)
        if (scene->values[i].minute == minute &&
            strcmp(scene->values[i].name, name) == 0 &&
            strcmp(scene->values[i].destination, destination) == 0)
            return scene->values[i].value;
    return (double)NAN;
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
