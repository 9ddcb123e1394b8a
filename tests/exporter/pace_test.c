#include "exporter/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void four_posts_go_at_once_and_the_fifth_over_a_minute_after_the_first(
    void **state)
{
    struct pace pace = {0};

    (void)state;
    for (uint64_t i = 0; i < 4; i++) {
        assert_true(pace_next_ms(&pace) <= 1000 + i);
        pace_note(&pace, 1000 + i, true);
    }
    assert_int_equal(pace_left(&pace, 5000), 0);
    assert_int_equal(pace_next_ms(&pace), 62000);
    assert_int_equal(pace_left(&pace, 62000), 1);
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
        pace_note(&pace, now_ms, true);
        posts[i] = now_ms;
        if (i >= 4)
            assert_true(posts[i] - posts[i - 4] >= 61000);
        now_ms += (uint64_t)(i * 7919 % 20000);
    }
}

static void fresh_values_gather_for_a_quarter_minute(void **state)
{
    struct pace pace = {0};

    (void)state;
    assert_int_equal(pace_gather_ms(&pace), 0);
    pace_note(&pace, 1000, true);
    assert_int_equal(pace_gather_ms(&pace), 16000);
    pace_note(&pace, 2000, true);
    assert_int_equal(pace_gather_ms(&pace), 17000);
}

static void fresh_values_do_not_gather_behind_backlog(void **state)
{
    struct pace pace = {0};

    (void)state;
    pace_note(&pace, 1000, true);
    pace_note(&pace, 10000, false);
    assert_int_equal(pace_gather_ms(&pace), 16000);
}

static void backlog_leaves_gaps_and_the_last_post_to_fresh_values(void **state)
{
    struct pace pace = {0};

    (void)state;
    assert_int_equal(pace_backlog_ms(&pace, 1), 0);
    pace_note(&pace, 1000, true);
    assert_int_equal(pace_backlog_ms(&pace, 1000), 16000);
    pace_note(&pace, 16000, false);
    pace_note(&pace, 31000, false);
    assert_true(pace_backlog_ms(&pace, 46000) == UINT64_MAX);
    assert_int_equal(pace_left(&pace, 46000), 1);
    assert_int_equal(pace_backlog_ms(&pace, 62000), 46000);
}

static void a_throttle_lets_a_burst_through_and_then_one_a_gap(void **state)
{
    struct throttle throttle = throttle_of(100, 5);
    unsigned gone = 0;

    (void)state;
    for (uint64_t now_ms = 5000; now_ms < 6000; now_ms += 10)
        while (throttle_is_open(&throttle, now_ms)) {
            throttle_note(&throttle, now_ms);
            gone++;
        }
    assert_int_equal(gone, 5 + 9);
}

static void a_throttle_slows_down_twofold_and_recovers_little_by_little(void **state)
{
    struct throttle throttle = throttle_of(1000, 1);

    (void)state;
    throttle_slow_down(&throttle);
    assert_int_equal(throttle.gap_ms, 2000);
    for (int i = 0; i < 10; i++)
        throttle_slow_down(&throttle);
    assert_int_equal(throttle.gap_ms, THROTTLE_GAP_MAX_MS);
    throttle_speed_up(&throttle);
    assert_int_equal(throttle.gap_ms, THROTTLE_GAP_MAX_MS - 500);
    for (int i = 0; i < 200; i++)
        throttle_speed_up(&throttle);
    assert_int_equal(throttle.gap_ms, 1000);
}

static void the_offset_holds_back_what_closes_with_the_minute(void **state)
{
    const struct pace_offset offset = {.after_ms = 15000, .length_ms = 20000};
    const uint64_t minute_ms = UINT64_C(1795518000000);

    (void)state;
    assert_true(pace_offset_is_over(&offset, minute_ms + 14999));
    assert_false(pace_offset_is_over(&offset, minute_ms + 15000));
    assert_false(pace_offset_is_over(&offset, minute_ms + 34999));
    assert_true(pace_offset_is_over(&offset, minute_ms + 35000));
    assert_true(pace_offset_is_over(&(struct pace_offset){15000, 0}, minute_ms + 15000));
}

static void the_offset_may_reach_into_the_next_minute(void **state)
{
    const struct pace_offset offset = {.after_ms = 110000, .length_ms = 20000};
    const uint64_t minute_ms = UINT64_C(1795518000000);

    (void)state;
    assert_true(pace_offset_is_over(&offset, minute_ms + 49999));
    assert_false(pace_offset_is_over(&offset, minute_ms + 50000));
    assert_false(pace_offset_is_over(&offset, minute_ms + 69999));
    assert_true(pace_offset_is_over(&offset, minute_ms + 70000));
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

static void a_gateways_place_is_always_the_same_and_all_places_are_taken(void **state)
{
    bool is_taken[30] = {false};
    char name[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof(name), "node-%d", i);

        uint64_t place = pace_offset_draw(slice_of(name), 30000);

        assert_true(place < 30000);
        assert_int_equal(pace_offset_draw(slice_of(name), 30000), place);
        is_taken[place / 1000] = true;
    }
    for (size_t i = 0; i < 30; i++)
        assert_true(is_taken[i]);
    assert_int_equal(pace_offset_draw(slice_of("node-1"), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            four_posts_go_at_once_and_the_fifth_over_a_minute_after_the_first),
        cmocka_unit_test(no_minute_ever_sees_a_fifth_post),
        cmocka_unit_test(fresh_values_gather_for_a_quarter_minute),
        cmocka_unit_test(fresh_values_do_not_gather_behind_backlog),
        cmocka_unit_test(backlog_leaves_gaps_and_the_last_post_to_fresh_values),
        cmocka_unit_test(a_throttle_lets_a_burst_through_and_then_one_a_gap),
        cmocka_unit_test(a_throttle_slows_down_twofold_and_recovers_little_by_little),
        cmocka_unit_test(the_offset_holds_back_what_closes_with_the_minute),
        cmocka_unit_test(the_offset_may_reach_into_the_next_minute),
        cmocka_unit_test(pauses_double_up_to_a_minute),
        cmocka_unit_test(success_starts_over),
        cmocka_unit_test(a_gateways_place_is_always_the_same_and_all_places_are_taken),
    };

    return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
