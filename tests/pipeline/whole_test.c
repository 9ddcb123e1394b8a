/*
 * Whole parts of whole increases.
 */
#include "pipeline/whole.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_until(double amount, uint64_t passed, uint64_t of, double expected)
{
    double got = whole_until(amount, passed, of);

    assert_false(got < expected || got > expected);
}

static void parts_are_rounded_down(void **state)
{
    (void)state;
    assert_until(10, 1, 3, 3);
    assert_until(10, 2, 3, 6);
    assert_until(10, 3, 3, 10);
    assert_until(1, 59, 60, 0);
    assert_until(0, 1, 2, 0);
}

static void what_divides_evenly_is_exact_where_doubles_are_not(void **state)
{
    (void)state;
    /* 0.29 x 100 is 28.999999999999996 in doubles. */
    assert_until(100, 29, 100, 29);
    assert_until(1000, 57, 100, 570);
    /* 2^53 + 2 over 86,400,000,000,000 ns, half of it. */
    assert_until(0x1.0000000000001p53, 43200000000000, 86400000000000, 0x1p52 + 1);
}

static void falling_totals_are_rounded_down_too(void **state)
{
    (void)state;
    assert_until(-3, 1, 2, -2);
    assert_until(-4, 1, 2, -2);
    assert_until(-3, 2, 2, -3);
}

static void amounts_that_are_not_whole_keep_their_share(void **state)
{
    (void)state;
    assert_until(2.5, 1, 2, 1.25);
    assert_until(2.5, 7, 7, 2.5);
    assert_until(0x1p64, 1, 2, 0x1p63);
}

static void differences_add_up_to_the_amount(void **state)
{
    const uint64_t of = 97;
    double sum = 0;

    (void)state;
    for (uint64_t i = 0; i < of; i++) {
        double part = whole_until(1009, i + 1, of) - whole_until(1009, i, of);

        assert_false(trunc(part) < part);
        sum += part;
    }
    assert_false(sum < 1009 || sum > 1009);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_rounded_down),
        cmocka_unit_test(what_divides_evenly_is_exact_where_doubles_are_not),
        cmocka_unit_test(falling_totals_are_rounded_down_too),
        cmocka_unit_test(amounts_that_are_not_whole_keep_their_share),
        cmocka_unit_test(differences_add_up_to_the_amount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
