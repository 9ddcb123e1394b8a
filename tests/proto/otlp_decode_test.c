/* What a body means, and which points are refused for which reason. */
#include "proto/otlp.h"
#include "tests/proto/message.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    SECOND_NS = 1000000000,
    SEED = 99
};

/* The batch of the test; the request must live as long as it is looked at. */
static struct otlp_batch *batch;
static struct buffer request;

static int set_up(void **state)
{
    (void)state;
    batch = otlp_batch_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    otlp_batch_free(batch);
    buffer_release(&request);
    return 0;
}

/* Decodes a request, which it takes. */
static bool decode(struct buffer body)
{
    struct error err;

    buffer_release(&request);
    request = body;
    return otlp_decode(batch, buffer_slice(&request), SEED, NULL, &err);
}

/* A request with one metric of that kind. */
static bool decode_metric(unsigned kind_field, struct buffer data)
{
    struct buffer scope_metrics = {0};

    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS,
                metric_message("m", kind_field, data));
    return decode(request_of(scope_metrics));
}

/* A gauge with that one point, which it takes. */
static bool decode_point(struct buffer point)
{
    struct buffer data = {0};

    put_message(&data, FIELD_GAUGE_DATA_POINTS, point);
    return decode(gauge_request(data));
}

static void assert_refused(enum reason reason, uint32_t count)
{
    assert_int_equal(batch->refused[reason], count);
    assert_int_equal(batch->rejected, count);
    assert_int_equal(batch->point_count, batch->total - count);
}

static struct hash128 stream_of(struct buffer point)
{
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
    return batch->points[0].stream;
}

/* ---- structure --------------------------------------------------------------------------- */

static void an_empty_body_is_an_empty_batch(void **state)
{
    (void)state;
    assert_true(decode((struct buffer){0}));
    assert_int_equal(batch->total, 0);
    assert_int_equal(batch->point_count, 0);
}

static void empty_envelopes_leave_no_record(void **state)
{
    (void)state;
    struct buffer scope_metrics = {0};

    put_text(&scope_metrics, FIELD_SCOPE_METRICS_METRICS, "");
    assert_true(decode(request_of(scope_metrics)));
    assert_int_equal(batch->resource_count + batch->scope_count + batch->metric_count, 0);
    assert_int_equal(batch->unknown_metrics, 1);
}

static void a_point_carries_its_times_and_value(void **state)
{
    (void)state;
    struct buffer point = number_point(1.5);

    put_fixed64(&point, FIELD_NUMBER_START_TIME_UNIX_NANO, 7);
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
    assert_true(batch->points[0].start_ns == 7);
    assert_true(batch->points[0].time_ns == SECOND_NS);
    assert_int_equal(batch->points[0].value_type, OTLP_DOUBLE);
    assert_true(otlp_number(&batch->points[0]) == 1.5);
    assert_true(slice_is(batch->metrics[0].name, "m"));
    assert_int_equal(batch->metrics[0].point_count, 1);
}

static void fields_may_come_in_any_order(void **state)
{
    (void)state;
    struct buffer data = {0}, metric = {0}, scope = {0}, scope_metrics = {0},
                  resource_metrics = {0}, resource = {0}, body = {0};

    /* points before temporality, data before the name, metrics before scope, scopes before the
     * resource */
    put_message(&data, FIELD_SUM_DATA_POINTS, number_point(3));
    put_number(&data, FIELD_SUM_IS_MONOTONIC, 1);
    put_number(&data, FIELD_SUM_AGGREGATION_TEMPORALITY, OTLP_CUMULATIVE);
    put_message(&metric, FIELD_METRIC_SUM, data);
    put_text(&metric, FIELD_METRIC_UNIT, "s");
    put_text(&metric, FIELD_METRIC_NAME, "late.name");
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS, metric);
    put_text(&scope, FIELD_SCOPE_NAME, "late.scope");
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_SCOPE, scope);
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, scope_metrics);
    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, "k", "v");
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_RESOURCE, resource);
    put_message(&body, FIELD_REQUEST_RESOURCE_METRICS, resource_metrics);
    assert_true(decode(body));
    assert_int_equal(batch->point_count, 1);
    assert_true(slice_is(batch->metrics[0].name, "late.name"));
    assert_true(slice_is(batch->metrics[0].unit, "s"));
    assert_true(slice_is(batch->scopes[0].name, "late.scope"));
    assert_true(batch->metrics[0].monotonic);
    assert_int_equal(batch->metrics[0].temporality, OTLP_CUMULATIVE);
    assert_true(otlp_attributes_find(otlp_resource_attributes(&batch->resources[0]), "k",
                                     &(struct otlp_attribute){0}));
}

static struct buffer resource_piece(const char *key)
{
    struct buffer resource = {0};

    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, key, "v");
    return resource;
}

static void pieces_of_a_resource_are_joined(void **state)
{
    (void)state;
    struct buffer points = {0}, scope_metrics = {0}, resource_metrics = {0}, body = {0};
    struct otlp_attribute found;

    put_message(&points, FIELD_GAUGE_DATA_POINTS, number_point(1));
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS,
                metric_message("m", FIELD_METRIC_GAUGE, points));
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_RESOURCE,
                resource_piece("first"));
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, scope_metrics);
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_RESOURCE,
                resource_piece("second"));
    put_message(&body, FIELD_REQUEST_RESOURCE_METRICS, resource_metrics);
    assert_true(decode(body));

    struct otlp_attributes walk = otlp_resource_attributes(&batch->resources[0]);

    assert_true(otlp_attributes_find(walk, "first", &found));
    assert_true(otlp_attributes_find(walk, "second", &found));
}

static struct buffer gauge_of(double value)
{
    struct buffer data = {0};

    put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(value));
    return data;
}

static bool decode_whole_metric(struct buffer metric)
{
    struct buffer scope_metrics = {0};

    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS, metric);
    return decode(request_of(scope_metrics));
}

static void pieces_of_the_same_data_are_joined(void **state)
{
    (void)state;
    struct buffer metric = metric_message("m", FIELD_METRIC_GAUGE, gauge_of(1));

    put_message(&metric, FIELD_METRIC_GAUGE, gauge_of(2));
    assert_true(decode_whole_metric(metric));
    assert_int_equal(batch->metric_count, 1);
    assert_int_equal(batch->point_count, 2);
    assert_true(otlp_number(&batch->points[1]) == 2);
}

static void the_last_kind_of_data_wins(void **state)
{
    (void)state;
    struct buffer metric = metric_message("m", FIELD_METRIC_GAUGE, gauge_of(1));

    put_message(&metric, FIELD_METRIC_SUMMARY, (struct buffer){0});
    put_message(&metric, FIELD_METRIC_GAUGE, gauge_of(3));
    assert_true(decode_whole_metric(metric));
    assert_int_equal(batch->total, 1);
    assert_true(otlp_number(&batch->points[0]) == 3);
}

static void the_last_value_of_a_point_wins(void **state)
{
    (void)state;
    struct buffer point = number_point(1.5);

    put_fixed64(&point, FIELD_NUMBER_AS_INT, 42);
    assert_true(decode_point(point));
    assert_int_equal(batch->points[0].value_type, OTLP_INT);
    assert_int_equal(batch->points[0].as_int, 42);
}

static void unknown_fields_groups_and_wrong_wire_types_are_skipped(void **state)
{
    (void)state;
    struct buffer point = number_point(1.5);

    put_text(&point, 1000, "future");
    put_number(&point, FIELD_NUMBER_TIME_UNIX_NANO, 5); /* a varint, not a fixed64 */
    put_varint(&point, WIRE_TAG(900, WIRE_GROUP));
    put_varint(&point, WIRE_TAG(900, WIRE_GROUP_END));
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
    assert_true(batch->points[0].time_ns == SECOND_NS);
}

static void a_future_kind_of_data_is_no_data(void **state)
{
    (void)state;
    assert_true(decode_metric(13, gauge_of(1)));
    assert_int_equal(batch->total, 0);
    assert_int_equal(batch->unknown_metrics, 1);
}

static void a_body_cut_anywhere_is_refused_whole(void **state)
{
    (void)state;
    struct buffer data = {0}, point = number_point(1);
    struct error err;

    put_attribute(&point, FIELD_NUMBER_ATTRIBUTES, "key", "value");
    put_message(&data, FIELD_GAUGE_DATA_POINTS, point);

    struct buffer whole = gauge_request(data);

    for (size_t len = 1; len < whole.len; len++) {
        char *copy = malloc(len);

        assert_non_null(copy);
        memcpy(copy, whole.ptr, len);
        assert_false(otlp_decode(batch, (struct slice){copy, len}, SEED, NULL, &err));
        assert_int_equal(err.kind, ERROR_INVALID);
        assert_int_equal(batch->total, 0);
        free(copy);
    }
    buffer_release(&whole);
}

static void a_batch_is_used_again_without_traces(void **state)
{
    (void)state;
    assert_true(decode_point(number_point(1)));
    assert_true(decode_point((struct buffer){0}));
    assert_int_equal(batch->point_count, 0);
    assert_refused(REASON_NO_TIME, 1);
    assert_true(decode_point(number_point(1)));
    assert_refused(REASON_NO_TIME, 0);
}

static void decoding_again_takes_no_more_memory(void **state)
{
    (void)state;
    struct buffer data = {0};
    struct error err;

    for (unsigned i = 0; i < 1000; i++)
        put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(i));
    assert_true(decode(gauge_request(data)));

    const struct otlp_batch before = *batch;

    assert_true(otlp_decode(batch, buffer_slice(&request), SEED, NULL, &err));
    assert_int_equal(batch->point_count, 1000);
    assert_ptr_equal(batch->points, before.points);
    assert_ptr_equal(batch->metrics, before.metrics);
    assert_int_equal(otlp_batch_bytes(batch), otlp_batch_bytes(&before));
}

/* ---- identity ---------------------------------------------------------------------------- */

static void the_order_of_attributes_does_not_matter(void **state)
{
    (void)state;
    struct buffer one = number_point(1), other = number_point(1);

    put_attribute(&one, FIELD_NUMBER_ATTRIBUTES, "a", "1");
    put_attribute(&one, FIELD_NUMBER_ATTRIBUTES, "b", "2");
    put_attribute(&other, FIELD_NUMBER_ATTRIBUTES, "b", "2");
    put_attribute(&other, FIELD_NUMBER_ATTRIBUTES, "a", "1");
    assert_true(hash_equal(stream_of(one), stream_of(other)));
}

static void exchanged_values_make_another_stream(void **state)
{
    (void)state;
    struct buffer one = number_point(1), other = number_point(1);

    put_attribute(&one, FIELD_NUMBER_ATTRIBUTES, "a", "1");
    put_attribute(&one, FIELD_NUMBER_ATTRIBUTES, "b", "2");
    put_attribute(&other, FIELD_NUMBER_ATTRIBUTES, "a", "2");
    put_attribute(&other, FIELD_NUMBER_ATTRIBUTES, "b", "1");
    assert_false(hash_equal(stream_of(one), stream_of(other)));
}

static void start_time_and_type_of_the_value_are_no_identity(void **state)
{
    (void)state;
    struct buffer one = number_point(1), other = number_point(1);

    put_fixed64(&other, FIELD_NUMBER_AS_INT, 9);
    put_fixed64(&other, FIELD_NUMBER_START_TIME_UNIX_NANO, 9);
    assert_true(hash_equal(stream_of(one), stream_of(other)));
}

static void unit_kind_and_monotonicity_are_identity(void **state)
{
    (void)state;
    struct hash128 seen[4];

    assert_true(decode_metric(FIELD_METRIC_GAUGE, gauge_of(1)));
    seen[0] = batch->points[0].stream;
    for (unsigned i = 1; i < 3; i++) {
        struct buffer sum = gauge_of(1);

        put_number(&sum, FIELD_SUM_AGGREGATION_TEMPORALITY, OTLP_CUMULATIVE);
        put_number(&sum, FIELD_SUM_IS_MONOTONIC, i - 1);
        assert_true(decode_metric(FIELD_METRIC_SUM, sum));
        seen[i] = batch->points[0].stream;
    }

    struct buffer metric = metric_message("m", FIELD_METRIC_GAUGE, gauge_of(1));

    put_text(&metric, FIELD_METRIC_UNIT, "s");
    assert_true(decode_whole_metric(metric));
    seen[3] = batch->points[0].stream;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned j = 0; j < i; j++)
            assert_false(hash_equal(seen[i], seen[j]));
}

/* ---- verdicts ---------------------------------------------------------------------------- */

static void a_point_without_time_is_refused(void **state)
{
    (void)state;
    struct buffer point = {0};

    put_double(&point, FIELD_NUMBER_AS_DOUBLE, 1);
    assert_true(decode_point(point));
    assert_refused(REASON_NO_TIME, 1);
    assert_string_equal(batch->example[REASON_NO_TIME], "m");
}

static void a_start_behind_the_time_is_refused(void **state)
{
    (void)state;
    struct buffer point = number_point(1);

    put_fixed64(&point, FIELD_NUMBER_START_TIME_UNIX_NANO, SECOND_NS + 1);
    assert_true(decode_point(point));
    assert_refused(REASON_START_AFTER_TIME, 1);
}

static void a_start_at_the_time_is_taken(void **state)
{
    (void)state;
    struct buffer point = number_point(1);

    put_fixed64(&point, FIELD_NUMBER_START_TIME_UNIX_NANO, SECOND_NS);
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
}

static void a_point_without_value_is_refused(void **state)
{
    (void)state;
    struct buffer point = {0};

    put_fixed64(&point, FIELD_NUMBER_TIME_UNIX_NANO, SECOND_NS);
    assert_true(decode_point(point));
    assert_refused(REASON_NO_VALUE, 1);
}

static void a_flagged_point_needs_no_value(void **state)
{
    (void)state;
    struct buffer point = number_point(nan(""));

    put_number(&point, FIELD_NUMBER_FLAGS, OTLP_NO_RECORDED_VALUE | 6);
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
    assert_int_equal(batch->points[0].value_type, OTLP_NO_VALUE);
    assert_int_equal(batch->points[0].flags, OTLP_NO_RECORDED_VALUE);
}

static void nan_and_infinities_are_refused(void **state)
{
    (void)state;
    const double values[] = {nan(""), HUGE_VAL, -HUGE_VAL};
    struct buffer data = {0};

    for (unsigned i = 0; i < 3; i++)
        put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(values[i]));
    assert_true(decode(gauge_request(data)));
    assert_refused(REASON_NOT_FINITE, 3);
}

static bool decode_sum(double value, uint64_t temporality, bool monotonic)
{
    struct buffer sum = gauge_of(value);

    put_number(&sum, FIELD_SUM_AGGREGATION_TEMPORALITY, temporality);
    put_number(&sum, FIELD_SUM_IS_MONOTONIC, monotonic);
    return decode_metric(FIELD_METRIC_SUM, sum);
}

static void sums_without_a_known_temporality_are_refused(void **state)
{
    (void)state;
    assert_true(decode_metric(FIELD_METRIC_SUM, gauge_of(1)));
    assert_refused(REASON_NO_TEMPORALITY, 1);
    assert_true(decode_sum(1, 3, true));
    assert_refused(REASON_NO_TEMPORALITY, 1);
    assert_true(decode_metric(FIELD_METRIC_HISTOGRAM, gauge_of(1)));
    assert_refused(REASON_NO_TEMPORALITY, 1);
    assert_true(decode_metric(FIELD_METRIC_EXPONENTIAL_HISTOGRAM, gauge_of(1)));
    assert_refused(REASON_NO_TEMPORALITY, 1);
}

static void a_falling_delta_counter_is_refused(void **state)
{
    (void)state;
    assert_true(decode_sum(-1, OTLP_DELTA, true));
    assert_refused(REASON_NEGATIVE_DELTA, 1);
    assert_true(decode_sum(-1, OTLP_DELTA, false));
    assert_int_equal(batch->point_count, 1);
    assert_true(decode_sum(-1, OTLP_CUMULATIVE, true));
    assert_int_equal(batch->point_count, 1);
}

static void a_metric_without_name_is_refused(void **state)
{
    (void)state;
    assert_true(decode_whole_metric(metric_message("", FIELD_METRIC_GAUGE, gauge_of(1))));
    assert_refused(REASON_NO_NAME, 1);
}

/* ---- histograms -------------------------------------------------------------------------- */

struct histogram_facts {
    uint64_t count;
    const double *bounds;
    const uint64_t *buckets;
    unsigned bound_count, bucket_count;
    bool packed;
};

static void put_word(struct buffer *out, uint64_t value)
{
    uint64_t word = htole64(value);

    buffer_append(out, (struct slice){(const char *)&word, sizeof word});
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void put_packed(struct buffer *point, const struct histogram_facts *facts)
{
    struct buffer packed_buckets = {0}, packed_bounds = {0};

    for (unsigned i = 0; i < facts->bucket_count; i++)
        put_word(&packed_buckets, facts->buckets[i]);
    for (unsigned i = 0; i < facts->bound_count; i++)
        put_word(&packed_bounds, bits_of(facts->bounds[i]));
    put_message(point, FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, packed_buckets);
    put_message(point, FIELD_HISTOGRAM_POINT_EXPLICIT_BOUNDS, packed_bounds);
}

static void put_unpacked(struct buffer *point, const struct histogram_facts *facts)
{
    for (unsigned i = 0; i < facts->bucket_count; i++)
        put_fixed64(point, FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, facts->buckets[i]);
    for (unsigned i = 0; i < facts->bound_count; i++)
        put_double(point, FIELD_HISTOGRAM_POINT_EXPLICIT_BOUNDS, facts->bounds[i]);
}

static struct buffer histogram_point(const struct histogram_facts *facts)
{
    struct buffer point = {0};

    put_fixed64(&point, FIELD_HISTOGRAM_POINT_TIME_UNIX_NANO, SECOND_NS);
    put_fixed64(&point, FIELD_HISTOGRAM_POINT_COUNT, facts->count);
    if (facts->packed)
        put_packed(&point, facts);
    else
        put_unpacked(&point, facts);
    return point;
}

static bool decode_histogram_point(struct buffer point)
{
    struct buffer data = {0};

    put_message(&data, FIELD_HISTOGRAM_DATA_POINTS, point);
    put_number(&data, FIELD_HISTOGRAM_AGGREGATION_TEMPORALITY, OTLP_DELTA);
    return decode_metric(FIELD_METRIC_HISTOGRAM, data);
}

static const double bounds[] = {1, 2.5};
static const uint64_t buckets[] = {3, 0, 4};
static const struct histogram_facts good = {7, bounds, buckets, 2, 3, true};

static void assert_good_histogram(void)
{
    assert_int_equal(batch->point_count, 1);
    assert_int_equal(batch->points[0].count, 7);

    const struct otlp_histogram *histogram = &batch->histograms[batch->points[0].detail];

    assert_int_equal(histogram->bucket_count, 3);
    assert_int_equal(histogram->bound_count, 2);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(otlp_bucket(histogram, i), buckets[i]);
    for (uint32_t i = 0; i < 2; i++)
        assert_true(otlp_bound(histogram, i) == bounds[i]);
}

static void buckets_are_read_packed_and_unpacked(void **state)
{
    (void)state;
    struct histogram_facts unpacked = good;

    unpacked.packed = false;
    assert_true(decode_histogram_point(histogram_point(&good)));
    assert_good_histogram();
    assert_true(decode_histogram_point(histogram_point(&unpacked)));
    assert_good_histogram();
}

static void packed_pieces_are_joined_in_order(void **state)
{
    (void)state;
    struct histogram_facts front = good;

    front.bucket_count = 2;
    front.bound_count = 1;

    struct buffer point = histogram_point(&front);

    put_fixed64(&point, FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, buckets[2]);
    put_double(&point, FIELD_HISTOGRAM_POINT_EXPLICIT_BOUNDS, bounds[1]);
    assert_true(decode_histogram_point(point));
    assert_good_histogram();
}

static void packed_numbers_of_a_wrong_length_break_the_body(void **state)
{
    (void)state;
    struct buffer point = histogram_point(&good);

    put_text(&point, FIELD_HISTOGRAM_POINT_BUCKET_COUNTS, "1234567");
    assert_false(decode_histogram_point(point));
}

static void contradicting_histograms_are_refused(void **state)
{
    (void)state;
    const double falling[] = {2.5, 1}, equal[] = {1, 1}, nan_bound[] = {1, nan("")},
                 infinite[] = {1, HUGE_VAL};
    static const uint64_t overflow[] = {UINT64_MAX, 1, 7};
    const struct histogram_facts bad[] = {
        {8, bounds, buckets, 2, 3, true},    /* buckets do not add up */
        {7, bounds, buckets, 1, 3, true},    /* a bucket too many */
        {3, bounds, buckets, 2, 2, true},    /* a bucket too few */
        {7, bounds, buckets, 2, 0, true},    /* bounds without buckets */
        {7, falling, buckets, 2, 3, true},   /* bounds fall */
        {7, equal, buckets, 2, 3, true},     /* bounds do not rise */
        {7, nan_bound, buckets, 2, 3, true}, /* a bound is no number */
        {7, infinite, buckets, 2, 3, true},  /* the last bucket's bound is never sent */
        {7, bounds, overflow, 2, 3, true},   /* adds up only modulo 2^64 */
    };

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(decode_histogram_point(histogram_point(&bad[i])));
        assert_refused(REASON_BAD_HISTOGRAM, 1);
        assert_int_equal(batch->histogram_count, 0);
    }
}

static void a_histogram_may_have_no_buckets_or_only_the_last(void **state)
{
    (void)state;
    const struct histogram_facts none = {7, bounds, buckets, 0, 0, true},
                                 last = {3, bounds, buckets, 0, 1, true};

    assert_true(decode_histogram_point(histogram_point(&none)));
    assert_int_equal(batch->point_count, 1);
    assert_true(decode_histogram_point(histogram_point(&last)));
    assert_int_equal(batch->point_count, 1);
}

static void the_sum_of_a_histogram_is_judged(void **state)
{
    (void)state;
    const struct histogram_facts empty = {0, bounds, buckets, 0, 0, true};
    struct buffer nan_sum = histogram_point(&good), sum_of_none = histogram_point(&empty),
                  zero_of_none = histogram_point(&empty);

    put_double(&nan_sum, FIELD_HISTOGRAM_POINT_SUM, nan(""));
    assert_true(decode_histogram_point(nan_sum));
    assert_refused(REASON_NOT_FINITE, 1);
    put_double(&sum_of_none, FIELD_HISTOGRAM_POINT_SUM, 1);
    assert_true(decode_histogram_point(sum_of_none));
    assert_refused(REASON_BAD_HISTOGRAM, 1);
    put_double(&zero_of_none, FIELD_HISTOGRAM_POINT_SUM, 0);
    assert_true(decode_histogram_point(zero_of_none));
    assert_true(batch->histograms[0].has_sum);
    assert_false(batch->histograms[0].has_min);
}

static void exemplars_are_skipped_unread(void **state)
{
    (void)state;
    struct buffer point = number_point(1);

    put_text(&point, FIELD_NUMBER_EXEMPLARS, "\xff\xff\xff");
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
}

/* ---- abuse ------------------------------------------------------------------------------- */

/* AnyValue{array{AnyValue{array{...}}}}, written from the inside; lengths are at most 3 bytes. */
static struct buffer nested_arrays(unsigned levels)
{
    enum {
        ROOM = 1 << 20
    };

    static char bytes[ROOM];
    char *at = bytes + ROOM;
    struct buffer nested = {0};

    for (unsigned i = 0; i < 2 * levels; i++) {
        size_t len = (size_t)(bytes + ROOM - at);
        struct buffer head = {0};

        put_varint(&head, WIRE_TAG(i % 2 ? FIELD_ANY_ARRAY_VALUE : FIELD_ARRAY_VALUES,
                                   WIRE_LENGTH));
        put_varint(&head, len);
        at -= head.len;
        memcpy(at, head.ptr, head.len);
        buffer_release(&head);
    }
    buffer_append(&nested, (struct slice){at, (size_t)(bytes + ROOM - at)});
    return nested;
}

static struct buffer nested_attribute(unsigned levels)
{
    struct buffer key_value = {0};

    put_text(&key_value, FIELD_KEY_VALUE_KEY, "deep");
    put_message(&key_value, FIELD_KEY_VALUE_VALUE, nested_arrays(levels));
    return key_value;
}

static void attributes_as_deep_as_sdks_allow_are_taken(void **state)
{
    (void)state;
    struct buffer point = number_point(1);

    put_message(&point, FIELD_NUMBER_ATTRIBUTES, nested_attribute(64));
    assert_true(decode_point(point));
    assert_int_equal(batch->point_count, 1);
}

static void thousands_of_nested_values_refuse_one_point_only(void **state)
{
    (void)state;
    struct buffer data = {0}, point = number_point(1);
    struct buffer deep = nested_attribute(4400);

    assert_true(deep.len > 29000);
    put_message(&point, FIELD_NUMBER_ATTRIBUTES, deep);
    put_message(&data, FIELD_GAUGE_DATA_POINTS, point);
    put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(2));
    assert_true(decode(gauge_request(data)));
    assert_refused(REASON_TOO_DEEP, 1);
    assert_int_equal(batch->point_count, 1);
}

static void a_resource_that_is_too_deep_refuses_its_points(void **state)
{
    (void)state;
    struct buffer points = {0}, scope_metrics = {0}, resource_metrics = {0},
                  resource = {0}, body = {0};

    put_message(&resource, FIELD_RESOURCE_ATTRIBUTES, nested_attribute(200));
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_RESOURCE, resource);
    put_message(&points, FIELD_GAUGE_DATA_POINTS, number_point(1));
    put_message(&points, FIELD_GAUGE_DATA_POINTS, number_point(2));
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS,
                metric_message("m", FIELD_METRIC_GAUGE, points));
    put_message(&resource_metrics, FIELD_RESOURCE_METRICS_SCOPE_METRICS, scope_metrics);
    put_message(&body, FIELD_REQUEST_RESOURCE_METRICS, resource_metrics);
    assert_true(decode(body));
    assert_refused(REASON_TOO_DEEP, 2);
}

static void a_mebibyte_of_empty_points_takes_no_memory(void **state)
{
    (void)state;

    enum {
        POINTS = 1 << 19
    };
    struct buffer data = {0};

    memset(buffer_reserve(&data, 2 * POINTS), 0, 2 * POINTS);
    for (size_t i = 0; i < POINTS; i++)
        data.ptr[2 * i] = 0x0A;
    data.len = 2 * POINTS;

    size_t before = otlp_batch_bytes(batch);

    assert_true(decode(gauge_request(data)));
    assert_refused(REASON_NO_TIME, POINTS);
    assert_true(otlp_batch_bytes(batch) < before + (64 << 10));
}

/* ---- what the sender is told ------------------------------------------------------------- */

static void refused_points_are_described_most_first(void **state)
{
    (void)state;
    struct buffer data = {0}, text = {0};

    put_message(&data, FIELD_GAUGE_DATA_POINTS, (struct buffer){0});
    put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(nan("")));
    put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(nan("")));
    put_message(&data, FIELD_GAUGE_DATA_POINTS, number_point(1));
    assert_true(decode(gauge_request(data)));
    otlp_describe_refused(batch, &text);
    buffer_append_char(&text, '\0');
    assert_string_equal(text.ptr,
                        "refused 3 of 4 points: not_finite: 2 (first in \"m\"); "
                        "no_time: 1 (first in \"m\")");
    buffer_release(&text);
}

static void nothing_refused_needs_no_words(void **state)
{
    (void)state;
    struct buffer text = {0};

    assert_true(decode_point(number_point(1)));
    otlp_describe_refused(batch, &text);
    assert_int_equal(text.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_body_is_an_empty_batch),
        cmocka_unit_test(empty_envelopes_leave_no_record),
        cmocka_unit_test(a_point_carries_its_times_and_value),
        cmocka_unit_test(fields_may_come_in_any_order),
        cmocka_unit_test(pieces_of_a_resource_are_joined),
        cmocka_unit_test(pieces_of_the_same_data_are_joined),
        cmocka_unit_test(the_last_kind_of_data_wins),
        cmocka_unit_test(the_last_value_of_a_point_wins),
        cmocka_unit_test(unknown_fields_groups_and_wrong_wire_types_are_skipped),
        cmocka_unit_test(a_future_kind_of_data_is_no_data),
        cmocka_unit_test(a_body_cut_anywhere_is_refused_whole),
        cmocka_unit_test(a_batch_is_used_again_without_traces),
        cmocka_unit_test(decoding_again_takes_no_more_memory),
        cmocka_unit_test(the_order_of_attributes_does_not_matter),
        cmocka_unit_test(exchanged_values_make_another_stream),
        cmocka_unit_test(start_time_and_type_of_the_value_are_no_identity),
        cmocka_unit_test(unit_kind_and_monotonicity_are_identity),
        cmocka_unit_test(a_point_without_time_is_refused),
        cmocka_unit_test(a_start_behind_the_time_is_refused),
        cmocka_unit_test(a_start_at_the_time_is_taken),
        cmocka_unit_test(a_point_without_value_is_refused),
        cmocka_unit_test(a_flagged_point_needs_no_value),
        cmocka_unit_test(nan_and_infinities_are_refused),
        cmocka_unit_test(sums_without_a_known_temporality_are_refused),
        cmocka_unit_test(a_falling_delta_counter_is_refused),
        cmocka_unit_test(a_metric_without_name_is_refused),
        cmocka_unit_test(buckets_are_read_packed_and_unpacked),
        cmocka_unit_test(packed_pieces_are_joined_in_order),
        cmocka_unit_test(packed_numbers_of_a_wrong_length_break_the_body),
        cmocka_unit_test(contradicting_histograms_are_refused),
        cmocka_unit_test(a_histogram_may_have_no_buckets_or_only_the_last),
        cmocka_unit_test(the_sum_of_a_histogram_is_judged),
        cmocka_unit_test(exemplars_are_skipped_unread),
        cmocka_unit_test(attributes_as_deep_as_sdks_allow_are_taken),
        cmocka_unit_test(thousands_of_nested_values_refuse_one_point_only),
        cmocka_unit_test(a_resource_that_is_too_deep_refuses_its_points),
        cmocka_unit_test(a_mebibyte_of_empty_points_takes_no_memory),
        cmocka_unit_test(refused_points_are_described_most_first),
        cmocka_unit_test(nothing_refused_needs_no_words),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
