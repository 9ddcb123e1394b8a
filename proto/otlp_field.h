/*
 * Names, numbers and types of every OTLP metrics field, in one table.
 *
 * The decoders take the numbers from the enum, which is made from the table; tests compare the
 * table with the generated descriptors, and those with the official ones. Nothing else in the
 * program spells a field number.
 *
 * Source: opentelemetry-proto 1.11 (collector/metrics/v1, metrics/v1, common/v1, resource/v1).
 */
#ifndef PROTO_OTLP_FIELD_H
#define PROTO_OTLP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum otlp_field_type {
    OTLP_FIELD_MESSAGE,
    OTLP_FIELD_STRING,
    OTLP_FIELD_BYTES,
    OTLP_FIELD_BOOL,
    OTLP_FIELD_ENUM,
    OTLP_FIELD_INT32,
    OTLP_FIELD_INT64,
    OTLP_FIELD_SINT32,
    OTLP_FIELD_UINT32,
    OTLP_FIELD_UINT64,
    OTLP_FIELD_FIXED64,
    OTLP_FIELD_SFIXED64,
    OTLP_FIELD_DOUBLE,
};

/* X(MESSAGE, CONSTANT, number, TYPE, repeated, message, field) */
/* clang-format off */
#define OTLP_FIELDS(X) \
    X(REQUEST, RESOURCE_METRICS, 1, MESSAGE, true, "ExportMetricsServiceRequest", "resource_metrics") \
    X(RESPONSE, PARTIAL_SUCCESS, 1, MESSAGE, false, "ExportMetricsServiceResponse", "partial_success") \
    X(PARTIAL, REJECTED_DATA_POINTS, 1, INT64, false, "ExportMetricsPartialSuccess", "rejected_data_points") \
    X(PARTIAL, ERROR_MESSAGE, 2, STRING, false, "ExportMetricsPartialSuccess", "error_message") \
    X(RESOURCE_METRICS, RESOURCE, 1, MESSAGE, false, "ResourceMetrics", "resource") \
    X(RESOURCE_METRICS, SCOPE_METRICS, 2, MESSAGE, true, "ResourceMetrics", "scope_metrics") \
    X(RESOURCE_METRICS, SCHEMA_URL, 3, STRING, false, "ResourceMetrics", "schema_url") \
    X(SCOPE_METRICS, SCOPE, 1, MESSAGE, false, "ScopeMetrics", "scope") \
    X(SCOPE_METRICS, METRICS, 2, MESSAGE, true, "ScopeMetrics", "metrics") \
    X(SCOPE_METRICS, SCHEMA_URL, 3, STRING, false, "ScopeMetrics", "schema_url") \
    X(METRIC, NAME, 1, STRING, false, "Metric", "name") \
    X(METRIC, DESCRIPTION, 2, STRING, false, "Metric", "description") \
    X(METRIC, UNIT, 3, STRING, false, "Metric", "unit") \
    X(METRIC, GAUGE, 5, MESSAGE, false, "Metric", "gauge") \
    X(METRIC, SUM, 7, MESSAGE, false, "Metric", "sum") \
    X(METRIC, HISTOGRAM, 9, MESSAGE, false, "Metric", "histogram") \
    X(METRIC, EXPONENTIAL_HISTOGRAM, 10, MESSAGE, false, "Metric", "exponential_histogram") \
    X(METRIC, SUMMARY, 11, MESSAGE, false, "Metric", "summary") \
    X(METRIC, METADATA, 12, MESSAGE, true, "Metric", "metadata") \
    X(GAUGE, DATA_POINTS, 1, MESSAGE, true, "Gauge", "data_points") \
    X(SUM, DATA_POINTS, 1, MESSAGE, true, "Sum", "data_points") \
    X(SUM, AGGREGATION_TEMPORALITY, 2, ENUM, false, "Sum", "aggregation_temporality") \
    X(SUM, IS_MONOTONIC, 3, BOOL, false, "Sum", "is_monotonic") \
    X(HISTOGRAM, DATA_POINTS, 1, MESSAGE, true, "Histogram", "data_points") \
    X(HISTOGRAM, AGGREGATION_TEMPORALITY, 2, ENUM, false, "Histogram", "aggregation_temporality") \
    X(EXPONENTIAL, DATA_POINTS, 1, MESSAGE, true, "ExponentialHistogram", "data_points") \
    X(EXPONENTIAL, AGGREGATION_TEMPORALITY, 2, ENUM, false, "ExponentialHistogram", "aggregation_temporality") \
    X(SUMMARY, DATA_POINTS, 1, MESSAGE, true, "Summary", "data_points") \
    X(NUMBER, START_TIME_UNIX_NANO, 2, FIXED64, false, "NumberDataPoint", "start_time_unix_nano") \
    X(NUMBER, TIME_UNIX_NANO, 3, FIXED64, false, "NumberDataPoint", "time_unix_nano") \
    X(NUMBER, AS_DOUBLE, 4, DOUBLE, false, "NumberDataPoint", "as_double") \
    X(NUMBER, EXEMPLARS, 5, MESSAGE, true, "NumberDataPoint", "exemplars") \
    X(NUMBER, AS_INT, 6, SFIXED64, false, "NumberDataPoint", "as_int") \
    X(NUMBER, ATTRIBUTES, 7, MESSAGE, true, "NumberDataPoint", "attributes") \
    X(NUMBER, FLAGS, 8, UINT32, false, "NumberDataPoint", "flags") \
    X(HISTOGRAM_POINT, START_TIME_UNIX_NANO, 2, FIXED64, false, "HistogramDataPoint", "start_time_unix_nano") \
    X(HISTOGRAM_POINT, TIME_UNIX_NANO, 3, FIXED64, false, "HistogramDataPoint", "time_unix_nano") \
    X(HISTOGRAM_POINT, COUNT, 4, FIXED64, false, "HistogramDataPoint", "count") \
    X(HISTOGRAM_POINT, SUM, 5, DOUBLE, false, "HistogramDataPoint", "sum") \
    X(HISTOGRAM_POINT, BUCKET_COUNTS, 6, FIXED64, true, "HistogramDataPoint", "bucket_counts") \
    X(HISTOGRAM_POINT, EXPLICIT_BOUNDS, 7, DOUBLE, true, "HistogramDataPoint", "explicit_bounds") \
    X(HISTOGRAM_POINT, EXEMPLARS, 8, MESSAGE, true, "HistogramDataPoint", "exemplars") \
    X(HISTOGRAM_POINT, ATTRIBUTES, 9, MESSAGE, true, "HistogramDataPoint", "attributes") \
    X(HISTOGRAM_POINT, FLAGS, 10, UINT32, false, "HistogramDataPoint", "flags") \
    X(HISTOGRAM_POINT, MIN, 11, DOUBLE, false, "HistogramDataPoint", "min") \
    X(HISTOGRAM_POINT, MAX, 12, DOUBLE, false, "HistogramDataPoint", "max") \
    X(EXPONENTIAL_POINT, ATTRIBUTES, 1, MESSAGE, true, "ExponentialHistogramDataPoint", "attributes") \
    X(EXPONENTIAL_POINT, START_TIME_UNIX_NANO, 2, FIXED64, false, "ExponentialHistogramDataPoint", "start_time_unix_nano") \
    X(EXPONENTIAL_POINT, TIME_UNIX_NANO, 3, FIXED64, false, "ExponentialHistogramDataPoint", "time_unix_nano") \
    X(EXPONENTIAL_POINT, COUNT, 4, FIXED64, false, "ExponentialHistogramDataPoint", "count") \
    X(EXPONENTIAL_POINT, SUM, 5, DOUBLE, false, "ExponentialHistogramDataPoint", "sum") \
    X(EXPONENTIAL_POINT, SCALE, 6, SINT32, false, "ExponentialHistogramDataPoint", "scale") \
    X(EXPONENTIAL_POINT, ZERO_COUNT, 7, FIXED64, false, "ExponentialHistogramDataPoint", "zero_count") \
    X(EXPONENTIAL_POINT, POSITIVE, 8, MESSAGE, false, "ExponentialHistogramDataPoint", "positive") \
    X(EXPONENTIAL_POINT, NEGATIVE, 9, MESSAGE, false, "ExponentialHistogramDataPoint", "negative") \
    X(EXPONENTIAL_POINT, FLAGS, 10, UINT32, false, "ExponentialHistogramDataPoint", "flags") \
    X(EXPONENTIAL_POINT, EXEMPLARS, 11, MESSAGE, true, "ExponentialHistogramDataPoint", "exemplars") \
    X(EXPONENTIAL_POINT, MIN, 12, DOUBLE, false, "ExponentialHistogramDataPoint", "min") \
    X(EXPONENTIAL_POINT, MAX, 13, DOUBLE, false, "ExponentialHistogramDataPoint", "max") \
    X(EXPONENTIAL_POINT, ZERO_THRESHOLD, 14, DOUBLE, false, "ExponentialHistogramDataPoint", "zero_threshold") \
    X(BUCKETS, OFFSET, 1, SINT32, false, "ExponentialHistogramDataPoint.Buckets", "offset") \
    X(BUCKETS, BUCKET_COUNTS, 2, UINT64, true, "ExponentialHistogramDataPoint.Buckets", "bucket_counts") \
    X(SUMMARY_POINT, START_TIME_UNIX_NANO, 2, FIXED64, false, "SummaryDataPoint", "start_time_unix_nano") \
    X(SUMMARY_POINT, TIME_UNIX_NANO, 3, FIXED64, false, "SummaryDataPoint", "time_unix_nano") \
    X(SUMMARY_POINT, COUNT, 4, FIXED64, false, "SummaryDataPoint", "count") \
    X(SUMMARY_POINT, SUM, 5, DOUBLE, false, "SummaryDataPoint", "sum") \
    X(SUMMARY_POINT, QUANTILE_VALUES, 6, MESSAGE, true, "SummaryDataPoint", "quantile_values") \
    X(SUMMARY_POINT, ATTRIBUTES, 7, MESSAGE, true, "SummaryDataPoint", "attributes") \
    X(SUMMARY_POINT, FLAGS, 8, UINT32, false, "SummaryDataPoint", "flags") \
    X(QUANTILE, QUANTILE, 1, DOUBLE, false, "SummaryDataPoint.ValueAtQuantile", "quantile") \
    X(QUANTILE, VALUE, 2, DOUBLE, false, "SummaryDataPoint.ValueAtQuantile", "value") \
    X(EXEMPLAR, TIME_UNIX_NANO, 2, FIXED64, false, "Exemplar", "time_unix_nano") \
    X(EXEMPLAR, AS_DOUBLE, 3, DOUBLE, false, "Exemplar", "as_double") \
    X(EXEMPLAR, SPAN_ID, 4, BYTES, false, "Exemplar", "span_id") \
    X(EXEMPLAR, TRACE_ID, 5, BYTES, false, "Exemplar", "trace_id") \
    X(EXEMPLAR, AS_INT, 6, SFIXED64, false, "Exemplar", "as_int") \
    X(EXEMPLAR, FILTERED_ATTRIBUTES, 7, MESSAGE, true, "Exemplar", "filtered_attributes") \
    X(RESOURCE, ATTRIBUTES, 1, MESSAGE, true, "Resource", "attributes") \
    X(RESOURCE, DROPPED_ATTRIBUTES_COUNT, 2, UINT32, false, "Resource", "dropped_attributes_count") \
    X(RESOURCE, ENTITY_REFS, 3, MESSAGE, true, "Resource", "entity_refs") \
    X(SCOPE, NAME, 1, STRING, false, "InstrumentationScope", "name") \
    X(SCOPE, VERSION, 2, STRING, false, "InstrumentationScope", "version") \
    X(SCOPE, ATTRIBUTES, 3, MESSAGE, true, "InstrumentationScope", "attributes") \
    X(SCOPE, DROPPED_ATTRIBUTES_COUNT, 4, UINT32, false, "InstrumentationScope", "dropped_attributes_count") \
    X(KEY_VALUE, KEY, 1, STRING, false, "KeyValue", "key") \
    X(KEY_VALUE, VALUE, 2, MESSAGE, false, "KeyValue", "value") \
    X(KEY_VALUE, KEY_STRINDEX, 3, INT32, false, "KeyValue", "key_strindex") \
    X(ANY, STRING_VALUE, 1, STRING, false, "AnyValue", "string_value") \
    X(ANY, BOOL_VALUE, 2, BOOL, false, "AnyValue", "bool_value") \
    X(ANY, INT_VALUE, 3, INT64, false, "AnyValue", "int_value") \
    X(ANY, DOUBLE_VALUE, 4, DOUBLE, false, "AnyValue", "double_value") \
    X(ANY, ARRAY_VALUE, 5, MESSAGE, false, "AnyValue", "array_value") \
    X(ANY, KVLIST_VALUE, 6, MESSAGE, false, "AnyValue", "kvlist_value") \
    X(ANY, BYTES_VALUE, 7, BYTES, false, "AnyValue", "bytes_value") \
    X(ANY, STRING_VALUE_STRINDEX, 8, INT32, false, "AnyValue", "string_value_strindex") \
    X(ARRAY, VALUES, 1, MESSAGE, true, "ArrayValue", "values") \
    X(KVLIST, VALUES, 1, MESSAGE, true, "KeyValueList", "values") \
    X(ENTITY_REF, SCHEMA_URL, 1, STRING, false, "EntityRef", "schema_url") \
    X(ENTITY_REF, TYPE, 2, STRING, false, "EntityRef", "type") \
    X(ENTITY_REF, ID_KEYS, 3, STRING, true, "EntityRef", "id_keys") \
    X(ENTITY_REF, DESCRIPTION_KEYS, 4, STRING, true, "EntityRef", "description_keys")

/* FIELD_METRIC_NAME = 1, ... */
#define OTLP_FIELD_NUMBER(message, constant, number, type, repeated, of, name) \
    FIELD_##message##_##constant = (number),
enum { OTLP_FIELDS(OTLP_FIELD_NUMBER) };
#undef OTLP_FIELD_NUMBER

/* clang-format on */

struct otlp_field {
    const char *message; /* name inside its package */
    const char *name;
    uint32_t number;
    enum otlp_field_type type;
    bool repeated;
};

extern const struct otlp_field otlp_fields[];
extern const size_t otlp_field_count;

#endif
