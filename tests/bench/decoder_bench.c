/*
 * What decoding costs per point, against two yardsticks on the same bytes: protobuf-c with a bump
 * arena (what a generated decoder costs at its best) and a bare scan (what it costs to touch every
 * field once and keep nothing). The three take turns in one run, so that a noisy machine is noisy
 * for all of them; the medians and their ratios count.
 *
 * Usage: decoder_bench [file]; the file gets the figures as a JSON object.
 */
#include "base/buffer.h"
#include "base/memory.h"
#include "proto/otlp.h"
#include "proto/otlp_field.h"
#include "proto/wire.h"

#include <inttypes.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    METRICS = 100,
    POINTS = 100,
    ATTRIBUTES = 5,
    ROUNDS = 201,
    TOTAL = METRICS * POINTS
};

/* The cast says so because clang 19 asks: an enumerator and a double do not mix silently. */
static double per_point(double whole)
{
    return whole / (double)TOTAL;
}

/* ---- the request ------------------------------------------------------------------------- */

static void put_varint(struct buffer *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append_char(out, (char)(value | 0x80));
    buffer_append_char(out, (char)value);
}

static void put_text(struct buffer *out, unsigned number, struct slice text)
{
    put_varint(out, WIRE_TAG(number, WIRE_LENGTH));
    put_varint(out, text.len);
    buffer_append(out, text);
}

static void put_message(struct buffer *out, unsigned number, struct buffer *message)
{
    put_text(out, number, buffer_slice(message));
    buffer_release(message);
}

static void put_fixed64(struct buffer *out, unsigned number, uint64_t value)
{
    uint64_t word = htole64(value);

    put_varint(out, WIRE_TAG(number, WIRE_FIXED64));
    buffer_append(out, (struct slice){(const char *)&word, sizeof word});
}

static void put_attribute(struct buffer *out, unsigned number, const char *key,
                          const char *value)
{
    struct buffer any = {0}, key_value = {0};

    put_text(&any, FIELD_ANY_STRING_VALUE, slice_of(value));
    put_text(&key_value, FIELD_KEY_VALUE_KEY, slice_of(key));
    put_message(&key_value, FIELD_KEY_VALUE_VALUE, &any);
    put_message(out, number, &key_value);
}

static const char *const keys[ATTRIBUTES] = {
    "http.request.method", "http.route", "server.address", "http.response.status_code",
    "network.peer.zone"};

static void put_point(struct buffer *out, unsigned metric, unsigned point)
{
    struct buffer message = {0};
    char value[32];

    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        snprintf(value, sizeof value, "value-%u-%04u", i, point * (i + 1));
        put_attribute(&message, FIELD_NUMBER_ATTRIBUTES, keys[i], value);
    }
    put_fixed64(&message, FIELD_NUMBER_START_TIME_UNIX_NANO,
                UINT64_C(1795500000000000000));
    put_fixed64(&message, FIELD_NUMBER_TIME_UNIX_NANO, UINT64_C(1795500060000000000));
    if (metric % 2)
        put_fixed64(&message, FIELD_NUMBER_AS_INT, metric * 1000 + point);
    else
        put_fixed64(&message, FIELD_NUMBER_AS_DOUBLE,
                    UINT64_C(0x3FF8000000000000) + point);
    put_message(out, FIELD_GAUGE_DATA_POINTS, &message);
}

static void put_metric(struct buffer *out, unsigned metric)
{
    struct buffer message = {0}, data = {0};
    char name[32];
    bool is_sum = metric % 2;

    snprintf(name, sizeof name, "http.server.metric.%03u", metric);
    put_text(&message, FIELD_METRIC_NAME, slice_of(name));
    put_text(&message, FIELD_METRIC_DESCRIPTION, slice_of("What is measured here."));
    put_text(&message, FIELD_METRIC_UNIT, slice_of("{request}"));
    for (unsigned point = 0; point < POINTS; point++)
        put_point(&data, metric, point);
    if (is_sum) {
        put_varint(&data, WIRE_TAG(FIELD_SUM_AGGREGATION_TEMPORALITY, WIRE_VARINT));
        put_varint(&data, OTLP_CUMULATIVE);
        put_varint(&data, WIRE_TAG(FIELD_SUM_IS_MONOTONIC, WIRE_VARINT));
        put_varint(&data, 1);
    }
    put_message(&message, is_sum ? FIELD_METRIC_SUM : FIELD_METRIC_GAUGE, &data);
    put_message(out, FIELD_SCOPE_METRICS_METRICS, &message);
}

static struct buffer make_request(void)
{
    struct buffer request = {0}, resource_metrics = {0}, resource = {0},
                  scope_metrics = {0}, scope = {0};

    for (unsigned i = 0; i < ATTRIBUTES; i++)
        put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, keys[i], "resource");
    put_text(&scope, FIELD_SCOPE_NAME, slice_of("bench"));
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_SCOPE, &scope);
    for (unsigned metric = 0; metric < METRICS; metric++)
        put_metric(&scope_metrics, metric);
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_RESOURCE, &resource);
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, &scope_metrics);
    put_message(&request, FIELD_REQUEST_RESOURCE_METRICS, &resource_metrics);
    return request;
}

/* ---- the contestants: each returns something that depends on all it read ------------------- */

static uint64_t touch(struct slice text)
{
    return text.len ? text.len + (unsigned char)text.ptr[text.len - 1] : 0;
}

static uint64_t scan_attribute(struct slice message)
{
    struct wire wire = wire_of(message), any;
    struct wire_field field;
    uint64_t sum = 0;

    while (wire_next(&wire, &field)) {
        if (field.tag != WIRE_TAG(FIELD_KEY_VALUE_VALUE, WIRE_LENGTH)) {
            sum += touch(field.bytes);
            continue;
        }
        any = wire_of(field.bytes);
        while (wire_next(&any, &field))
            sum += field.tag == WIRE_TAG(FIELD_ANY_STRING_VALUE, WIRE_LENGTH)
                       ? touch(field.bytes)
                       : field.number;
    }
    return sum;
}

static uint64_t scan_point(struct slice message)
{
    struct wire wire = wire_of(message);
    struct wire_field field;
    uint64_t sum = 0;

    while (wire_next(&wire, &field))
        sum += field.tag == WIRE_TAG(FIELD_NUMBER_ATTRIBUTES, WIRE_LENGTH)
                   ? scan_attribute(field.bytes)
                   : field.number;
    return sum;
}

static uint64_t scan_metric(struct slice message)
{
    struct wire wire = wire_of(message), data;
    struct wire_field field;
    uint64_t sum = 0;

    while (wire_next(&wire, &field)) {
        if (field.tag != WIRE_TAG(FIELD_METRIC_GAUGE, WIRE_LENGTH) &&
            field.tag != WIRE_TAG(FIELD_METRIC_SUM, WIRE_LENGTH)) {
            sum += touch(field.bytes);
            continue;
        }
        data = wire_of(field.bytes);
        while (wire_next(&data, &field))
            sum += field.tag == WIRE_TAG(FIELD_SUM_DATA_POINTS, WIRE_LENGTH)
                       ? scan_point(field.bytes)
                       : field.number;
    }
    return sum;
}

static uint64_t run_scan(struct slice body)
{
    struct wire request = wire_of(body), resource_metrics, scope_metrics;
    struct slice piece;
    uint64_t sum = 0;

    while (wire_find(&request, FIELD_REQUEST_RESOURCE_METRICS, &piece)) {
        resource_metrics = wire_of(piece);
        while (
            wire_find(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, &piece)) {
            scope_metrics = wire_of(piece);
            while (wire_find(&scope_metrics, FIELD_SCOPE_METRICS_METRICS, &piece))
                sum += scan_metric(piece);
        }
    }
    return sum;
}

static uint64_t run_ours(struct slice body)
{
    static struct otlp_batch *batch;
    struct error err;

    if (!batch)
        batch = otlp_batch_new();
    if (!otlp_decode(batch, body, 42, NULL, &err) || batch->point_count != TOTAL)
        abort();
    return batch->points[TOTAL - 1].stream.low;
}

struct bump {
    char *bytes;
    size_t used;
};

enum {
    BUMP_BYTES = 64 << 20
};

static void *bump_alloc(void *self, size_t size)
{
    struct bump *bump = self;
    void *piece = bump->bytes + bump->used;

    bump->used += (size + 15) & ~(size_t)15;
    if (bump->used > BUMP_BYTES)
        abort();
    return piece;
}

static void bump_free(void *self, void *piece)
{
    (void)self;
    (void)piece;
}

static uint64_t run_protobuf_c(struct slice body)
{
    static struct bump bump;
    ProtobufCAllocator allocator = {bump_alloc, bump_free, &bump};

    if (!bump.bytes)
        bump.bytes = memory_new(BUMP_BYTES, 1);
    bump.used = 0;

    const Opentelemetry__Proto__Collector__Metrics__V1__ExportMetricsServiceRequest *request =
        opentelemetry__proto__collector__metrics__v1__export_metrics_service_request__unpack(
            &allocator, body.len, (const uint8_t *)body.ptr);

    if (!request)
        abort();
    return request->n_resource_metrics;
}

/* ---- the clock --------------------------------------------------------------------------- */

static const struct contestant {
    const char *name, *key;
    uint64_t (*run)(struct slice body);
} contestants[] = {
    {"this decoder (hashes, verdicts)", "ours", run_ours},
    {"protobuf-c, bump arena", "protobuf_c_arena", run_protobuf_c},
    {"bare wire scan", "bare_scan", run_scan},
};

enum {
    OURS,
    PROTOBUF_C,
    SCAN,
    CONTESTANTS
};

static uint64_t cpu_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

static void measure(struct slice body, double median[static CONTESTANTS])
{
    static double rounds[CONTESTANTS][ROUNDS];
    volatile uint64_t sink = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < CONTESTANTS; i++) {
            uint64_t start = cpu_ns();

            sink = sink + contestants[i].run(body);
            rounds[i][round] = per_point((double)(cpu_ns() - start));
        }
    }
    for (unsigned i = 0; i < CONTESTANTS; i++) {
        qsort(rounds[i], ROUNDS, sizeof rounds[i][0], compare);
        median[i] = rounds[i][ROUNDS / 2];
    }
}

static void write_json(const char *path, const double median[static CONTESTANTS],
                       double bytes_per_point)
{
    FILE *file = fopen(path, "w");

    if (!file) {
        perror(path);
        exit(1);
    }
    fprintf(file, "{\"decoder\":{\"points\":%d,\"bytes_per_point\":%.1f", TOTAL,
            bytes_per_point);
    for (unsigned i = 0; i < CONTESTANTS; i++)
        fprintf(file, ",\"%s_ns\":%.1f", contestants[i].key, median[i]);
    fprintf(file, ",\"of_protobuf_c_arena\":%.3f,\"of_bare_scan\":%.2f}}\n",
            median[OURS] / median[PROTOBUF_C], median[OURS] / median[SCAN]);
    fclose(file);
}

int main(int argc, char **argv)
{
    struct buffer request = make_request();
    double median[CONTESTANTS];

    measure(buffer_slice(&request), median);
    printf(
        "%d number points, %d attributes each, %.1f bytes a point, median of %d rounds\n",
        TOTAL, ATTRIBUTES, per_point((double)request.len), ROUNDS);
    for (unsigned i = 0; i < CONTESTANTS; i++)
        printf("%-34s %8.1f ns/point\n", contestants[i].name, median[i]);
    printf(
        "of protobuf-c with an arena: 1/%.1f (at most 1/6); of the bare scan: %.2f (at most 2.5)\n",
        median[PROTOBUF_C] / median[OURS], median[OURS] / median[SCAN]);
    if (argc > 1)
        write_json(argv[1], median, per_point((double)request.len));
    buffer_release(&request);
    return 0;
}
