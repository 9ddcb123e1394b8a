#include "exporter/errand.h"

#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A post of `count` values of one service, named "m". */
static struct errand *new_post(size_t count, const struct batch_limits *limits)
{
    struct errand *errand = errand_new(ERRAND_POST);

    errand->batch.items = memory_new(count, sizeof(errand->batch.items[0]));
    errand->batch.count = errand->batch.capacity = count;
    errand->entries = memory_new(count, sizeof(errand->entries[0]));
    for (size_t i = 0; i < count; i++) {
        errand->batch.items[i].name = (struct slice)SLICE("m");
        errand->entries[i].item = &errand->batch.items[i];
    }
    errand_load(errand, limits);
    return errand;
}

static void what_does_not_fit_a_body_waits_below(void **state)
{
    struct errand *errand = new_post(250, &(struct batch_limits){100, BATCH_BYTES});
    size_t counts[3] = {100, 100, 50}, first = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        errand_write(errand);
        assert_int_equal(errand_top(errand).first, first);
        assert_int_equal(errand_top(errand).count, counts[i]);
        first += counts[i];
        errand_pop(errand);
    }
    assert_int_equal(errand->range_count, 0);
    errand_free(errand);
}

static void halving_reaches_every_value_within_the_stack(void **state)
{
    struct errand *errand = new_post(10000, &(struct batch_limits){0, 900000});
    size_t seen = 0;

    (void)state;
    while (errand->range_count) {
        struct range top = errand_top(errand);

        assert_int_equal(top.first, seen);
        if (top.count > 1) {
            errand_cut(errand, batch_halve(top.count));
            continue;
        }
        seen++;
        errand_pop(errand);
    }
    assert_int_equal(seen, 10000);
    errand_free(errand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_does_not_fit_a_body_waits_below),
        cmocka_unit_test(halving_reaches_every_value_within_the_stack),
    };

    return cmocka_run_group_tests_name("errand", tests, NULL, NULL);
}
