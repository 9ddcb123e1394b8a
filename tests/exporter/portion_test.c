#include "exporter/portion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_portion_doubles_while_full_ones_are_taken_quickly(void **state)
{
    struct portion portion = portion_of(100, 500);
    static const size_t wanted[] = {200, 400, 500, 500};

    (void)state;
    assert_int_equal(portion_size(&portion, 0), 100);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        portion_accepted(&portion, portion_size(&portion, 0), 100);
        assert_int_equal(portion_size(&portion, 0), wanted[i]);
    }
}

static void a_slow_answer_or_a_small_request_says_nothing(void **state)
{
    struct portion portion = portion_of(100, 500);

    (void)state;
    portion_accepted(&portion, 100, PORTION_QUICK_MS + 1);
    portion_accepted(&portion, 99, 1);
    assert_int_equal(portion_size(&portion, 0), 100);
}

static void a_failure_halves_it_down_to_the_beginning(void **state)
{
    struct portion portion = portion_of(100, 500);

    (void)state;
    portion_accepted(&portion, 100, 1);
    portion_accepted(&portion, 200, 1);
    portion_failed(&portion);
    assert_int_equal(portion_size(&portion, 0), 200);
    portion_failed(&portion);
    portion_failed(&portion);
    assert_int_equal(portion_size(&portion, 0), 100);
}

static void a_size_that_was_refused_is_not_reached_again_for_an_hour(void **state)
{
    struct portion portion = portion_of(100, 500);

    (void)state;
    portion_accepted(&portion, 100, 1);
    portion_refused(&portion, 200, 1000);
    portion_accepted(&portion, 100, 1);
    assert_int_equal(portion_size(&portion, 1000), 100);
    portion_refused(&portion, 1, 1000);
    assert_int_equal(portion_size(&portion, 1000), 1);
    assert_int_equal(portion_size(&portion, 1000 + PORTION_MEMORY_MS), 100);
    portion_accepted(&portion, 100, 1);
    assert_int_equal(portion_size(&portion, 1000 + PORTION_MEMORY_MS), 200);
}

static void too_many_requests_make_it_larger_for_an_hour(void **state)
{
    struct portion portion = portion_of(100, 300);

    (void)state;
    portion_pressed(&portion, 1000);
    assert_int_equal(portion_size(&portion, 1000), 200);
    portion_pressed(&portion, 2000);
    assert_int_equal(portion_size(&portion, 2000), 300);
    assert_int_equal(portion_size(&portion, 2000 + PORTION_MEMORY_MS), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_portion_doubles_while_full_ones_are_taken_quickly),
        cmocka_unit_test(a_slow_answer_or_a_small_request_says_nothing),
        cmocka_unit_test(a_failure_halves_it_down_to_the_beginning),
        cmocka_unit_test(a_size_that_was_refused_is_not_reached_again_for_an_hour),
        cmocka_unit_test(too_many_requests_make_it_larger_for_an_hour),
    };

    return cmocka_run_group_tests_name("portion", tests, NULL, NULL);
}
