#include "app/chore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t NS_PER_S = 1000000000;

static void one_is_on_its_way_at_a_time(void **state)
{
    struct chore chore = {0};

    (void)state;
    assert_true(chore_begin(&chore, 5));
    assert_false(chore_begin(&chore, 6));
    chore_done(&chore, ERROR_NONE); /* durable, but not applied yet */
    assert_false(chore_begin(&chore, 7));
    chore_end(&chore);
    assert_true(chore_begin(&chore, 7));
}

static void refused_one_is_offered_again_after_a_second(void **state)
{
    struct chore chore = {0};

    (void)state;
    assert_true(chore_begin(&chore, 10 * NS_PER_S));
    chore_done(&chore, ERROR_BUSY);
    assert_false(chore_begin(&chore, 11 * NS_PER_S)); /* hears of the refusal */
    assert_false(chore_begin(&chore, 12 * NS_PER_S - 1));
    assert_true(chore_begin(&chore, 12 * NS_PER_S));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_on_its_way_at_a_time),
        cmocka_unit_test(refused_one_is_offered_again_after_a_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
