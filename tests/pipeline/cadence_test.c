#include "pipeline/cadence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void interval_is_the_middle_of_the_last_three_gaps(void **state)
{
    struct cadence cadence = {0};

    (void)state;
    assert_int_equal(cadence_interval_ns(&cadence), 60 * NS_PER_S);
    cadence_add(&cadence, 10 * NS_PER_S);
    assert_int_equal(cadence_interval_ns(&cadence), 10 * NS_PER_S);
    cadence_add(&cadence, 90 * NS_PER_S);
    assert_int_equal(cadence_interval_ns(&cadence), 10 * NS_PER_S);
    cadence_add(&cadence, 11 * NS_PER_S);
    assert_int_equal(cadence_interval_ns(&cadence), 11 * NS_PER_S);
    cadence_add(&cadence, 12 * NS_PER_S);
    assert_int_equal(cadence_interval_ns(&cadence), 12 * NS_PER_S);
}

static void alive_means_a_quarter_over_the_interval_and_at_most_six_minutes(void **state)
{
    struct cadence cadence = {0};

    (void)state;
    assert_true(cadence_is_alive(&cadence, 100 * NS_PER_S, 175 * NS_PER_S));
    assert_false(cadence_is_alive(&cadence, 100 * NS_PER_S, 175 * NS_PER_S + 1));
    for (int i = 0; i < 3; i++)
        cadence_add(&cadence, 3600 * NS_PER_S);
    assert_int_equal(cadence_alive_ns(&cadence), 375 * NS_PER_S);
}

static void lost_means_over_an_hour_and_over_three_intervals(void **state)
{
    struct cadence cadence = {0};

    (void)state;
    assert_true(cadence_is_lost(&cadence, NS_PER_S, 2 * NS_PER_S + NS_PER_HOUR));
    assert_false(cadence_is_lost(&cadence, NS_PER_S, NS_PER_S + NS_PER_HOUR));
    for (int i = 0; i < 3; i++)
        cadence_add(&cadence, 1800 * NS_PER_S);
    assert_false(cadence_is_lost(&cadence, NS_PER_S, NS_PER_S + 5400 * NS_PER_S));
    assert_true(cadence_is_lost(&cadence, NS_PER_S, NS_PER_S + 5401 * NS_PER_S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interval_is_the_middle_of_the_last_three_gaps),
        cmocka_unit_test(alive_means_a_quarter_over_the_interval_and_at_most_six_minutes),
        cmocka_unit_test(lost_means_over_an_hour_and_over_three_intervals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
