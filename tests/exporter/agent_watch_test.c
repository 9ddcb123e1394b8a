#include "exporter/agent_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    START_S = 1795518000, /* 2026-11-24T11:00:00Z */
    MINUTE_S = 60,
    HOUR_S = 3600,
    GRACE_S = 15,
};

/* The monotonic clock begins with the test, `second` seconds after START_S. */
static struct instant at(uint64_t second)
{
    return (struct instant){
        .mono_ms = second * 1000,
        .unix_ns = (START_S + second) * UINT64_C(1000000000),
    };
}

static void a_host_without_values_is_free_at_once(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    assert_int_equal(watch.state, NATIVE_WAIT);
    assert_int_equal(watch.due_ms, 1000);
    agent_watch_read(&watch, 0, at(1));
    assert_int_equal(watch.state, NATIVE_POST);
}

static void a_value_that_advances_means_the_agent_writes(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, START_S - 60, at(1));
    assert_int_equal(watch.state, NATIVE_WAIT);
    assert_int_equal(watch.due_ms, 1000 + 2 * 60000);
    agent_watch_read(&watch, START_S + 60, at(121));
    assert_int_equal(watch.state, NATIVE_AGENT_WRITES);
    assert_int_equal(watch.due_ms, 121000 + 3600000);
}

static void a_value_that_stands_still_means_nobody_writes(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, START_S - 60, at(1));
    agent_watch_read(&watch, START_S - 60, at(121));
    assert_int_equal(watch.state, NATIVE_POST);
}

static void an_agent_that_stops_frees_the_host_at_the_hourly_look(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 1000);
    agent_watch_read(&watch, START_S - 60, at(1));
    agent_watch_read(&watch, START_S + 60, at(121));
    agent_watch_read(&watch, START_S + 600, at(121 + HOUR_S));
    assert_int_equal(watch.state, NATIVE_AGENT_WRITES);
    agent_watch_read(&watch, START_S + 600, at(241 + HOUR_S));
    assert_int_equal(watch.state, NATIVE_POST);
}

static void where_we_write_the_look_comes_at_the_beginning_of_a_minute(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 37000);
    agent_watch_read(&watch, 0, at(37));
    /* 12:00:37, rounded up to the minute, and 2 s for an agent to have posted. */
    assert_int_equal(watch.due_ms, (HOUR_S + MINUTE_S + 2) * 1000);
}

/*
 * What Mackerel has, by second: we post minute M at M + 60 s + grace, the agent posts M at M plus
 * its own offset. The watch reads when it wants to.
 */
static uint64_t newest_of_us(uint64_t second)
{
    return START_S + (second - GRACE_S) / MINUTE_S * MINUTE_S - MINUTE_S;
}

static uint64_t newest_of_agent(uint64_t second, uint64_t offset)
{
    return START_S + (second - offset) / MINUTE_S * MINUTE_S;
}

/* From second 60 on we post; an agent with that offset starts after two hours (SIZE_MAX: never).
 * Returns when the watch leaves NATIVE_POST, 0 if it never does within six hours. */
static uint64_t live_together(uint64_t agent_offset, unsigned *readings)
{
    struct agent_watch watch;

    agent_watch_init(&watch, 0);
    agent_watch_read(&watch, 0, at(60));
    for (uint64_t second = 120; second < 6 * HOUR_S; second++) {
        uint64_t newest = newest_of_us(second);

        agent_watch_posted(&watch, newest);
        if (watch.due_ms > second * 1000)
            continue;
        if (second > 2 * HOUR_S && agent_offset < MINUTE_S)
            newest = newest_of_agent(second, agent_offset);
        ++*readings;
        agent_watch_read(&watch, newest, at(second));
        if (watch.state != NATIVE_POST)
            return second;
    }
    return 0;
}

static void our_own_values_are_not_mistaken_for_an_agents(void **state)
{
    unsigned readings = 0;

    (void)state;
    assert_int_equal(live_together(SIZE_MAX, &readings), 0);
    assert_int_equal(readings, 5); /* one an hour is enough */
}

static void an_agent_that_starts_is_noticed_within_the_hour(void **state)
{
    (void)state;
    for (uint64_t offset = 0; offset < MINUTE_S; offset++) {
        unsigned readings = 0;
        uint64_t noticed = live_together(offset, &readings);

        assert_in_range(noticed, 2 * HOUR_S, 3 * HOUR_S + 5 * MINUTE_S);
    }
}

static void a_reading_that_proves_nothing_is_repeated_at_the_next_minute(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 0);
    agent_watch_read(&watch, 0, at(10));
    agent_watch_posted(&watch, START_S + HOUR_S);
    /* 30 s into the next minute our minute is the newest: an agent may be level with us. */
    agent_watch_read(&watch, START_S + HOUR_S, at(HOUR_S + 90));
    assert_int_equal(watch.state, NATIVE_POST);
    assert_int_equal(watch.due_ms, (HOUR_S + 122) * 1000);
    agent_watch_read(&watch, START_S + HOUR_S, at(HOUR_S + 122));
    assert_in_range(watch.due_ms, (2 * HOUR_S + 122) * 1000, (2 * HOUR_S + 182) * 1000);
}

static void readings_that_prove_nothing_come_to_an_end(void **state)
{
    struct agent_watch watch;

    (void)state;
    agent_watch_init(&watch, 0);
    agent_watch_read(&watch, 0, at(10));
    for (uint64_t i = 1; i <= AGENT_WATCH_TRIES; i++) {
        agent_watch_posted(&watch, START_S + i * MINUTE_S);
        agent_watch_read(&watch, START_S + i * MINUTE_S, at((i + 1) * MINUTE_S + 30));
    }
    assert_true(watch.due_ms > HOUR_S * 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_values_is_free_at_once),
        cmocka_unit_test(a_value_that_advances_means_the_agent_writes),
        cmocka_unit_test(a_value_that_stands_still_means_nobody_writes),
        cmocka_unit_test(an_agent_that_stops_frees_the_host_at_the_hourly_look),
        cmocka_unit_test(where_we_write_the_look_comes_at_the_beginning_of_a_minute),
        cmocka_unit_test(our_own_values_are_not_mistaken_for_an_agents),
        cmocka_unit_test(an_agent_that_starts_is_noticed_within_the_hour),
        cmocka_unit_test(a_reading_that_proves_nothing_is_repeated_at_the_next_minute),
        cmocka_unit_test(readings_that_prove_nothing_come_to_an_end),
    };

    return cmocka_run_group_tests_name("agent_watch", tests, NULL, NULL);
}
