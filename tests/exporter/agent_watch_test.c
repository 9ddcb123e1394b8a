#include "exporter/agent_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    MINUTE_MS = 60000,
    HOUR_MS = 3600000
};

static void a_host_without_values_is_free_at_once(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    assert_int_equal(watch.state, NATIVE_WAIT);
    assert_int_equal(agent_watch_due_ms(&watch), 1000);
    agent_watch_read(&watch, 0, 1000);
    assert_int_equal(watch.state, NATIVE_POST);
    assert_int_equal(agent_watch_due_ms(&watch), 1000 + HOUR_MS);
}

static void a_value_that_advances_means_the_agent_writes(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, 600, 1000);
    assert_int_equal(watch.state, NATIVE_WAIT);
    assert_int_equal(agent_watch_due_ms(&watch), 1000 + 2 * MINUTE_MS);
    agent_watch_read(&watch, 720, 1000 + 2 * MINUTE_MS);
    assert_int_equal(watch.state, NATIVE_AGENT_WRITES);
    assert_int_equal(agent_watch_due_ms(&watch), 1000 + 2 * MINUTE_MS + HOUR_MS);
}

static void a_value_that_stands_still_means_nobody_writes(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, 600, 1000);
    agent_watch_read(&watch, 600, 1000 + 2 * MINUTE_MS);
    assert_int_equal(watch.state, NATIVE_POST);
}

static void an_agent_that_stops_frees_the_host_at_the_hourly_look(void **state)
{
    struct agent_watch watch;
    uint64_t now_ms = 1000 + 2 * MINUTE_MS;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, 600, 1000);
    agent_watch_read(&watch, 720, now_ms);
    now_ms += HOUR_MS;
    agent_watch_read(&watch, 3600, now_ms);
    assert_int_equal(watch.state, NATIVE_AGENT_WRITES);
    agent_watch_read(&watch, 3600, now_ms + 2 * MINUTE_MS);
    assert_int_equal(watch.state, NATIVE_POST);
}

static void our_own_posts_put_the_look_off(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, 0, 1000);
    agent_watch_posted(&watch, 50 * MINUTE_MS);
    assert_int_equal(agent_watch_due_ms(&watch), 50 * MINUTE_MS + HOUR_MS);
}

static void a_post_between_two_readings_voids_them(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, 0, 1000);
    agent_watch_read(&watch, 600, 2 * HOUR_MS);
    agent_watch_posted(&watch, 2 * HOUR_MS + MINUTE_MS);
    agent_watch_read(&watch, 660, 2 * HOUR_MS + 2 * MINUTE_MS);
    assert_int_equal(watch.state, NATIVE_POST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_values_is_free_at_once),
        cmocka_unit_test(a_value_that_advances_means_the_agent_writes),
        cmocka_unit_test(a_value_that_stands_still_means_nobody_writes),
        cmocka_unit_test(an_agent_that_stops_frees_the_host_at_the_hourly_look),
        cmocka_unit_test(our_own_posts_put_the_look_off),
        cmocka_unit_test(a_post_between_two_readings_voids_them),
    };

    return cmocka_run_group_tests_name("agent_watch", tests, NULL, NULL);
}
