#include "tests/bench/load_body.h"

#include "base/memory.h"
#include "tests/proto/message.h"

#include <stdio.h>
#include <stdlib.h>

static const char INSTANCE[] = "bench-%06u"; /* a fixed length */

enum {
    INSTANCE_LEN = 12,
    POINTS_PER_METRIC = 100,
    ATTRIBUTES = 5,
    VALUE_AFTER_TIME = 9, /* eight bytes of time and the tag of the value */
};

static void write_fixed64(char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++, value >>= 8)
        at[i] = (char)(value & 0xff);
}

/* NumberDataPoint; the time and the value go last so that their places are known from the end. */
static void put_point(struct buffer *out, unsigned index, uint64_t start_ns, bool is_sum)
{
    static const char *const keys[ATTRIBUTES] = {
        "http.request.method", "http.route", "http.response.status_code",
        "server.address", "network.protocol.version"};
    struct buffer point = {0};
    char text[32];

    for (unsigned i = 0; i < ATTRIBUTES; i++) {
        snprintf(text, sizeof(text), "value-%u-%04u", i, index);
        put_attribute(&point, 7, keys[i], text);
    }
    put_fixed64(&point, 2, start_ns);
    put_fixed64(&point, 3, 0);
    put_fixed64(&point, is_sum ? 6 : 4, 0);
    put_bytes(out, 1, buffer_slice(&point));
    buffer_release(&point);
}

static void put_metric(struct buffer *out, unsigned number, unsigned points,
                       uint64_t start_ns, bool is_sum)
{
    struct buffer data = {0}, metric = {0};
    char name[40];

    for (unsigned i = 0; i < points; i++)
        put_point(&data, i, start_ns, is_sum);
    if (is_sum) {
        static const char cumulative_monotonic[] = {2 << 3, 2, 3 << 3, 1};

        buffer_append(&data,
                      (struct slice){cumulative_monotonic, sizeof(cumulative_monotonic)});
    }
    snprintf(name, sizeof(name), "bench.%s.%u", is_sum ? "sum" : "gauge", number);
    put_bytes(&metric, 1, slice_of(name));
    put_bytes(&metric, is_sum ? 7 : 5, buffer_slice(&data));
    put_bytes(out, 2, buffer_slice(&metric));
    buffer_release(&data);
    buffer_release(&metric);
}

static void put_resource(struct buffer *out, unsigned instance)
{
    struct buffer resource = {0};
    char text[32];

    snprintf(text, sizeof(text), INSTANCE, instance);
    put_attribute(&resource, 1, "service.name", "bench");
    put_attribute(&resource, 1, "service.instance.id", text);
    put_attribute(&resource, 1, "telemetry.sdk.language", "c");
    put_bytes(out, 1, buffer_slice(&resource));
    buffer_release(&resource);
}

/* Every point ends with its time and its value, so the times are found by walking the bytes. */
static void find_places(struct load_body *body, uint64_t start_ns)
{
    char mark[18] = {2 << 3 | WIRE_FIXED64};

    write_fixed64(mark + 1, start_ns);
    mark[9] = 3 << 3 | WIRE_FIXED64;
    for (size_t at = 0; at + sizeof(mark) <= body->bytes.len; at++) {
        if (memcmp(body->bytes.ptr + at, mark, sizeof(mark)) != 0)
            continue;
        body->places = memory_grow(body->places, body->place_count + 1, &body->place_room,
                                   sizeof(*body->places));
        body->places[body->place_count++] = at + 10;
    }
}

/* The only place with such a text: the resource. */
static void find_instance(struct load_body *body, unsigned instance)
{
    char text[INSTANCE_LEN + 1];
    const char *at;

    snprintf(text, sizeof(text), INSTANCE, instance);
    at = memmem(body->bytes.ptr, body->bytes.len, text, INSTANCE_LEN);
    body->instance_place = (size_t)(at - body->bytes.ptr);
}

void load_body_init(struct load_body *body, unsigned instance, unsigned points,
                    uint64_t start_ns)
{
    struct buffer scope = {0}, resource = {0};
    unsigned metrics = (points + POINTS_PER_METRIC - 1) / POINTS_PER_METRIC;

    *body = (struct load_body){0};
    for (unsigned i = 0; i < metrics; i++) {
        unsigned left = points - i * POINTS_PER_METRIC;
        unsigned count = left < POINTS_PER_METRIC ? left : POINTS_PER_METRIC;
        bool is_sum = i < metrics / 2;

        put_metric(&scope, i, count, start_ns, is_sum);
        body->sum_count += is_sum ? count : 0;
    }
    put_resource(&resource, instance);
    put_bytes(&resource, 2, buffer_slice(&scope));
    put_bytes(&body->bytes, 1, buffer_slice(&resource));
    buffer_release(&scope);
    buffer_release(&resource);
    find_places(body, start_ns);
    find_instance(body, instance);
}

void load_body_rename(struct load_body *body, unsigned instance)
{
    char text[INSTANCE_LEN + 1];

    snprintf(text, sizeof(text), INSTANCE, instance);
    memcpy(body->bytes.ptr + body->instance_place, text, INSTANCE_LEN);
}

void load_body_release(struct load_body *body)
{
    buffer_release(&body->bytes);
    free(body->places);
}

void load_body_stamp(struct load_body *body, uint64_t time_ns, uint64_t total)
{
    for (size_t i = 0; i < body->place_count; i++) {
        char *at = body->bytes.ptr + body->places[i];

        write_fixed64(at, time_ns);
        if (i < body->sum_count)
            write_fixed64(at + VALUE_AFTER_TIME, total);
    }
}
