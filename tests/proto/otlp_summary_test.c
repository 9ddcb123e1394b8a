/* What the points of summaries mean, and which of them are refused. */
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

static struct buffer point_of(uint64_t count, double sum)
{
    struct buffer point = {0};

    put_fixed64(&point, FIELD_SUMMARY_POINT_TIME_UNIX_NANO, SECOND_NS);
    put_fixed64(&point, FIELD_SUMMARY_POINT_COUNT, count);
    put_double(&point, FIELD_SUMMARY_POINT_SUM, sum);
    return point;
}

static void put_quantile(struct buffer *point, double quantile, double value)
{
    struct buffer message = {0};

    put_double(&message, FIELD_QUANTILE_QUANTILE, quantile);
    put_double(&message, FIELD_QUANTILE_VALUE, value);
    put_message(point, FIELD_SUMMARY_POINT_QUANTILE_VALUES, message);
}

/* Decodes it, which it takes. */
static bool decode(struct buffer point)
{
    struct buffer data = {0}, scope_metrics = {0};
    struct error err;

    put_message(&data, FIELD_SUMMARY_DATA_POINTS, point);
    put_message(&scope_metrics, FIELD_SCOPE_METRICS_METRICS,
                metric_message("m", FIELD_METRIC_SUMMARY, data));
    buffer_release(&request);
    request = request_of(scope_metrics);
    return otlp_decode(batch, buffer_slice(&request), SEED, NULL, &err);
}

static void assert_refused(struct buffer point, enum reason reason)
{
    assert_true(decode(point));
    assert_int_equal(batch->refused[reason], 1);
    assert_int_equal(batch->rejected, 1);
    assert_int_equal(batch->summary_count, 0);
}

static void quantiles_are_walked_in_their_order(void **state)
{
    (void)state;
    const struct otlp_quantile wanted[] = {{0, 0.5}, {0.5, 2}, {0.99, 8}};
    struct buffer point = point_of(12, 30);
    struct otlp_quantile quantile;

    put_attribute(&point, FIELD_SUMMARY_POINT_ATTRIBUTES, "k", "v");
    for (size_t i = 0; i < 3; i++)
        put_quantile(&point, wanted[i].quantile, wanted[i].value);
    assert_true(decode(point));
    assert_int_equal(batch->point_count, 1);
    assert_int_equal(batch->points[0].count, 12);
    assert_true(batch->summaries[0].sum == 30);
    assert_true(
        otlp_attributes_find(otlp_point_attributes(&batch->points[0], OTLP_SUMMARY), "k",
                             &(struct otlp_attribute){0}));

    struct otlp_quantiles_walk walk = otlp_quantiles_walk(&batch->summaries[0]);

    for (size_t i = 0; i < 3; i++) {
        assert_true(otlp_quantiles_next(&walk, &quantile));
        assert_true(quantile.quantile == wanted[i].quantile);
        assert_true(quantile.value == wanted[i].value);
    }
    assert_false(otlp_quantiles_next(&walk, &quantile));
}

/* A Prometheus client without observations in its window says NaN. */
static void a_quantile_may_be_unknown(void **state)
{
    (void)state;
    struct buffer point = point_of(12, 30);

    put_quantile(&point, 0.5, nan(""));
    assert_true(decode(point));
    assert_int_equal(batch->point_count, 1);
}

static void quantiles_out_of_order_are_refused(void **state)
{
    (void)state;
    const double bad[][2] = {{0.9, 0.5}, {0.5, 0.5},     {-0.1, 0.5},
                             {0.5, 1.1}, {0.5, nan("")}, {nan(""), 0.5}};

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buffer point = point_of(12, 30);

        put_quantile(&point, bad[i][0], 1);
        put_quantile(&point, bad[i][1], 1);
        assert_refused(point, REASON_BAD_SUMMARY);
    }
}

static void negative_quantiles_are_refused(void **state)
{
    (void)state;
    struct buffer point = point_of(12, 30);

    put_quantile(&point, 0.5, -1);
    assert_refused(point, REASON_BAD_SUMMARY);
}

static void the_sum_is_judged(void **state)
{
    (void)state;
    assert_refused(point_of(0, 1), REASON_BAD_SUMMARY);
    assert_refused(point_of(1, nan("")), REASON_NOT_FINITE);
    assert_true(decode(point_of(0, 0)));
    assert_int_equal(batch->point_count, 1);
}

static void a_flagged_point_has_nothing(void **state)
{
    (void)state;
    struct buffer point = point_of(12, nan(""));
    struct otlp_quantile quantile;

    put_quantile(&point, 0.5, 1);
    put_number(&point, FIELD_SUMMARY_POINT_FLAGS, 1);
    assert_true(decode(point));
    assert_int_equal(batch->point_count, 1);
    assert_int_equal(batch->points[0].count, 0);

    struct otlp_quantiles_walk walk = otlp_quantiles_walk(&batch->summaries[0]);

    assert_false(otlp_quantiles_next(&walk, &quantile));
}

static void a_broken_quantile_breaks_the_body(void **state)
{
    (void)state;
    struct buffer point = point_of(12, 30);

    put_text(&point, FIELD_SUMMARY_POINT_QUANTILE_VALUES, "\x09half");
    assert_false(decode(point));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_walked_in_their_order),
        cmocka_unit_test(a_quantile_may_be_unknown),
        cmocka_unit_test(quantiles_out_of_order_are_refused),
        cmocka_unit_test(negative_quantiles_are_refused),
        cmocka_unit_test(the_sum_is_judged),
        cmocka_unit_test(a_flagged_point_has_nothing),
        cmocka_unit_test(a_broken_quantile_breaks_the_body),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
