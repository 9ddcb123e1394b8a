#include "proto/otlp_batch.h"
#include "proto/otlp_field.h"
#include "proto/otlp_frame.h"
#include "proto/otlp_point.h"
#include "proto/wire.h"

/* ---- quantiles, walked -------------------------------------------------------------------- */

struct otlp_quantiles_walk otlp_quantiles_walk(const struct otlp_summary *summary)
{
    return (struct otlp_quantiles_walk){summary->message};
}

/* False when the message is broken. */
static bool read_quantile(struct slice message, struct otlp_quantile *quantile)
{
    struct wire wire = wire_of(message);
    struct wire_field field;

    *quantile = (struct otlp_quantile){0};
    while (wire_next(&wire, &field)) {
        if (field.tag == WIRE_TAG(FIELD_QUANTILE_QUANTILE, WIRE_FIXED64))
            quantile->quantile = wire_double(field.number);
        else if (field.tag == WIRE_TAG(FIELD_QUANTILE_VALUE, WIRE_FIXED64))
            quantile->value = wire_double(field.number);
    }
    return !wire.broken;
}

bool otlp_quantiles_next(struct otlp_quantiles_walk *walk, struct otlp_quantile *quantile)
{
    struct wire wire = wire_of(walk->rest);
    struct slice message;

    if (!wire_find(&wire, FIELD_SUMMARY_POINT_QUANTILE_VALUES, &message))
        return false;
    walk->rest = (struct slice){(const char *)wire.at, (size_t)(wire.end - wire.at)};
    return read_quantile(message, quantile);
}

/* ---- points ------------------------------------------------------------------------------- */

struct reading {
    enum otlp_hash_verdict attributes;
    bool has_broken_quantile;
};

static void take_field(const struct otlp_point_context *context, struct wire_field field,
                       struct otlp_point *point, struct otlp_summary *summary,
                       struct reading *reading)
{
    struct otlp_quantile ignored;

    switch (field.tag) {
    case WIRE_TAG(FIELD_SUMMARY_POINT_ATTRIBUTES, WIRE_LENGTH):
        reading->attributes = otlp_frame_worse(
            reading->attributes, otlp_hash_add(context->hasher, field.bytes,
                                               OTLP_POINT_DEPTH + 1, &point->stream));
        break;
    case WIRE_TAG(FIELD_SUMMARY_POINT_START_TIME_UNIX_NANO, WIRE_FIXED64):
        point->start_ns = field.number;
        break;
    case WIRE_TAG(FIELD_SUMMARY_POINT_TIME_UNIX_NANO, WIRE_FIXED64):
        point->time_ns = field.number;
        break;
    case WIRE_TAG(FIELD_SUMMARY_POINT_COUNT, WIRE_FIXED64):
        point->count = field.number;
        break;
    case WIRE_TAG(FIELD_SUMMARY_POINT_SUM, WIRE_FIXED64):
        summary->sum = wire_double(field.number);
        break;
    case WIRE_TAG(FIELD_SUMMARY_POINT_QUANTILE_VALUES, WIRE_LENGTH):
        reading->has_broken_quantile |= !read_quantile(field.bytes, &ignored);
        break;
    case WIRE_TAG(FIELD_SUMMARY_POINT_FLAGS, WIRE_VARINT):
        point->flags = otlp_frame_flags(field.number);
        break;
    default: break;
    }
}

int otlp_summary_decode(const struct otlp_point_context *context, struct slice message,
                        struct otlp_point *point)
{
    struct wire wire = wire_of(message);
    struct wire_field field;
    struct reading reading = {OTLP_HASH_OK, false};
    struct otlp_summary *summary = otlp_batch_summary(context->batch);

    *point = (struct otlp_point){.message = message};
    *summary = (struct otlp_summary){.message = message};
    while (wire_next(&wire, &field))
        take_field(context, field, point, summary, &reading);
    if (wire.broken || reading.has_broken_quantile ||
        reading.attributes == OTLP_HASH_BROKEN)
        return OTLP_BROKEN;

    int verdict = otlp_frame_judge(point, reading.attributes);

    if (verdict != OTLP_ACCEPTED)
        return verdict;
    if (!(point->flags & OTLP_NO_RECORDED_VALUE))
        return otlp_validate_summary(point->count, summary);
    *summary = (struct otlp_summary){0};
    point->count = 0;
    return OTLP_ACCEPTED;
}
