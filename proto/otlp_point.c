#include "proto/otlp_point.h"

#include "base/arena.h"
#include "proto/otlp_batch.h"
#include "proto/otlp_field.h"
#include "proto/otlp_frame.h"
#include "proto/wire.h"

/* The value of a number point is looked at only when the point is not flagged. */
static int judge_number(const struct otlp_point_context *context,
                        struct otlp_point *point, enum otlp_hash_verdict attributes)
{
    int verdict = otlp_frame_judge(point, attributes);

    if (verdict != OTLP_ACCEPTED)
        return verdict;
    if (!(point->flags & OTLP_NO_RECORDED_VALUE))
        return otlp_validate_number(point, context->temporality, context->monotonic);
    point->value_type = OTLP_NO_VALUE;
    point->as_int = 0;
    return OTLP_ACCEPTED;
}

static int decode_number(const struct otlp_point_context *context, struct slice message,
                         struct otlp_point *point)
{
    struct wire wire = wire_of(message);
    struct wire_field field;
    struct hash128 set = {0};
    enum otlp_hash_verdict attributes = OTLP_HASH_OK;

    *point = (struct otlp_point){.message = message};
    while (wire_next(&wire, &field)) {
        switch (field.tag) {
        case WIRE_TAG(FIELD_NUMBER_ATTRIBUTES, WIRE_LENGTH):
            attributes = otlp_frame_worse(
                attributes,
                otlp_hash_add(context->hasher, field.bytes, OTLP_POINT_DEPTH + 1, &set));
            break;
        case WIRE_TAG(FIELD_NUMBER_START_TIME_UNIX_NANO, WIRE_FIXED64):
            point->start_ns = field.number;
            break;
        case WIRE_TAG(FIELD_NUMBER_TIME_UNIX_NANO, WIRE_FIXED64):
            point->time_ns = field.number;
            break;
        case WIRE_TAG(FIELD_NUMBER_AS_DOUBLE, WIRE_FIXED64):
            point->as_double = wire_double(field.number);
            point->value_type = OTLP_DOUBLE;
            break;
        case WIRE_TAG(FIELD_NUMBER_AS_INT, WIRE_FIXED64):
            point->as_int = (int64_t)field.number;
            point->value_type = OTLP_INT;
            break;
        case WIRE_TAG(FIELD_NUMBER_FLAGS, WIRE_VARINT):
            point->flags = otlp_frame_flags(field.number);
            break;
        default: break;
        }
    }
    if (wire.broken || attributes == OTLP_HASH_BROKEN)
        return OTLP_BROKEN;
    point->stream = set;
    return judge_number(context, point, attributes);
}

/* Repeated 8-byte numbers: usually one packed piece, which is used where it lies. */
struct words {
    const char *ptr;
    size_t count;
    unsigned pieces; /* more than one, or any unpacked: gather() */
};

static bool add_packed(struct words *words, struct slice bytes)
{
    if (bytes.len % 8 != 0)
        return false;
    if (bytes.len == 0)
        return true;
    if (words->pieces == 0)
        words->ptr = bytes.ptr;
    if (words->pieces < 2)
        words->pieces++;
    words->count += bytes.len / 8;
    return true;
}

static void add_single(struct words *words)
{
    words->pieces = 2;
    words->count++;
}

/* Joins the pieces of one repeated field; the message is known to be whole. */
static void gather(struct words *words, struct slice message, uint32_t number,
                   struct arena *arena)
{
    struct wire wire = wire_of(message);
    struct wire_field field;
    char *to;

    if (words->pieces < 2)
        return;
    words->ptr = to = arena_alloc(arena, words->count * 8);
    while (wire_next(&wire, &field)) {
        if (field.tag == WIRE_TAG(number, WIRE_FIXED64)) {
            uint64_t word = htole64(field.number);

            memcpy(to, &word, sizeof word);
            to += sizeof word;
        } else if (field.tag == WIRE_TAG(number, WIRE_LENGTH) && field.bytes.len) {
            memcpy(to, field.bytes.ptr, field.bytes.len);
            to += field.bytes.len;
        }
    }
}

struct histogram_reading {
    struct words buckets, bounds;
    enum otlp_hash_verdict attributes;
    bool broken;
};

static void take_histogram_value(struct wire_field field, struct otlp_point *point,
                                 struct otlp_histogram *histogram)
{
    switch (field.tag) {
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_START_TIME_UNIX_NANO, WIRE_FIXED64):
        point->start_ns = field.number;
        break;
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_TIME_UNIX_NANO, WIRE_FIXED64):
        point->time_ns = field.number;
        break;
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_COUNT, WIRE_FIXED64):
        point->count = field.number;
        break;
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_SUM, WIRE_FIXED64):
        histogram->sum = wire_double(field.number);
        histogram->has_sum = true;
        break;
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_MIN, WIRE_FIXED64):
        histogram->min = wire_double(field.number);
        histogram->has_min = true;
        break;
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_MAX, WIRE_FIXED64):
        histogram->max = wire_double(field.number);
        histogram->has_max = true;
        break;
    case WIRE_TAG(FIELD_HISTOGRAM_POINT_FLAGS, WIRE_VARINT):
        point->flags = otlp_frame_flags(field.number);
        break;
    default: break;
    }
}

static void read_histogram(const struct otlp_hasher *hasher, struct otlp_point *point,
                           struct otlp_histogram *histogram,
                           struct histogram_reading *reading)
{
    struct wire wire = wire_of(point->message);
    struct wire_field field;
    bool whole = true;

    while (whole && wire_next(&wire, &field)) {
        switch (field.tag) {
        case WIRE_TAG(FIELD_HISTOGRAM_POINT_ATTRIBUTES, WIRE_LENGTH):
            reading->attributes = otlp_frame_worse(
                reading->attributes,
                otlp_hash_add(hasher, field.bytes, OTLP_POINT_DEPTH + 1, &point->stream));
            break;
        case WIRE_TAG(FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, WIRE_LENGTH):
            whole = add_packed(&reading->buckets, field.bytes);
            break;
        case WIRE_TAG(FIELD_HISTOGRAM_POINT_EXPLICIT_BOUNDS, WIRE_LENGTH):
            whole = add_packed(&reading->bounds, field.bytes);
            break;
        case WIRE_TAG(FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, WIRE_FIXED64):
            add_single(&reading->buckets);
            break;
        case WIRE_TAG(FIELD_HISTOGRAM_POINT_EXPLICIT_BOUNDS, WIRE_FIXED64):
            add_single(&reading->bounds);
            break;
        default: take_histogram_value(field, point, histogram); break;
        }
    }
    reading->broken = wire.broken || !whole || reading->attributes == OTLP_HASH_BROKEN;
}

static int decode_histogram(const struct otlp_point_context *context,
                            struct slice message, struct otlp_point *point)
{
    struct histogram_reading reading = {.attributes = OTLP_HASH_OK};
    struct otlp_histogram *histogram = otlp_batch_histogram(context->batch);
    struct arena *arena = context->batch->arena;

    *point = (struct otlp_point){.message = message};
    *histogram = (struct otlp_histogram){0};
    read_histogram(context->hasher, point, histogram, &reading);
    if (reading.broken)
        return OTLP_BROKEN;

    int verdict = otlp_frame_judge(point, reading.attributes);

    if (verdict != OTLP_ACCEPTED)
        return verdict;
    if (point->flags & OTLP_NO_RECORDED_VALUE) {
        *histogram = (struct otlp_histogram){0};
        point->count = 0;
        return OTLP_ACCEPTED;
    }
    gather(&reading.buckets, message, FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, arena);
    gather(&reading.bounds, message, FIELD_HISTOGRAM_POINT_EXPLICIT_BOUNDS, arena);
    histogram->buckets = reading.buckets.ptr;
    histogram->bounds = reading.bounds.ptr;
    histogram->bucket_count = (uint32_t)reading.buckets.count;
    histogram->bound_count = (uint32_t)reading.bounds.count;
    return otlp_validate_histogram(point->count, histogram);
}

int otlp_point_decode(const struct otlp_point_context *context, struct slice message,
                      struct otlp_point *point)
{
    switch (context->kind) {
    case OTLP_GAUGE:
    case OTLP_SUM: return decode_number(context, message, point);
    case OTLP_HISTOGRAM: return decode_histogram(context, message, point);
    case OTLP_EXPONENTIAL_HISTOGRAM:
        return otlp_exponential_decode(context, message, point);
    case OTLP_SUMMARY: return otlp_summary_decode(context, message, point);
    case OTLP_NO_DATA: break;
    }
    return OTLP_BROKEN;
}
