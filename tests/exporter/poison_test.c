#include "exporter/poison.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void a_metric_is_barred_after_two_refusals_for_an_hour(void **state)
{
    struct poison_list list = {0};

    (void)state;
    assert_false(poison_is_barred(&list, 1, slice_of("a"), 0));
    assert_false(poison_strike(&list, 1, slice_of("a"), 1000));
    assert_false(poison_is_barred(&list, 1, slice_of("a"), 1000));
    assert_true(poison_strike(&list, 1, slice_of("a"), 2000));
    assert_true(poison_is_barred(&list, 1, slice_of("a"), 2000 + POISON_MS - 1));
    assert_false(poison_is_barred(&list, 1, slice_of("a"), 2000 + POISON_MS));
    poison_list_release(&list);
}

static void another_name_or_destination_is_free(void **state)
{
    struct poison_list list = {0};

    (void)state;
    poison_strike(&list, 1, slice_of("a"), 0);
    poison_strike(&list, 1, slice_of("a"), 0);
    assert_false(poison_is_barred(&list, 2, slice_of("a"), 0));
    assert_false(poison_is_barred(&list, 1, slice_of("b"), 0));
    poison_list_release(&list);
}

static void refusals_an_hour_apart_do_not_add_up(void **state)
{
    struct poison_list list = {0};

    (void)state;
    poison_strike(&list, 1, slice_of("a"), 0);
    assert_false(poison_strike(&list, 1, slice_of("a"), POISON_MS));
    assert_true(poison_strike(&list, 1, slice_of("a"), POISON_MS + 1));
    poison_list_release(&list);
}

static void when_the_list_is_full_the_oldest_refusal_is_forgotten(void **state)
{
    struct poison_list list = {0};
    char name[16];

    (void)state;
    for (uint64_t i = 0; i <= POISON_MAX; i++) {
        snprintf(name, sizeof(name), "m%d", (int)i);
        poison_strike(&list, 1, slice_of(name), i);
        poison_strike(&list, 1, slice_of(name), i);
    }
    assert_int_equal(list.count, POISON_MAX);
    assert_false(poison_is_barred(&list, 1, slice_of("m0"), 300));
    assert_true(poison_is_barred(&list, 1, slice_of("m1"), 300));
    assert_true(poison_is_barred(&list, 1, slice_of("m256"), 300));
    poison_list_release(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_metric_is_barred_after_two_refusals_for_an_hour),
        cmocka_unit_test(another_name_or_destination_is_free),
        cmocka_unit_test(refusals_an_hour_apart_do_not_add_up),
        cmocka_unit_test(when_the_list_is_full_the_oldest_refusal_is_forgotten),
    };

    return cmocka_run_group_tests_name("poison", tests, NULL, NULL);
}
