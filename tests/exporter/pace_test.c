#include "exporter/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void four_posts_go_at_once_and_the_fifth_a_minute_after_the_first(void **state)
{
    struct pace pace = {0};

    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(pace_next_ms(&pace) <= 1000 + i);
        pace_note(&pace, 1000 + i);
    }
    assert_int_equal(pace_left(&pace, 5000), 0);
    assert_int_equal(pace_next_ms(&pace), 61000);
    assert_int_equal(pace_left(&pace, 61000), 1);
}

static void no_minute_ever_sees_a_fifth_post(void **state)
{
    struct pace pace = {0};
    uint64_t posts[100];
    uint64_t now_ms = 1;

    (void)state;
    for (int i = 0; i < 100; i++) {
        if (pace_next_ms(&pace) > now_ms)
            now_ms = pace_next_ms(&pace);
        pace_note(&pace, now_ms);
        posts[i] = now_ms;
        if (i >= 4)
            assert_true(posts[i] - posts[i - 4] >= 60000);
        now_ms += (uint64_t)(i * 7919 % 20000);
    }
}

static void fresh_values_gather_for_a_quarter_minute(void **state)
{
    struct pace pace = {0};

    (void)state;
    assert_int_equal(pace_gather_ms(&pace), 0);
    pace_note(&pace, 1000);
    assert_int_equal(pace_gather_ms(&pace), 16000);
    pace_note(&pace, 2000);
    assert_int_equal(pace_gather_ms(&pace), 17000);
}

static void pauses_double_up_to_a_minute(void **state)
{
    static const uint64_t ceilings[] = {1000,  2000,  4000,  8000,
                                        16000, 32000, 60000, 60000};
    struct backoff backoff = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(ceilings) / sizeof(ceilings[0]); i++) {
        struct backoff longest = backoff, shortest = backoff;

        backoff_fail(&longest, 500, ceilings[i]);
        assert_int_equal(longest.until_ms, 500 + ceilings[i]);
        backoff_fail(&shortest, 500, 0);
        assert_int_equal(shortest.until_ms, 600);
        backoff_fail(&backoff, 500, 12345678901u);
        assert_in_range(backoff.until_ms, 600, 500 + ceilings[i]);
    }
}

static void success_starts_over(void **state)
{
    struct backoff backoff = {0};

    (void)state;
    backoff_fail(&backoff, 500, 1000);
    backoff_reset(&backoff);
    assert_int_equal(backoff.failures, 0);
    assert_int_equal(backoff.until_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_posts_go_at_once_and_the_fifth_a_minute_after_the_first),
        cmocka_unit_test(no_minute_ever_sees_a_fifth_post),
        cmocka_unit_test(fresh_values_gather_for_a_quarter_minute),
        cmocka_unit_test(pauses_double_up_to_a_minute),
        cmocka_unit_test(success_starts_over),
    };

    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
