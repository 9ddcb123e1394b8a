/*
 * What it costs to save and load a pipeline of a million streams, in CPU time, and how many bytes it is.
 *
 *   checkpoint_bench [STREAMS [DIRECTORY]]
 *
 * Counters and gauges in turn, a thousand streams a cell, two points each. With a directory the bytes
 * also go through a checkpoint file there.
 */
#include "app/checkpoint_file.h"
#include "base/buffer.h"
#include "pipeline/checkpoint.h"
#include "tests/pipeline/scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    STREAMS_PER_CELL = 1000
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(struct scene *scene, enum scene_kind kind, int cell, double time_s)
{
    static const struct scene_resource shop = {.service = "shop"};
    static char routes[STREAMS_PER_CELL][16];
    static struct scene_point points[STREAMS_PER_CELL];
    char name[32];

    snprintf(name, sizeof(name), "metric-%d", cell);
    for (int i = 0; i < STREAMS_PER_CELL; i++) {
        snprintf(routes[i], sizeof(routes[i]), "/%d", i);
        points[i] = (struct scene_point){.time_s = time_s,
                                         .value = time_s * i,
                                         .is_int = true,
                                         .key = "http.route",
                                         .attribute = routes[i]};
    }
    scene_send(scene, time_s + 0.1, &(struct scene_metric){&shop, kind, name}, points,
               STREAMS_PER_CELL);
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

static void fail(const char *what, const struct error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

static void in_memory(const struct pipeline *pipeline)
{
    struct buffer bytes = {0};
    struct error err = {0};

    /* The buffer has grown by the second time. */
    for (int round = 0; round < 2; round++) {
        double begun = now_s();

        buffer_reset(&bytes);
        if (!pipeline_save(pipeline, append, &bytes))
            fail("save", &err);
        printf("  save %.3f s", now_s() - begun);
    }

    struct slice rest = buffer_slice(&bytes);
    double begun = now_s();
    struct pipeline *loaded = pipeline_load(cut, &rest, &err);

    if (!loaded)
        fail("load", &err);
    printf("  load %.3f s  %.1f MB\n", now_s() - begun, (double)bytes.len / 1e6);
    pipeline_free(loaded);
    buffer_release(&bytes);
}

static void on_disk(const struct pipeline *pipeline, const char *path)
{
    struct error err = {0};
    struct disk *disk = disk_open_directory(path, &err);
    struct checkpoint_head head = {1, 7};

    if (!disk)
        fail(path, &err);

    double begun = now_s();
    struct checkpoint_writer *writer = checkpoint_file_begin(disk, &head, &err);

    if (!writer || !pipeline_save(pipeline, checkpoint_file_write, writer) ||
        !checkpoint_file_end(writer, &err))
        fail("write", &err);
    printf("  write %.3f s", now_s() - begun);
    begun = now_s();
    if (!checkpoint_file_commit(writer, &err))
        fail("commit", &err);
    printf("  commit %.3f s", now_s() - begun);
    begun = now_s();

    struct checkpoint_reader *reader = checkpoint_file_open(disk, &head, &err);
    double checked = now_s();
    struct pipeline *loaded = reader ? pipeline_load(checkpoint_file_read, reader, &err)
                                     : NULL;

    if (!loaded)
        fail("load", &err);
    printf("  check %.3f s  load %.3f s\n", checked - begun, now_s() - checked);
    checkpoint_file_close(reader);
    pipeline_free(loaded);
    disk_free_directory(disk);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum scene_kind kind;
    } kinds[] = {{"counters", SCENE_COUNTER}, {"gauges", SCENE_GAUGE}};

    int streams = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1000000;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct scene *scene = scene_new(0);

        for (int round = 1; round <= 2; round++)
            for (int cell = 0; cell < streams / STREAMS_PER_CELL; cell++)
                report(scene, kinds[i].kind, cell, 60 * round);
        printf("%d %s\n", streams, kinds[i].name);
        in_memory(scene->pipeline);
        if (argc > 2)
            on_disk(scene->pipeline, argv[2]);
        scene_free(scene);
    }
    return 0;
}
