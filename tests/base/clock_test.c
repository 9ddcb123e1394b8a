#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Times in these tests are whole seconds; the real-time clock starts at NOON. */
enum {
    NOON = 1000000
};

static uint64_t read_s(struct clock_filter *filter, uint64_t realtime_s,
                       uint64_t monotonic_s)
{
    const uint64_t second = 1000000000;
    uint64_t time_ns = clock_filter_read(filter, realtime_s * second,
                                         monotonic_s * second);

    assert_int_equal(time_ns % second, 0);
    return time_ns / second;
}

static void a_steady_clock_is_followed(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    for (uint64_t i = 0; i < 1000; i++)
        assert_int_equal(read_s(&filter, NOON + i, 50 + i), NOON + i);
}

static void a_pause_between_reads_is_no_step(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    read_s(&filter, NOON, 50);
    assert_int_equal(read_s(&filter, NOON + 3600, 50 + 3600), NOON + 3600);
}

static void a_step_of_thirty_seconds_is_followed_at_once(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    read_s(&filter, NOON, 50);
    assert_int_equal(read_s(&filter, NOON + 31, 51), NOON + 31);
}

static void a_larger_step_is_followed_after_ten_seconds(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    read_s(&filter, NOON, 50);
    for (uint64_t i = 1; i <= 10; i++)
        assert_int_equal(read_s(&filter, NOON + 3600 + i, 50 + i), NOON + i);
    assert_int_equal(read_s(&filter, NOON + 3611, 61), NOON + 3611);
}

static void a_step_that_is_taken_back_leaves_no_trace(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    read_s(&filter, NOON, 50);
    for (uint64_t i = 1; i <= 9; i++)
        read_s(&filter, NOON + 86400 + i, 50 + i);
    assert_int_equal(read_s(&filter, NOON + 10, 60), NOON + 10);
    /* The next step waits its own ten seconds. */
    assert_int_equal(read_s(&filter, NOON + 86411, 61), NOON + 11);
    assert_int_equal(read_s(&filter, NOON + 86420, 70), NOON + 20);
    assert_int_equal(read_s(&filter, NOON + 86421, 71), NOON + 86421);
}

static void a_step_back_halves_the_pace_until_the_clock_catches_up(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    read_s(&filter, NOON, 50);
    assert_int_equal(read_s(&filter, NOON - 20, 50), NOON);
    assert_int_equal(read_s(&filter, NOON - 10, 60), NOON + 5);
    assert_int_equal(read_s(&filter, NOON + 10, 80), NOON + 15);
    assert_int_equal(read_s(&filter, NOON + 20, 90), NOON + 20);
    assert_int_equal(read_s(&filter, NOON + 21, 91), NOON + 21);
}

static void a_step_back_that_is_taken_back_is_made_good(void **state)
{
    (void)state;
    struct clock_filter filter = {0};

    read_s(&filter, NOON, 50);
    assert_int_equal(read_s(&filter, NOON - 3600 + 10, 60), NOON + 5);
    assert_int_equal(read_s(&filter, NOON + 11, 61), NOON + 11);
}

static void the_shared_clock_tells_the_time_and_never_goes_back(void **state)
{
    (void)state;
    struct clock *clock = clock_new();
    uint64_t before_ns = clock_now_ns(), last_ns = 0;

    for (int i = 0; i < 1000; i++) {
        uint64_t now_ns = clock_read(clock);

        assert_true(now_ns >= last_ns);
        last_ns = now_ns;
    }
    assert_true(last_ns >= before_ns);
    clock_free(clock);
    clock_free(NULL);
}

static void a_clock_goes_on_where_another_one_stopped(void **state)
{
    const uint64_t day_ns = UINT64_C(86400) * 1000000000;
    uint64_t now_ns = clock_now_ns();
    struct clock *ahead = clock_new_after(now_ns + day_ns);
    struct clock *behind = clock_new_after(now_ns - day_ns);
    uint64_t first_ns = clock_read(ahead);

    (void)state;
    assert_true(first_ns >= now_ns + day_ns && first_ns < now_ns + 2 * day_ns);
    assert_true(clock_read(ahead) >= first_ns);
    assert_true(clock_read(behind) >= now_ns);
    clock_free(ahead);
    clock_free(behind);
}

static void monotonic_time_passes(void **state)
{
    (void)state;
    uint64_t start_ns = clock_monotonic_ns(), now_ns;

    do
        now_ns = clock_monotonic_ns();
    while (now_ns == start_ns);
    assert_true(now_ns > start_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_steady_clock_is_followed),
        cmocka_unit_test(a_pause_between_reads_is_no_step),
        cmocka_unit_test(a_step_of_thirty_seconds_is_followed_at_once),
        cmocka_unit_test(a_larger_step_is_followed_after_ten_seconds),
        cmocka_unit_test(a_step_that_is_taken_back_leaves_no_trace),
        cmocka_unit_test(a_step_back_halves_the_pace_until_the_clock_catches_up),
        cmocka_unit_test(a_step_back_that_is_taken_back_is_made_good),
        cmocka_unit_test(the_shared_clock_tells_the_time_and_never_goes_back),
        cmocka_unit_test(a_clock_goes_on_where_another_one_stopped),
        cmocka_unit_test(monotonic_time_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
