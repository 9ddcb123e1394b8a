#include "tests/proto/message.h"

enum {
    SECOND_NS = 1000000000
};

void put_varint(struct buffer *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        buffer_append_char(out, (char)(value | 0x80));
    buffer_append_char(out, (char)value);
}

void put_number(struct buffer *out, unsigned field, uint64_t value)
{
    put_varint(out, WIRE_TAG(field, WIRE_VARINT));
    put_varint(out, value);
}

void put_fixed64(struct buffer *out, unsigned field, uint64_t value)
{
    uint64_t word = htole64(value);

    put_varint(out, WIRE_TAG(field, WIRE_FIXED64));
    buffer_append(out, (struct slice){(const char *)&word, sizeof word});
}

void put_double(struct buffer *out, unsigned field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    put_fixed64(out, field, bits);
}

void put_bytes(struct buffer *out, unsigned field, struct slice bytes)
{
    put_varint(out, WIRE_TAG(field, WIRE_LENGTH));
    put_varint(out, bytes.len);
    buffer_append(out, bytes);
}

void put_text(struct buffer *out, unsigned field, const char *text)
{
    put_bytes(out, field, slice_of(text));
}

void put_message(struct buffer *out, unsigned field, struct buffer message)
{
    put_bytes(out, field, buffer_slice(&message));
    buffer_release(&message);
}

void put_attribute(struct buffer *out, unsigned field, const char *key, const char *value)
{
    struct buffer any = {0}, key_value = {0};

    put_text(&any, FIELD_ANY_STRING_VALUE, value);
    put_text(&key_value, FIELD_KEY_VALUE_KEY, key);
    put_message(&key_value, FIELD_KEY_VALUE_VALUE, any);
    put_message(out, field, key_value);
}

struct buffer number_point(double value)
{
    struct buffer point = {0};

    put_fixed64(&point, FIELD_NUMBER_TIME_UNIX_NANO, SECOND_NS);
    put_double(&point, FIELD_NUMBER_AS_DOUBLE, value);
    return point;
}

struct buffer metric_message(const char *name, unsigned kind_field, struct buffer data)
{
    struct buffer metric = {0};

    put_text(&metric, FIELD_METRIC_NAME, name);
    put_message(&metric, kind_field, data);
    return metric;
}

struct buffer request_of(struct buffer scope_metrics)
{
    struct buffer resource_metrics = {0}, request = {0};

    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, scope_metrics);
    put_message(&request, FIELD_REQUEST_RESOURCE_METRICS, resource_metrics);
    return request;
}

struct buffer gauge_request(struct buffer points)
{
    struct buffer scope_metrics = {0};

    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS,
                metric_message("m", FIELD_METRIC_GAUGE, points));
    return request_of(scope_metrics);
}
