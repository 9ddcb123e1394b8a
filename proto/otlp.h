/*
 * The inbound model: one OTLP ExportMetricsServiceRequest decoded into a batch.
 *
 * A batch is flat arrays of resources, scopes, metrics, points and what distributions have beside
 * their count (histograms, exponential histograms, summaries). Records point into
 * the request's body (or, where a sub-message came in several pieces, into the batch's arena), so
 * the body must outlive the batch. Decoding is one pass without allocation per point; every point
 * is validated and its stream hashed on the way. Points that are refused leave no record, only a
 * count and an example, so that a body of empty points costs no memory.
 *
 * Attributes are not decoded: a record keeps its message, and otlp_attributes() walks them on
 * demand (rules run once per stream).
 *
 * Sources: opentelemetry-proto 1.11 (metrics.proto, common.proto), the protobuf encoding
 * specification (merging of repeated singular messages, packed fields, unknown fields, groups).
 */
#ifndef PROTO_OTLP_H
#define PROTO_OTLP_H

#include "base/error.h"
#include "base/hash.h"
#include "base/ledger.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum otlp_media {
    OTLP_PROTOBUF,
    OTLP_JSON
};

enum otlp_coding {
    OTLP_IDENTITY,
    OTLP_GZIP
};

enum otlp_kind {
    OTLP_NO_DATA, /* no member of Metric.data that we know: no points */
    OTLP_GAUGE,
    OTLP_SUM,
    OTLP_HISTOGRAM,
    OTLP_EXPONENTIAL_HISTOGRAM,
    OTLP_SUMMARY,
};

enum otlp_temporality {
    OTLP_UNSPECIFIED,
    OTLP_DELTA,
    OTLP_CUMULATIVE
};

struct otlp_resource {
    struct hash128 hash;  /* of the attribute set */
    struct slice message; /* Resource; walk with otlp_attributes(OTLP_OF_RESOURCE) */
};

struct otlp_scope {
    struct hash128 hash; /* resource, name, version, attribute set */
    uint32_t resource;   /* index */
    struct slice name, version;
    struct slice message; /* InstrumentationScope */
};

struct otlp_metric {
    struct hash128
        hash;       /* scope, name, unit, kind, temporality, monotonic: a stream family */
    uint32_t scope; /* index */
    uint8_t kind;   /* enum otlp_kind */
    uint8_t
        temporality; /* enum otlp_temporality; OTLP_UNSPECIFIED for gauge and summary */
    bool monotonic;
    struct slice name, unit;
    struct slice description;          /* no part of any identity */
    uint32_t first_point, point_count; /* accepted points */
};

enum otlp_value_type {
    OTLP_NO_VALUE,
    OTLP_INT,
    OTLP_DOUBLE
};

enum otlp_point_flag {
    OTLP_NO_RECORDED_VALUE = 1
};

struct otlp_point {
    struct hash128 stream; /* metric hash and attribute set; without the start time */
    uint64_t start_ns, time_ns;

    union {
        int64_t as_int;
        double as_double;
        uint64_t count; /* histogram kinds and summary */
    };

    uint32_t metric; /* index */
    uint32_t
        detail; /* index into histograms, exponentials or summaries by kind, else 0 */
    uint8_t value_type; /* enum otlp_value_type for gauge and sum */
    uint8_t flags;      /* enum otlp_point_flag */
    struct slice
        message; /* the data point; walk with otlp_attributes(OTLP_OF_POINT...) */
};

struct otlp_histogram {
    double sum, min, max; /* where has_* */
    bool has_sum, has_min, has_max;
    uint32_t bucket_count; /* 0, or bound_count + 1 */
    uint32_t bound_count;
    const char *buckets; /* bucket_count little-endian fixed64, unaligned */
    const char
        *bounds; /* bound_count little-endian doubles, unaligned, strictly increasing */
};

uint64_t otlp_bucket(const struct otlp_histogram *histogram, uint32_t index);
double otlp_bound(const struct otlp_histogram *histogram, uint32_t index);

/*
 * One side of an exponential histogram: bucket i has index offset + i, and of base 2^(2^-scale) it
 * covers (base^index, base^(index + 1)], on the negative side mirrored. The offset may be anything:
 * never a size.
 */
struct otlp_buckets {
    int32_t offset;
    uint32_t count;      /* of buckets, at most OTLP_MAX_BUCKETS */
    struct slice counts; /* packed varints */
};

enum {
    OTLP_MAX_BUCKETS = 65536
};

struct otlp_exponential {
    double sum, min, max; /* where has_* */
    double zero_threshold;
    uint64_t zero_count;
    bool has_sum, has_min, has_max;
    int32_t scale;
    struct otlp_buckets positive, negative;
};

struct otlp_bucket {
    int64_t index;
    uint64_t count;
};

/* A walk over the buckets of one side that are not empty, in rising order of their indices. */
struct otlp_buckets_walk {
    struct slice rest;
    int64_t index;
};

struct otlp_buckets_walk otlp_buckets_walk(const struct otlp_buckets *buckets);
bool otlp_buckets_next(struct otlp_buckets_walk *walk, struct otlp_bucket *bucket);

struct otlp_summary {
    double sum;
    struct slice message; /* SummaryDataPoint */
};

/* 0 and 1 are the minimum and the maximum. */
struct otlp_quantile {
    double quantile, value; /* values may be NaN: no observations */
};

/* A walk over the quantiles of a summary, in rising order. */
struct otlp_quantiles_walk {
    struct slice rest;
};

struct otlp_quantiles_walk otlp_quantiles_walk(const struct otlp_summary *summary);
bool otlp_quantiles_next(struct otlp_quantiles_walk *walk,
                         struct otlp_quantile *quantile);

/* Numeric value of a gauge or sum point as double (integers beyond 2^53 are rounded). */
double otlp_number(const struct otlp_point *point);

struct otlp_limits {
    uint32_t max_depth; /* message nesting; default OTLP_MAX_DEPTH */
};

/*
 * Attribute values nest at most 64 deep in SDKs, that is 2 x 64 + 7 message levels for arrays and
 * 3 x 64 + 7 for maps (common specification, AttributeValueDepthLimit); 200 lets arrays pass.
 */
enum {
    OTLP_MAX_DEPTH = 200
};

struct arena;

struct otlp_batch {
    struct otlp_resource *resources;
    struct otlp_scope *scopes;
    struct otlp_metric *metrics;
    struct otlp_point *points;
    struct otlp_histogram *histograms;
    struct otlp_exponential *exponentials;
    struct otlp_summary *summaries;
    size_t resource_count, scope_count, metric_count, point_count;
    size_t histogram_count, exponential_count, summary_count;
    size_t resource_room, scope_room, metric_room, point_room;
    size_t histogram_room, exponential_room, summary_room;
    struct arena *arena;               /* merged pieces */
    struct hash128 body_hash;          /* of the inflated body */
    uint64_t total;                    /* points in the request, refused ones included */
    uint64_t rejected;                 /* sum over refused[] */
    uint32_t refused[REASON_LAST + 1]; /* stateless verdicts */
    char example[REASON_LAST + 1]
                [64];         /* metric name of the first point refused for the reason */
    uint64_t unknown_metrics; /* metrics without known data */
};

struct otlp_batch *otlp_batch_new(void);
void otlp_batch_free(struct otlp_batch *batch);
/* Bytes of memory that the batch holds; what an admission budget should count beside the body. */
size_t otlp_batch_bytes(const struct otlp_batch *batch);

/*
 * Decodes a protobuf body into the batch, which is emptied first and may be reused. False
 * (ERROR_INVALID) when the body is not a well-formed message: then nothing of it counts. Points
 * that the data model forbids are refused one by one (batch->refused). `seed` is the hash seed;
 * without `limits` the defaults hold.
 */
bool otlp_decode(struct otlp_batch *batch, struct slice body, uint64_t seed,
                 const struct otlp_limits *limits, struct error *err) MUST_CHECK;

/*
 * Text for partial_success.error_message: the reasons of refused points with counts, most first,
 * at most 1 KiB, English. Empty when nothing was refused.
 */
struct buffer;
void otlp_describe_refused(const struct otlp_batch *batch, struct buffer *out);

/* ---- attributes, walked on demand --------------------------------------------------------- */

enum otlp_value_kind {
    OTLP_VALUE_EMPTY,
    OTLP_VALUE_STRING,
    OTLP_VALUE_BOOL,
    OTLP_VALUE_INT,
    OTLP_VALUE_DOUBLE,
    OTLP_VALUE_ARRAY,
    OTLP_VALUE_KVLIST,
    OTLP_VALUE_BYTES,
};

struct otlp_attribute {
    struct slice key;
    enum otlp_value_kind kind;

    union {
        bool as_bool;
        int64_t as_int;
        double as_double;
    };
    /* string and bytes: the content; array and kvlist: the KeyValue, for otlp_attribute_text() */
    struct slice text;
};

/* A walk over the attributes of one message. The message must come from a decoded batch. */
struct otlp_attributes {
    struct slice rest;
    uint32_t field;
};

struct otlp_attributes otlp_resource_attributes(const struct otlp_resource *resource);
struct otlp_attributes otlp_scope_attributes(const struct otlp_scope *scope);
struct otlp_attributes otlp_point_attributes(const struct otlp_point *point,
                                             enum otlp_kind kind);
bool otlp_attributes_next(struct otlp_attributes *walk, struct otlp_attribute *attribute);

/* The last attribute of that key (duplicates: last wins); false when there is none. */
bool otlp_attributes_find(struct otlp_attributes walk, const char *key,
                          struct otlp_attribute *attribute);

/*
 * Appends the attribute's value as text, as the common specification's rules for non-OTLP
 * protocols say: strings as they are, booleans true/false, numbers as JSON, bytes as base64, arrays
 * and maps as JSON, empty as nothing. Invalid UTF-8 becomes U+FFFD.
 */
void otlp_attribute_text(const struct otlp_attribute *attribute, struct buffer *out);

#endif
