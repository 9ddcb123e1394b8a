/* What the points of exponential histograms mean, and which of them are refused. */
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

static uint64_t zigzag(int64_t number)
{
    return (uint64_t)(number < 0 ? -2 * number - 1 : 2 * number) & UINT32_MAX;
}

/* A point of that count with nothing else. */
static struct buffer point_of(uint64_t count)
{
    struct buffer point = {0};

    put_fixed64(&point, FIELD_EXPONENTIAL_POINT_TIME_UNIX_NANO, SECOND_NS);
    put_fixed64(&point, FIELD_EXPONENTIAL_POINT_COUNT, count);
    return point;
}

/* Decodes it, which it takes. */
static bool decode(struct buffer point)
{
    struct buffer data = {0}, scope_metrics = {0};
    struct error err;

    put_message(&data, FIELD_EXPONENTIAL_DATA_POINTS, point);
    put_number(&data, FIELD_EXPONENTIAL_AGGREGATION_TEMPORALITY, OTLP_CUMULATIVE);
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS,
                metric_message("m", FIELD_METRIC_EXPONENTIAL_HISTOGRAM, data));
    buffer_release(&request);
    request = request_of(scope_metrics);
    return otlp_decode(batch, buffer_slice(&request), SEED, NULL, &err);
}

static void assert_taken(struct buffer point)
{
    assert_true(decode(point));
    assert_int_equal(batch->point_count, 1);
    assert_int_equal(batch->exponential_count, 1);
}

static void assert_refused(struct buffer point, enum reason reason)
{
    assert_true(decode(point));
    assert_int_equal(batch->refused[reason], 1);
    assert_int_equal(batch->rejected, 1);
    assert_int_equal(batch->exponential_count, 0);
}

static void assert_buckets(const struct otlp_buckets *buckets,
                           const struct otlp_bucket *wanted, size_t count)
{
    struct otlp_buckets_walk walk = otlp_buckets_walk(buckets);
    struct otlp_bucket bucket;

    for (size_t i = 0; i < count; i++) {
        assert_true(otlp_buckets_next(&walk, &bucket));
        assert_true(bucket.index == wanted[i].index);
        assert_true(bucket.count == wanted[i].count);
    }
    assert_false(otlp_buckets_next(&walk, &bucket));
}

static struct buffer side_of(int64_t offset, const char *packed)
{
    struct buffer side = {0};

    put_number(&side, FIELD_BUCKETS_OFFSET, zigzag(offset));
    put_text(&side, FIELD_BUCKETS_BUCKET_COUNTS, packed);
    return side;
}

static void buckets_are_walked_where_they_lie(void **state)
{
    (void)state;
    const struct otlp_bucket positive[] = {{-3, 2}, {-2, 300}}, negative[] = {{7, 5}};
    struct buffer point = point_of(2 + 300 + 5 + 1);

    put_fixed64(&point, FIELD_EXPONENTIAL_POINT_ZERO_COUNT, 1);
    put_number(&point, FIELD_EXPONENTIAL_POINT_SCALE, zigzag(-2));
    put_double(&point, FIELD_EXPONENTIAL_POINT_ZERO_THRESHOLD, 0.25);
    put_double(&point, FIELD_EXPONENTIAL_POINT_MIN, -9);
    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, side_of(-3, "\x02\xac\x02"));
    put_message(&point, FIELD_EXPONENTIAL_POINT_NEGATIVE, side_of(7, "\x05"));
    /* At scale -2 bucket 7 begins at 2^28, bucket -3 at 2^-12. */
    assert_taken(point);

    const struct otlp_exponential *exponential = &batch->exponentials[0];

    assert_int_equal(batch->points[0].count, 308);
    assert_int_equal(exponential->scale, -2);
    assert_int_equal(exponential->zero_count, 1);
    assert_true(exponential->zero_threshold == 0.25);
    assert_true(exponential->has_min && exponential->min == -9);
    assert_false(exponential->has_max || exponential->has_sum);
    assert_buckets(&exponential->positive, positive, 2);
    assert_buckets(&exponential->negative, negative, 1);
    assert_true(exponential->positive.counts.ptr > request.ptr &&
                exponential->positive.counts.ptr < request.ptr + request.len);
}

static void empty_buckets_are_counted_and_passed_over(void **state)
{
    (void)state;
    const struct otlp_bucket wanted[] = {{12, 1}, {14, 2}};
    struct buffer point = point_of(3), side = {0};
    const char packed[] = {0, 0, 1, 0, 2, 0};

    put_number(&side, FIELD_BUCKETS_OFFSET, zigzag(10));
    put_bytes(&side, FIELD_BUCKETS_BUCKET_COUNTS, (struct slice){packed, sizeof(packed)});
    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, side);
    assert_taken(point);
    assert_int_equal(batch->exponentials[0].positive.count, 6);
    assert_buckets(&batch->exponentials[0].positive, wanted, 2);
}

static void pieces_of_a_side_are_joined_in_order(void **state)
{
    (void)state;
    const struct otlp_bucket wanted[] = {{4, 2}, {5, 300}, {6, 7}, {7, 1}};
    struct buffer point = point_of(310), front = side_of(9, "\x02"), back = {0};

    put_number(&front, FIELD_BUCKETS_BUCKET_COUNTS, 300);
    put_number(&back, FIELD_BUCKETS_OFFSET, zigzag(4));
    put_text(&back, FIELD_BUCKETS_BUCKET_COUNTS, "\x07\x01");
    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, front);
    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, back);
    assert_taken(point);
    assert_int_equal(batch->exponentials[0].positive.count, 4);
    assert_buckets(&batch->exponentials[0].positive, wanted, 4);
}

/* The JavaScript SDK sends one value of 3.25 so. */
static void an_offset_is_no_size(void **state)
{
    (void)state;
    const struct otlp_bucket wanted[] = {{1783040, 1}};
    struct buffer point = point_of(1);

    put_number(&point, FIELD_EXPONENTIAL_POINT_SCALE, zigzag(20));
    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, side_of(1783040, "\x01"));
    assert_taken(point);
    assert_buckets(&batch->exponentials[0].positive, wanted, 1);
    assert_true(otlp_batch_bytes(batch) < 64 << 10);
}

static struct buffer one_bucket(int64_t scale, int64_t offset)
{
    struct buffer point = point_of(1);

    put_number(&point, FIELD_EXPONENTIAL_POINT_SCALE, zigzag(scale));
    put_message(&point, FIELD_EXPONENTIAL_POINT_NEGATIVE, side_of(offset, "\x01"));
    return point;
}

/* At scale 0 bucket 1023 ends at 2^1024, and bucket -1075 at 2^-1074, the smallest double. */
static void buckets_beyond_all_doubles_are_refused(void **state)
{
    (void)state;
    assert_taken(one_bucket(0, 1023));
    assert_refused(one_bucket(0, 1024), REASON_BAD_HISTOGRAM);
    assert_taken(one_bucket(0, -1075));
    assert_refused(one_bucket(0, -1076), REASON_BAD_HISTOGRAM);
    assert_taken(one_bucket(20, (1023 << 20) + (1 << 20) - 1));
    assert_refused(one_bucket(20, 1024 << 20), REASON_BAD_HISTOGRAM);
    assert_taken(one_bucket(-11, 0));
    assert_taken(one_bucket(-11, -1));
    assert_refused(one_bucket(-11, 1), REASON_BAD_HISTOGRAM);
    assert_taken(one_bucket(INT32_MAX, INT32_MAX));
    assert_taken(one_bucket(INT32_MIN, 0));
    assert_refused(one_bucket(INT32_MIN, 1), REASON_BAD_HISTOGRAM);
    assert_refused(one_bucket(INT32_MIN, -3), REASON_BAD_HISTOGRAM);
}

static void counts_that_do_not_add_up_are_refused(void **state)
{
    (void)state;
    struct buffer more = point_of(3), less = point_of(5), wrapped = point_of(4);

    put_message(&more, FIELD_EXPONENTIAL_POINT_POSITIVE, side_of(0, "\x04"));
    assert_refused(more, REASON_BAD_HISTOGRAM);
    put_message(&less, FIELD_EXPONENTIAL_POINT_POSITIVE, side_of(0, "\x04"));
    assert_refused(less, REASON_BAD_HISTOGRAM);
    /* 2^64 - 1 and 5 are 4 modulo 2^64 */
    put_message(&wrapped, FIELD_EXPONENTIAL_POINT_POSITIVE,
                side_of(0, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x05"));
    assert_refused(wrapped, REASON_BAD_HISTOGRAM);
}

static struct buffer empty_buckets(size_t count)
{
    struct buffer point = point_of(0), side = {0}, packed = {0};

    memset(buffer_reserve(&packed, count), 0, count);
    packed.len = count;
    put_message(&side, FIELD_BUCKETS_BUCKET_COUNTS, packed);
    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, side);
    return point;
}

static void too_many_buckets_are_refused(void **state)
{
    (void)state;
    assert_taken(empty_buckets(OTLP_MAX_BUCKETS));
    assert_refused(empty_buckets(OTLP_MAX_BUCKETS + 1), REASON_BAD_HISTOGRAM);
}

static void a_zero_threshold_is_a_finite_width(void **state)
{
    (void)state;
    const double bad[] = {-0.5, nan(""), HUGE_VAL};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buffer point = point_of(0);

        put_double(&point, FIELD_EXPONENTIAL_POINT_ZERO_THRESHOLD, bad[i]);
        assert_refused(point, REASON_BAD_HISTOGRAM);
    }
}

static void the_sum_is_judged(void **state)
{
    (void)state;
    struct buffer not_finite = point_of(1), of_none = point_of(0);

    put_fixed64(&not_finite, FIELD_EXPONENTIAL_POINT_ZERO_COUNT, 1);
    put_double(&not_finite, FIELD_EXPONENTIAL_POINT_SUM, HUGE_VAL);
    assert_refused(not_finite, REASON_NOT_FINITE);
    put_double(&of_none, FIELD_EXPONENTIAL_POINT_SUM, 2);
    assert_refused(of_none, REASON_BAD_HISTOGRAM);
}

static void a_flagged_point_has_nothing(void **state)
{
    (void)state;
    struct buffer point = point_of(7);

    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, side_of(0, "\x04"));
    put_number(&point, FIELD_EXPONENTIAL_POINT_FLAGS, 1);
    assert_taken(point);
    assert_int_equal(batch->points[0].count, 0);
    assert_buckets(&batch->exponentials[0].positive, NULL, 0);
}

static void counts_cut_short_break_the_body(void **state)
{
    (void)state;
    struct buffer point = point_of(1);

    put_message(&point, FIELD_EXPONENTIAL_POINT_POSITIVE, side_of(0, "\x01\x80"));
    assert_false(decode(point));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_walked_where_they_lie),
        cmocka_unit_test(empty_buckets_are_counted_and_passed_over),
        cmocka_unit_test(pieces_of_a_side_are_joined_in_order),
        cmocka_unit_test(an_offset_is_no_size),
        cmocka_unit_test(buckets_beyond_all_doubles_are_refused),
        cmocka_unit_test(counts_that_do_not_add_up_are_refused),
        cmocka_unit_test(too_many_buckets_are_refused),
        cmocka_unit_test(a_zero_threshold_is_a_finite_width),
        cmocka_unit_test(the_sum_is_judged),
        cmocka_unit_test(a_flagged_point_has_nothing),
        cmocka_unit_test(counts_cut_short_break_the_body),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
