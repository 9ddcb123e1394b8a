/*
 * The envelopes of a request: ResourceMetrics, ScopeMetrics, Metric.
 *
 * Fields may come in any order and a singular message in several pieces, so every envelope is
 * looked over once for what its children need to know (its tags only; sub-messages are skipped)
 * and walked a second time for the children. Work is linear in the bytes of the body.
 */
#include "base/arena.h"
#include "base/buffer.h"
#include "proto/otlp_batch.h"
#include "proto/otlp_field.h"
#include "proto/otlp_point.h"
#include "proto/wire.h"

/* Message levels: request 1, ResourceMetrics 2, Resource 3; ScopeMetrics 3, scope 4. */
enum {
    RESOURCE_DEPTH = 3,
    SCOPE_DEPTH = 4
};

/* One resource, scope or metric that is being walked; its record is made for the first point. */
struct decoder {
    struct otlp_batch *batch;
    struct otlp_hasher hasher;
    struct otlp_resource resource;
    struct otlp_scope scope;
    struct otlp_metric metric;
    int64_t resource_index, scope_index,
        metric_index; /* OTLP_NO_RECORD until there is one */
    int resource_verdict, scope_verdict, metric_verdict;
};

/*
 * A singular message: the concatenation of its pieces. One piece is used where it lies. False when
 * the parent is broken.
 */
static bool join_pieces(struct decoder *d, struct slice parent, uint32_t number,
                        struct slice *message)
{
    struct wire wire = wire_of(parent);
    struct slice piece, joined = {0};
    size_t pieces = 0, total = 0;

    for (; wire_find(&wire, number, &piece); pieces++) {
        total += piece.len;
        joined = piece;
    }
    if (wire.broken)
        return false;
    if (pieces > 1) {
        char *to = arena_alloc(d->batch->arena, total);

        joined = (struct slice){to, total};
        wire = wire_of(parent);
        while (wire_find(&wire, number, &piece)) {
            if (piece.len)
                memcpy(to, piece.ptr, piece.len);
            to += piece.len;
        }
    }
    *message = joined;
    return true;
}

static int verdict_of(enum otlp_hash_verdict verdict)
{
    switch (verdict) {
    case OTLP_HASH_OK: return OTLP_ACCEPTED;
    case OTLP_HASH_TOO_DEEP: return REASON_TOO_DEEP;
    case OTLP_HASH_BROKEN: return OTLP_BROKEN;
    }
    return OTLP_BROKEN;
}

/* ---- points ------------------------------------------------------------------------------ */

static void open_records(struct decoder *d)
{
    struct otlp_batch *batch = d->batch;

    if (d->resource_index == OTLP_NO_RECORD) {
        *otlp_batch_resource(batch) = d->resource;
        d->resource_index = (int64_t)batch->resource_count++;
    }
    if (d->scope_index == OTLP_NO_RECORD) {
        d->scope.resource = (uint32_t)d->resource_index;
        *otlp_batch_scope(batch) = d->scope;
        d->scope_index = (int64_t)batch->scope_count++;
    }
    d->metric.scope = (uint32_t)d->scope_index;
    d->metric.first_point = (uint32_t)batch->point_count;
    *otlp_batch_metric(batch) = d->metric;
    d->metric_index = (int64_t)batch->metric_count++;
}

static uint32_t keep_detail(struct otlp_batch *batch, enum otlp_kind kind)
{
    switch (kind) {
    case OTLP_HISTOGRAM: return (uint32_t)batch->histogram_count++;
    case OTLP_EXPONENTIAL_HISTOGRAM: return (uint32_t)batch->exponential_count++;
    case OTLP_SUMMARY: return (uint32_t)batch->summary_count++;
    case OTLP_NO_DATA:
    case OTLP_GAUGE:
    case OTLP_SUM: break;
    }
    return 0;
}

static void accept_point(struct decoder *d, struct otlp_point *point)
{
    struct otlp_batch *batch = d->batch;

    if (UNLIKELY(d->metric_index == OTLP_NO_RECORD))
        open_records(d);
    point->stream = hash_mix(d->metric.hash, point->stream);
    point->metric = (uint32_t)d->metric_index;
    if (d->metric.kind >= OTLP_HISTOGRAM)
        point->detail = keep_detail(batch, d->metric.kind);
    batch->metrics[d->metric_index].point_count++;
    batch->point_count++;
}

static bool decode_points(struct decoder *d, const struct otlp_point_context *context,
                          struct slice data)
{
    struct otlp_batch *batch = d->batch;
    struct wire wire = wire_of(data);
    struct slice message;

    _Static_assert(FIELD_GAUGE_DATA_POINTS == 1 && (int)FIELD_SUM_DATA_POINTS == 1 &&
                       (int)FIELD_HISTOGRAM_DATA_POINTS == 1 &&
                       (int)FIELD_EXPONENTIAL_DATA_POINTS == 1 &&
                       (int)FIELD_SUMMARY_DATA_POINTS == 1,
                   "one walk serves all kinds");
    while (wire_find(&wire, FIELD_GAUGE_DATA_POINTS, &message)) {
        struct otlp_point *point = otlp_batch_point(batch);
        int verdict = otlp_point_decode(context, message, point);

        batch->total++;
        if (LIKELY(verdict == OTLP_ACCEPTED && d->metric_verdict == OTLP_ACCEPTED))
            accept_point(d, point);
        else if (verdict == OTLP_BROKEN)
            return false;
        else
            otlp_batch_refuse(batch,
                              (enum reason)(d->metric_verdict == OTLP_ACCEPTED
                                                ? verdict
                                                : d->metric_verdict),
                              d->metric.name);
    }
    return !wire.broken;
}

/* ---- metric ------------------------------------------------------------------------------ */

static enum otlp_kind kind_of(uint32_t tag)
{
    switch (tag) {
    case WIRE_TAG(FIELD_METRIC_GAUGE, WIRE_LENGTH): return OTLP_GAUGE;
    case WIRE_TAG(FIELD_METRIC_SUM, WIRE_LENGTH): return OTLP_SUM;
    case WIRE_TAG(FIELD_METRIC_HISTOGRAM, WIRE_LENGTH): return OTLP_HISTOGRAM;
    case WIRE_TAG(FIELD_METRIC_EXPONENTIAL_HISTOGRAM, WIRE_LENGTH):
        return OTLP_EXPONENTIAL_HISTOGRAM;
    case WIRE_TAG(FIELD_METRIC_SUMMARY, WIRE_LENGTH): return OTLP_SUMMARY;
    default: return OTLP_NO_DATA;
    }
}

/* Metric.data: the pieces of its last member begin at `from` (an earlier other member lost). */
struct data_pieces {
    uint32_t number;
    const char *from;
};

static bool scan_metric(struct decoder *d, struct slice message, struct data_pieces *data)
{
    struct wire wire = wire_of(message);
    struct wire_field field;

    while (wire_next(&wire, &field)) {
        enum otlp_kind kind = kind_of(field.tag);

        if (kind != OTLP_NO_DATA && kind != d->metric.kind) {
            d->metric.kind = (uint8_t)kind;
            *data = (struct data_pieces){field.tag >> 3, field.bytes.ptr};
        } else if (field.tag == WIRE_TAG(FIELD_METRIC_NAME, WIRE_LENGTH)) {
            d->metric.name = field.bytes;
        } else if (field.tag == WIRE_TAG(FIELD_METRIC_UNIT, WIRE_LENGTH)) {
            d->metric.unit = field.bytes;
        } else if (field.tag == WIRE_TAG(FIELD_METRIC_DESCRIPTION, WIRE_LENGTH)) {
            d->metric.description = field.bytes;
        }
    }
    return !wire.broken;
}

/* Temporality and monotonicity; unknown temporalities stay OTLP_UNSPECIFIED. */
static bool scan_data(struct decoder *d, struct slice data)
{
    struct wire wire = wire_of(data);
    struct wire_field field;

    _Static_assert((int)FIELD_SUM_AGGREGATION_TEMPORALITY ==
                           (int)FIELD_HISTOGRAM_AGGREGATION_TEMPORALITY &&
                       (int)FIELD_SUM_AGGREGATION_TEMPORALITY ==
                           (int)FIELD_EXPONENTIAL_AGGREGATION_TEMPORALITY,
                   "one scan serves all kinds");
    while (wire_next(&wire, &field)) {
        if (field.tag == WIRE_TAG(FIELD_SUM_AGGREGATION_TEMPORALITY, WIRE_VARINT)) {
            uint32_t number = (uint32_t)field.number;

            d->metric.temporality = (uint8_t)(number <= OTLP_CUMULATIVE
                                                  ? number
                                                  : (uint32_t)OTLP_UNSPECIFIED);
        } else if (field.tag == WIRE_TAG(FIELD_SUM_IS_MONOTONIC, WIRE_VARINT) &&
                   d->metric.kind == OTLP_SUM) {
            d->metric.monotonic = field.number != 0;
        }
    }
    return !wire.broken;
}

static bool has_temporality(enum otlp_kind kind)
{
    switch (kind) {
    case OTLP_SUM:
    case OTLP_HISTOGRAM:
    case OTLP_EXPONENTIAL_HISTOGRAM: return true;
    case OTLP_NO_DATA:
    case OTLP_GAUGE:
    case OTLP_SUMMARY: break;
    }
    return false;
}

static int judge_metric(const struct decoder *d)
{
    if (d->metric.name.len == 0)
        return REASON_NO_NAME;
    if (d->resource_verdict != OTLP_ACCEPTED)
        return d->resource_verdict;
    if (d->scope_verdict != OTLP_ACCEPTED)
        return d->scope_verdict;
    if (has_temporality(d->metric.kind) && d->metric.temporality == OTLP_UNSPECIFIED)
        return REASON_NO_TEMPORALITY;
    return OTLP_ACCEPTED;
}

static struct hash128 hash_metric(const struct decoder *d)
{
    const struct otlp_metric *metric = &d->metric;
    struct hash128 shape = {metric->kind,
                            (uint64_t)metric->temporality << 1 | metric->monotonic};
    struct hash128 name = hash_bytes(metric->name, d->hasher.seed);
    struct hash128 unit = hash_bytes(metric->unit, d->hasher.seed);

    return hash_mix(hash_mix(d->scope.hash, name), hash_mix(unit, shape));
}

typedef bool visit(struct decoder *d, const struct otlp_point_context *context,
                   struct slice piece);

static bool visit_scan(struct decoder *d, const struct otlp_point_context *context,
                       struct slice piece)
{
    (void)context;
    return scan_data(d, piece);
}

static bool each_piece(struct decoder *d, struct slice message, struct data_pieces data,
                       visit *visit_piece, const struct otlp_point_context *context)
{
    struct wire wire = wire_of(message);
    struct slice piece;

    while (wire_find(&wire, data.number, &piece)) {
        if (piece.ptr >= data.from && !visit_piece(d, context, piece))
            return false;
    }
    return !wire.broken;
}

static bool decode_metric(struct decoder *d, struct slice message)
{
    struct data_pieces data = {0};

    d->metric = (struct otlp_metric){.kind = OTLP_NO_DATA};
    d->metric_index = OTLP_NO_RECORD;
    if (!scan_metric(d, message, &data))
        return false;
    if (d->metric.kind == OTLP_NO_DATA) {
        d->batch->unknown_metrics++;
        return true;
    }
    if (has_temporality(d->metric.kind) &&
        !each_piece(d, message, data, visit_scan, NULL))
        return false;
    d->metric_verdict = judge_metric(d);
    d->metric.hash = hash_metric(d);

    struct otlp_point_context context = {
        .hasher = &d->hasher,
        .batch = d->batch,
        .kind = d->metric.kind,
        .temporality = d->metric.temporality,
        .monotonic = d->metric.monotonic,
    };

    return each_piece(d, message, data, decode_points, &context);
}

/* ---- scope, resource, request ------------------------------------------------------------ */

static bool open_scope(struct decoder *d, struct slice message)
{
    struct hash128 attributes;
    struct wire wire = wire_of(message);
    struct wire_field field;

    d->scope = (struct otlp_scope){.message = message};
    d->scope_index = OTLP_NO_RECORD;
    while (wire_next(&wire, &field)) {
        if (field.tag == WIRE_TAG(FIELD_SCOPE_NAME, WIRE_LENGTH))
            d->scope.name = field.bytes;
        else if (field.tag == WIRE_TAG(FIELD_SCOPE_VERSION, WIRE_LENGTH))
            d->scope.version = field.bytes;
    }
    d->scope_verdict = verdict_of(otlp_hash_set(
        &d->hasher, message, FIELD_SCOPE_ATTRIBUTES, SCOPE_DEPTH, &attributes));

    struct hash128 name = hash_bytes(d->scope.name, d->hasher.seed);
    struct hash128 version = hash_bytes(d->scope.version, d->hasher.seed);

    d->scope.hash = hash_mix(hash_mix(d->resource.hash, name),
                             hash_mix(version, attributes));
    return !wire.broken && d->scope_verdict != OTLP_BROKEN;
}

static bool decode_scope_metrics(struct decoder *d, struct slice message)
{
    struct wire wire = wire_of(message);
    struct slice scope, metric;

    if (!join_pieces(d, message, FIELD_SCOPE_METRICS_SCOPE, &scope) ||
        !open_scope(d, scope))
        return false;
    while (wire_find(&wire, FIELD_SCOPE_METRICS_METRICS, &metric)) {
        if (!decode_metric(d, metric))
            return false;
    }
    return !wire.broken;
}

static bool decode_resource_metrics(struct decoder *d, struct slice message)
{
    struct wire wire = wire_of(message);
    struct slice resource, scope_metrics;

    if (!join_pieces(d, message, FIELD_RESOURCE_METRICS_RESOURCE, &resource))
        return false;
    d->resource = (struct otlp_resource){.message = resource};
    d->resource_index = OTLP_NO_RECORD;
    d->resource_verdict = verdict_of(otlp_hash_set(&d->hasher, resource,
                                                   FIELD_RESOURCE_ATTRIBUTES,
                                                   RESOURCE_DEPTH, &d->resource.hash));
    if (d->resource_verdict == OTLP_BROKEN)
        return false;
    while (wire_find(&wire, FIELD_RESOURCE_METRICS_SCOPE_METRICS, &scope_metrics)) {
        if (!decode_scope_metrics(d, scope_metrics))
            return false;
    }
    return !wire.broken;
}

static bool decode_request(struct decoder *d, struct slice body)
{
    struct wire wire = wire_of(body);
    struct slice resource_metrics;

    while (wire_find(&wire, FIELD_REQUEST_RESOURCE_METRICS, &resource_metrics)) {
        if (!decode_resource_metrics(d, resource_metrics))
            return false;
    }
    return !wire.broken;
}

bool otlp_decode(struct otlp_batch *batch, struct slice body, uint64_t seed,
                 const struct otlp_limits *limits, struct error *err)
{
    struct decoder d = {.batch = batch};

    otlp_hasher_init(&d.hasher, seed,
                     limits ? limits->max_depth : (uint32_t)OTLP_MAX_DEPTH);
    otlp_batch_reset(batch);
    if (!decode_request(&d, body)) {
        otlp_batch_reset(batch);
        return FAIL(err, ERROR_INVALID,
                    "the body is not a protobuf ExportMetricsServiceRequest");
    }
    batch->body_hash = hash_bytes(body, seed);
    return true;
}
