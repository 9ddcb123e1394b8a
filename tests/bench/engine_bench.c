/*
 * What the pipeline costs per point: a fixed number of points over 1,000 and 64,000 streams, batches
 * of 1,000 points, cumulative sums and gauges in steady state. Prints ns per point (median of
 * rounds) and the ratio, and the same with 100 rules of which the last matches, which cost
 * nothing in steady state; with a path as argument also a JSON object there.
 */
#include "base/buffer.h"
#include "pipeline/pipeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    POINTS_PER_BATCH = 1000,
    ROUNDS = 31
};

static const uint64_t NS_PER_S = 1000000000, BEGIN_NS = UINT64_C(1795478400000000000);

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

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

static void put_fixed(struct buffer *out, unsigned field, uint64_t value)
{
    put_varint(out, field << 3 | 1);
    buffer_append(out, (struct slice){(const char *)&value, sizeof(value)});
}

/* One request: POINTS_PER_BATCH streams from `first` on, ten metrics, two attributes a point. */
static struct otlp_batch *make_batch(size_t first, uint64_t time_ns, uint64_t value,
                                     struct buffer *body)
{
    struct buffer scope = {0}, resource = {0}, request = {0};

    put_text(&resource, 1, "service.name", "bench");
    put_bytes(&request, 1, buffer_slice(&resource));
    for (int metric = 0; metric < 10; metric++) {
        struct buffer data = {0}, message = {0};
        char text[32];

        snprintf(text, sizeof(text), "metric.%d", metric);
        put_bytes(&message, 1, slice_of(text));
        for (int i = 0; i < POINTS_PER_BATCH / 10; i++) {
            struct buffer point = {0};

            snprintf(text, sizeof(text), "/route/%zu", first + (size_t)i);
            put_text(&point, 7, "http.route", text);
            put_text(&point, 7, "http.request.method", "GET");
            put_fixed(&point, 3, time_ns);
            put_fixed(&point, 6, value);
            put_bytes(&data, 1, buffer_slice(&point));
            buffer_release(&point);
        }
        if (metric % 2) {
            put_number(&data, 2, 2); /* cumulative */
            put_number(&data, 3, 1); /* monotonic */
        }
        put_bytes(&message, metric % 2 ? 7 : 5, buffer_slice(&data));
        put_bytes(&scope, 2, buffer_slice(&message));
        buffer_release(&data);
        buffer_release(&message);
    }
    put_bytes(&request, 2, buffer_slice(&scope));
    put_bytes(body, 1, buffer_slice(&request));
    buffer_release(&scope);
    buffer_release(&resource);
    buffer_release(&request);

    struct otlp_batch *batch = otlp_batch_new();
    struct error err;

    if (!otlp_decode(batch, buffer_slice(body), 7, &(struct otlp_limits){OTLP_MAX_DEPTH},
                     &err))
        abort();
    return batch;
}

static void ignore(void *self, const struct mackerel_row *rows, size_t count)
{
    (void)self;
    (void)rows;
    (void)count;
}

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

/* One round: every stream gets a point, all in steady state. Only applying is timed. */
static double round_ns(struct pipeline *pipeline, size_t streams, int round)
{
    uint64_t time_ns = BEGIN_NS + (uint64_t)round * 10 * NS_PER_S, spent_ns = 0;

    for (size_t first = 0; first < streams; first += POINTS_PER_BATCH) {
        struct buffer body = {0};
        struct otlp_batch *batch = make_batch(first / 10, time_ns,
                                              (uint64_t)round * 7 + first, &body);
        uint64_t before = cpu_ns();

        pipeline_apply(pipeline, batch, time_ns + NS_PER_S);
        spent_ns += cpu_ns() - before;
        otlp_batch_free(batch);
        buffer_release(&body);
    }
    while (pipeline_next_due(pipeline) <= time_ns)
        pipeline_tick(pipeline, time_ns, ignore, NULL);
    return (double)spent_ns / (double)streams;
}

/* Globs, regular expressions and attributes that are looked at and do not match; then one that does. */
static void write_rules(struct buffer *out, int count)
{
    buffer_append_char(out, '[');
    for (int i = 0; i + 1 < count; i += 3)
        buffer_printf(out,
                      "{match: {metric: '*.other%d.*'}}, "
                      "{match: {metric: '/other%d$/'}}, "
                      "{match: {resource: {service.name: 'other%d*'}}}, ",
                      i, i, i);
    buffer_append_text(out, "{where: {none: false}, destination: service}]");
    buffer_append_char(out, '\0');
}

static double measure(size_t streams, const char *rules)
{
    struct pipeline *pipeline = pipeline_new(&(struct pipeline_options){
        .grace_ns = 15 * NS_PER_S, .lateness_ns = 300 * NS_PER_S, .rules = rules});
    double rounds[ROUNDS];

    for (int warm = 0; warm < 3; warm++)
        round_ns(pipeline, streams, warm);
    for (int round = 0; round < ROUNDS; round++)
        rounds[round] = round_ns(pipeline, streams, round + 3);
    pipeline_free(pipeline);
    qsort(rounds, ROUNDS, sizeof(rounds[0]), by_value);
    return rounds[ROUNDS / 2];
}

int main(int argc, char **argv)
{
    struct buffer rules = {0};

    write_rules(&rules, 100);

    double small = measure(1000, NULL), large = measure(64000, NULL);
    double ruled = measure(64000, rules.ptr);

    buffer_release(&rules);

    printf(
        "engine: %.1f ns/point at 1,000 streams, %.1f ns/point at 64,000 streams (%.2fx)\n",
        small, large, large / small);
    printf("engine: %.1f ns/point at 64,000 streams with 100 rules (%.2fx)\n", ruled,
           ruled / large);
    if (argc > 1) {
        FILE *out = fopen(argv[1], "w");

        if (!out)
            return 1;
        fprintf(out,
                "{\"engine_ns_1000\": %.2f, \"engine_ns_64000\": %.2f, "
                "\"engine_ns_rules\": %.2f}\n",
                small, large, ruled);
        fclose(out);
    }
    return 0;
}
