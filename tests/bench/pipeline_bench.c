/*
 * What a million streams cost at rest, and what closing a minute of a million cells costs.
 *
 * Streams: half cumulative sums, half gauges, 5 attributes with 120 bytes each, a point a minute. Memory
 * is what the process gained when ten minutes have passed, so that histories and corrections are at
 * their steady size. Closing is the CPU of all ticks that close one minute, and of the longest one.
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    STREAMS = 1000000,
    POINTS_PER_BATCH = 1000,
    MINUTES = 10
};

static const uint64_t NS_PER_S = 1000000000, BEGIN_NS = UINT64_C(1795478400000000000);

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static double resident_mb(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    long pages = 0, resident = 0;

    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        abort();
    fclose(file);
    return (double)resident * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* ---- requests ----------------------------------------------------------------------------- */

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

static void put_bytes(struct buffer *out, unsigned field, struct slice bytes)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.len);
    buffer_append(out, bytes);
}

static void put_fixed(struct buffer *out, unsigned field, uint64_t value)
{
    put_varint(out, field << 3 | 1);
    buffer_append(out, (struct slice){(const char *)&value, sizeof(value)});
}

static void put_text(struct buffer *out, unsigned field, const char *key,
                     const char *value)
{
    struct buffer any = {0}, pair = {0};

    put_bytes(&any, 1, slice_of(value));
    put_bytes(&pair, 1, slice_of(key));
    put_bytes(&pair, 2, buffer_slice(&any));
    put_bytes(out, field, buffer_slice(&pair));
    buffer_release(&any);
    buffer_release(&pair);
}

/* 120 bytes of keys and values. */
static void put_point(struct buffer *data, size_t stream, uint64_t time_ns)
{
    struct buffer point = {0};
    char route[32];

    snprintf(route, sizeof(route), "/route/%013zu", stream);
    put_text(&point, 7, "http.route", route);
    put_text(&point, 7, "http.request.method", "GET");
    put_text(&point, 7, "http.response.status", "200");
    put_text(&point, 7, "network.protocol", "http");
    put_text(&point, 7, "url.scheme", "https/with/2.0x");
    put_fixed(&point, 2, BEGIN_NS - 3600 * NS_PER_S);
    put_fixed(&point, 3, time_ns);
    put_fixed(&point, 6, time_ns / NS_PER_S + stream);
    put_bytes(data, 1, buffer_slice(&point));
    buffer_release(&point);
}

static void put_metric(struct buffer *scope, size_t metric, size_t streams,
                       uint64_t time_ns)
{
    struct buffer data = {0}, message = {0};
    char name[32];

    snprintf(name, sizeof(name), "metric.of.%07zu", metric);
    put_bytes(&message, 1, slice_of(name));
    for (size_t i = 0; i < streams; i++)
        put_point(&data, metric * streams + i, time_ns);
    if (metric % 2) {
        put_number(&data, 2, 2); /* cumulative */
        put_number(&data, 3, 1); /* monotonic */
    }
    put_bytes(&message, metric % 2 ? 7 : 5, buffer_slice(&data));
    put_bytes(scope, 2, buffer_slice(&message));
    buffer_release(&data);
    buffer_release(&message);
}

static void send(struct pipeline *pipeline, size_t first_metric, size_t streams,
                 uint64_t time_ns)
{
    struct buffer scope = {0}, resource = {0}, request = {0}, body = {0};
    struct otlp_batch *batch = otlp_batch_new();
    struct error err;

    put_text(&resource, 1, "service.name", "bench");
    put_bytes(&request, 1, buffer_slice(&resource));
    for (size_t i = 0; i < POINTS_PER_BATCH / streams; i++)
        put_metric(&scope, first_metric + i, streams, time_ns);
    put_bytes(&request, 2, buffer_slice(&scope));
    put_bytes(&body, 1, buffer_slice(&request));
    if (!otlp_decode(batch, buffer_slice(&body), 7, &(struct otlp_limits){OTLP_MAX_DEPTH},
                     &err))
        abort();
    pipeline_apply(pipeline, batch, time_ns + NS_PER_S);
    otlp_batch_free(batch);
    buffer_release(&scope);
    buffer_release(&resource);
    buffer_release(&request);
    buffer_release(&body);
}

/* ---- measuring ---------------------------------------------------------------------------- */

struct closing {
    double all_s, longest_s;
    size_t ticks, values;
};

static void count_values(void *self, const struct mackerel_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *(size_t *)self += rows[i].count;
}

static struct closing close_until(struct pipeline *pipeline, uint64_t now_ns)
{
    struct closing closing = {0};

    while (pipeline_next_due(pipeline) <= now_ns) {
        uint64_t before_ns = cpu_ns();

        pipeline_tick(pipeline, now_ns, count_values, &closing.values);

        double spent_s = (double)(cpu_ns() - before_ns) / 1e9;

        closing.all_s += spent_s;
        closing.longest_s = spent_s > closing.longest_s ? spent_s : closing.longest_s;
        closing.ticks++;
    }
    return closing;
}

static void rest(const char *what, size_t streams_per_cell)
{
    double before = resident_mb();
    struct pipeline *pipeline = pipeline_new(&(struct pipeline_options){
        .watch_start_ns = BEGIN_NS,
        .grace_ns = 15 * NS_PER_S,
        .lateness_ns = 300 * NS_PER_S,
    });
    struct closing closing = {0};
    struct pipeline_counts counts;

    for (uint64_t minute = 0; minute < MINUTES; minute++) {
        uint64_t time_ns = BEGIN_NS + minute * 60 * NS_PER_S + 10 * NS_PER_S;

        for (size_t first = 0; first < STREAMS / streams_per_cell;
             first += POINTS_PER_BATCH / streams_per_cell)
            send(pipeline, first, streams_per_cell, time_ns);
        closing = close_until(pipeline, time_ns + 10 * NS_PER_S);
    }
    pipeline_read_counts(pipeline, &counts);
    printf(
        "%s: %zu streams, %zu cells: %.0f MB; closing a minute: %.2f s CPU in %zu ticks "
        "(longest %.2f s), %zu values\n",
        what, counts.streams, counts.cells, resident_mb() - before, closing.all_s,
        closing.ticks, closing.longest_s, closing.values);
    pipeline_free(pipeline);
}

int main(void)
{
    /* As the gateway does. */
    memory_return_large();
    rest("a million streams", 10);
    rest("a million cells", 1);
    return 0;
}
