/*
 * Quantiles from explicit buckets; expected values are worked out by hand from Prometheus' rule.
 */
#include "pipeline/percentile.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const double bounds[] = {10, 20, 40};

static double quantile(const double buckets[static 4], double q)
{
    double value = 0;

    assert_true(percentile_explicit(buckets, bounds, COUNT(bounds), q, &value));
    return value;
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-12 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void ranks_are_interpolated_inside_their_bucket(void **state)
{
    const double buckets[] = {2, 4, 4, 0};

    (void)state;
    assert_near(quantile(buckets, 0.1), 5);  /* rank 1 of 2 in (0, 10] */
    assert_near(quantile(buckets, 0.4), 15); /* rank 4: 2 of 4 in (10, 20] */
    assert_near(quantile(buckets, 0.9), 35); /* rank 9: 3 of 4 in (20, 40] */
    assert_near(quantile(buckets, 1), 40);
}

static void a_rank_on_an_edge_belongs_to_the_lower_bucket(void **state)
{
    const double buckets[] = {2, 4, 4, 0};

    (void)state;
    assert_near(quantile(buckets, 0.2), 10);
    assert_near(quantile(buckets, 0.6), 20);
}

static void a_rank_missed_by_rounding_is_reached(void **state)
{
    const double buckets[] = {9 * (1 - 1e-12), 0, 1 + 9e-12, 0};

    (void)state;
    assert_near(quantile(buckets, 0.9), 10);
}

static void empty_buckets_are_never_the_answer(void **state)
{
    const double buckets[] = {0, 0, 5, 0};

    (void)state;
    assert_near(quantile(buckets, 0), 20);
    assert_near(quantile(buckets, 0.5), 30);
}

static void overflow_gives_the_last_bound(void **state)
{
    const double most[] = {1, 0, 0, 9}, all[] = {0, 0, 0, 3};

    (void)state;
    assert_near(quantile(most, 0.9), 40);
    assert_near(quantile(all, 0.5), 40);
    assert_near(quantile(most, 0.05), 5);
}

static void parts_of_observations_count_too(void **state)
{
    const double buckets[] = {0.25, 0.75, 0, 0};

    (void)state;
    assert_near(quantile(buckets, 0.5), 10 + 10.0 / 3);
}

static void a_first_bound_that_is_not_positive_is_the_value_of_its_bucket(void **state)
{
    const double zero[] = {0, 5}, negative[] = {-5, 5}, buckets[] = {4, 4, 0};
    double value = 0;

    (void)state;
    assert_true(percentile_explicit(buckets, zero, 2, 0.25, &value));
    assert_near(value, 0);
    assert_true(percentile_explicit(buckets, negative, 2, 0.25, &value));
    assert_near(value, -5);
    assert_true(percentile_explicit(buckets, negative, 2, 0.75, &value));
    assert_near(value, 0);
}

static void without_bounds_or_observations_there_is_no_value(void **state)
{
    const double none[] = {0, 0, 0, 0}, some[] = {7};
    double value = 123;

    (void)state;
    assert_false(percentile_explicit(none, bounds, COUNT(bounds), 0.5, &value));
    assert_false(percentile_explicit(some, NULL, 0, 0.5, &value));
    assert_false(percentile_explicit(NULL, NULL, 0, 0.5, &value));
    assert_true(value >= 123 && value <= 123);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_interpolated_inside_their_bucket),
        cmocka_unit_test(a_rank_on_an_edge_belongs_to_the_lower_bucket),
        cmocka_unit_test(a_rank_missed_by_rounding_is_reached),
        cmocka_unit_test(empty_buckets_are_never_the_answer),
        cmocka_unit_test(overflow_gives_the_last_bound),
        cmocka_unit_test(parts_of_observations_count_too),
        cmocka_unit_test(a_first_bound_that_is_not_positive_is_the_value_of_its_bucket),
        cmocka_unit_test(without_bounds_or_observations_there_is_no_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
