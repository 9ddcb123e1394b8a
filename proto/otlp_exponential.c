#include "base/arena.h"
#include "proto/otlp_batch.h"
#include "proto/otlp_field.h"
#include "proto/otlp_frame.h"
#include "proto/otlp_point.h"
#include "proto/wire.h"

/* ---- buckets, walked ---------------------------------------------------------------------- */

struct otlp_buckets_walk otlp_buckets_walk(const struct otlp_buckets *buckets)
{
    return (struct otlp_buckets_walk){buckets->counts, buckets->offset};
}

bool otlp_buckets_next(struct otlp_buckets_walk *walk, struct otlp_bucket *bucket)
{
    struct wire packed = wire_of(walk->rest);
    uint64_t count = 0;

    while (count == 0 && packed.at < packed.end && wire_varint(&packed, &count))
        walk->index++;
    walk->rest = (struct slice){(const char *)packed.at,
                                (size_t)(packed.end - packed.at)};
    *bucket = (struct otlp_bucket){walk->index - 1, count};
    return count != 0;
}

/* ---- buckets, read ------------------------------------------------------------------------ */

/* A part of a message: usually one piece, which is used where it lies. */
struct pieces {
    struct slice last;
    size_t count, total;
};

static void add_piece(struct pieces *pieces, struct slice piece)
{
    pieces->last = piece;
    pieces->count++;
    pieces->total += piece.len;
}

static void append(char **to, struct slice bytes)
{
    if (bytes.len)
        memcpy(*to, bytes.ptr, bytes.len);
    *to += bytes.len;
}

/* The pieces of a singular message as one; the parent is known to be whole. */
static struct slice join(const struct pieces *pieces, struct slice parent,
                         uint32_t number, struct arena *arena)
{
    struct wire wire = wire_of(parent);
    struct slice piece;
    char *joined, *to;

    if (pieces->count < 2)
        return pieces->last;
    joined = to = arena_alloc(arena, pieces->total);
    while (wire_find(&wire, number, &piece))
        append(&to, piece);
    return (struct slice){joined, pieces->total};
}

/* Counts of one packed piece; false when it is broken. */
static bool measure_packed(struct slice counts, uint32_t *count)
{
    struct wire packed = wire_of(counts);
    uint64_t ignored;

    while (packed.at < packed.end && wire_varint(&packed, &ignored))
        (*count)++;
    return !packed.broken;
}

static void put_varint(char **to, uint64_t number)
{
    for (; number > 0x7F; number >>= 7)
        *(*to)++ = (char)(0x80 | (number & 0x7F));
    *(*to)++ = (char)number;
}

/* Counts that came one by one or in several packed pieces, as one packed piece. */
static struct slice pack(struct slice message, struct arena *arena)
{
    struct wire wire = wire_of(message);
    struct wire_field field;
    char *packed = arena_alloc(arena, message.len), *to = packed;

    while (wire_next(&wire, &field)) {
        if (field.tag == WIRE_TAG(FIELD_BUCKETS_BUCKET_COUNTS, WIRE_VARINT))
            put_varint(&to, field.number);
        else if (field.tag == WIRE_TAG(FIELD_BUCKETS_BUCKET_COUNTS, WIRE_LENGTH))
            append(&to, field.bytes);
    }
    return (struct slice){packed, (size_t)(to - packed)};
}

static int32_t unzigzag(uint64_t number)
{
    uint32_t word = (uint32_t)number;

    return (int32_t)((word >> 1) ^ (0 - (word & 1)));
}

/* False when the message is broken. */
static bool read_buckets(struct slice message, struct arena *arena,
                         struct otlp_buckets *buckets)
{
    struct wire wire = wire_of(message);
    struct wire_field field;
    struct pieces packed = {0};
    uint32_t singles = 0;

    *buckets = (struct otlp_buckets){0};
    while (wire_next(&wire, &field)) {
        switch (field.tag) {
        case WIRE_TAG(FIELD_BUCKETS_OFFSET, WIRE_VARINT):
            buckets->offset = unzigzag(field.number);
            break;
        case WIRE_TAG(FIELD_BUCKETS_BUCKET_COUNTS, WIRE_VARINT): singles++; break;
        case WIRE_TAG(FIELD_BUCKETS_BUCKET_COUNTS, WIRE_LENGTH):
            add_piece(&packed, field.bytes);
            if (!measure_packed(field.bytes, &buckets->count))
                return false;
            break;
        default: break;
        }
    }
    buckets->count += singles;
    buckets->counts = singles || packed.count > 1 ? pack(message, arena) : packed.last;
    return !wire.broken;
}

/* ---- points ------------------------------------------------------------------------------- */

struct reading {
    struct pieces positive, negative;
    enum otlp_hash_verdict attributes;
};

static void take_value(struct wire_field field, struct otlp_point *point,
                       struct otlp_exponential *exponential)
{
    switch (field.tag) {
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_START_TIME_UNIX_NANO, WIRE_FIXED64):
        point->start_ns = field.number;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_TIME_UNIX_NANO, WIRE_FIXED64):
        point->time_ns = field.number;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_COUNT, WIRE_FIXED64):
        point->count = field.number;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_SUM, WIRE_FIXED64):
        exponential->sum = wire_double(field.number);
        exponential->has_sum = true;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_SCALE, WIRE_VARINT):
        exponential->scale = unzigzag(field.number);
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_ZERO_COUNT, WIRE_FIXED64):
        exponential->zero_count = field.number;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_FLAGS, WIRE_VARINT):
        point->flags = otlp_frame_flags(field.number);
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_MIN, WIRE_FIXED64):
        exponential->min = wire_double(field.number);
        exponential->has_min = true;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_MAX, WIRE_FIXED64):
        exponential->max = wire_double(field.number);
        exponential->has_max = true;
        break;
    case WIRE_TAG(FIELD_EXPONENTIAL_POINT_ZERO_THRESHOLD, WIRE_FIXED64):
        exponential->zero_threshold = wire_double(field.number);
        break;
    default: break;
    }
}

/* False when the message is broken. */
static bool read_point(const struct otlp_point_context *context, struct otlp_point *point,
                       struct otlp_exponential *exponential, struct reading *reading)
{
    struct wire wire = wire_of(point->message);
    struct wire_field field;

    while (wire_next(&wire, &field)) {
        switch (field.tag) {
        case WIRE_TAG(FIELD_EXPONENTIAL_POINT_ATTRIBUTES, WIRE_LENGTH):
            reading->attributes = otlp_frame_worse(
                reading->attributes, otlp_hash_add(context->hasher, field.bytes,
                                                   OTLP_POINT_DEPTH + 1, &point->stream));
            break;
        case WIRE_TAG(FIELD_EXPONENTIAL_POINT_POSITIVE, WIRE_LENGTH):
            add_piece(&reading->positive, field.bytes);
            break;
        case WIRE_TAG(FIELD_EXPONENTIAL_POINT_NEGATIVE, WIRE_LENGTH):
            add_piece(&reading->negative, field.bytes);
            break;
        default: take_value(field, point, exponential); break;
        }
    }
    return !wire.broken && reading->attributes != OTLP_HASH_BROKEN;
}

static bool read_sides(const struct reading *reading, struct slice message,
                       struct arena *arena, struct otlp_exponential *exponential)
{
    struct slice positive = join(&reading->positive, message,
                                 FIELD_EXPONENTIAL_POINT_POSITIVE, arena);
    struct slice negative = join(&reading->negative, message,
                                 FIELD_EXPONENTIAL_POINT_NEGATIVE, arena);

    return read_buckets(positive, arena, &exponential->positive) &&
           read_buckets(negative, arena, &exponential->negative);
}

int otlp_exponential_decode(const struct otlp_point_context *context,
                            struct slice message, struct otlp_point *point)
{
    struct reading reading = {.attributes = OTLP_HASH_OK};
    struct otlp_exponential *exponential = otlp_batch_exponential(context->batch);

    *point = (struct otlp_point){.message = message};
    *exponential = (struct otlp_exponential){0};
    if (!read_point(context, point, exponential, &reading) ||
        !read_sides(&reading, message, context->batch->arena, exponential))
        return OTLP_BROKEN;

    int verdict = otlp_frame_judge(point, reading.attributes);

    if (verdict != OTLP_ACCEPTED)
        return verdict;
    if (!(point->flags & OTLP_NO_RECORDED_VALUE))
        return otlp_validate_exponential(point->count, exponential);
    *exponential = (struct otlp_exponential){0};
    point->count = 0;
    return OTLP_ACCEPTED;
}
