#include "receiver/tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static unsigned take_all(struct tokens *tokens, uint64_t now_ms)
{
    unsigned taken = 0;

    while (tokens_take(tokens, now_ms))
        taken++;
    return taken;
}

static void burst_is_taken_at_once_and_no_more(void **state)
{
    struct tokens tokens;

    (void)state;
    tokens_init(&tokens, 10, 5, 1000);
    assert_int_equal(take_all(&tokens, 1000), 10);
}

static void tokens_come_back_with_time(void **state)
{
    struct tokens tokens;

    (void)state;
    tokens_init(&tokens, 10, 5, 0);
    take_all(&tokens, 0);
    assert_int_equal(take_all(&tokens, 199), 0);
    assert_int_equal(take_all(&tokens, 200), 1);
    assert_int_equal(take_all(&tokens, 1200), 5);
}

static void rates_below_one_a_call_add_up(void **state)
{
    struct tokens tokens;
    unsigned taken = 0;

    (void)state;
    tokens_init(&tokens, 10, 1, 0);
    take_all(&tokens, 0);
    for (uint64_t now_ms = 1; now_ms <= 3000; now_ms++)
        taken += tokens_take(&tokens, now_ms);
    assert_int_equal(taken, 3);
}

static void silence_fills_the_bucket_only(void **state)
{
    struct tokens tokens;

    (void)state;
    tokens_init(&tokens, 10, 5, 0);
    take_all(&tokens, 0);
    assert_int_equal(take_all(&tokens, UINT64_MAX / 2), 10);
}

static void given_tokens_do_not_exceed_the_burst(void **state)
{
    struct tokens tokens;

    (void)state;
    tokens_init(&tokens, 10, 5, 0);
    tokens_give(&tokens, 100);
    assert_int_equal(take_all(&tokens, 0), 10);
    tokens_give(&tokens, 4);
    assert_int_equal(take_all(&tokens, 0), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_is_taken_at_once_and_no_more),
        cmocka_unit_test(tokens_come_back_with_time),
        cmocka_unit_test(rates_below_one_a_call_add_up),
        cmocka_unit_test(silence_fills_the_bucket_only),
        cmocka_unit_test(given_tokens_do_not_exceed_the_burst),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
