#include "exporter/health.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static uint64_t nothing(void)
{
    return 0;
}

static uint64_t one_second(void)
{
    return 1000;
}

static struct instant at(uint64_t mono_ms)
{
    return (struct instant){.mono_ms = mono_ms, .unix_ns = mono_ms * 1000000};
}

static void note(struct health *health, enum verdict verdict, uint64_t sent_ms,
                 const char *why, uint64_t now_ms)
{
    health_note(health,
                &(struct health_news){.verdict = verdict, .sent_ms = sent_ms, .why = why},
                at(now_ms));
}

static void a_healthy_api_gets_four_requests_at_a_time(void **state)
{
    struct health health = {.random = one_second};

    (void)state;
    assert_true(health_may_send(&health, 3, at(0)));
    assert_false(health_may_send(&health, 4, at(0)));
    assert_int_equal(health_state(&health), DELIVERY_OK);
}

static void an_outage_pauses_and_then_lets_one_request_through(void **state)
{
    struct health health = {.random = one_second};

    (void)state;
    note(&health, VERDICT_RETRY, 0, "down", 100);
    assert_int_equal(health_state(&health), DELIVERY_DEGRADED);
    assert_string_equal(health.message, "down");
    assert_false(health_may_send(&health, 0, at(1099)));
    assert_true(health_may_send(&health, 0, at(1100)));
    assert_false(health_may_send(&health, 1, at(1100)));
    note(&health, VERDICT_DELIVERED, 1100, "", 1200);
    assert_int_equal(health_state(&health), DELIVERY_OK);
}

static void requests_that_fail_together_are_one_failure(void **state)
{
    struct health health = {.random = one_second};

    (void)state;
    for (int i = 0; i < 4; i++)
        note(&health, VERDICT_RETRY, 0, "down", 100);
    assert_int_equal(health.circuit.failures, 1);
    note(&health, VERDICT_RETRY, 1100, "down", 1150);
    assert_int_equal(health.circuit.failures, 2);
}

static void no_pause_is_shorter_than_a_tenth_of_a_second(void **state)
{
    struct health health = {.random = nothing};

    (void)state;
    note(&health, VERDICT_RETRY, 0, "down", 0);
    assert_int_equal(health.circuit.until_ms, 100);
}

static void a_refused_key_is_tried_once_a_minute(void **state)
{
    struct health health = {.random = one_second};

    (void)state;
    note(&health, VERDICT_AUTH, 0, "tsdb answered 403", 100);
    assert_int_equal(health_state(&health), DELIVERY_PAUSED);
    assert_false(health_may_send(&health, 0, at(60099)));
    assert_true(health_may_send(&health, 0, at(60100)));
    assert_false(health_may_send(&health, 1, at(60100)));
    /* An answer to a request from before the refusal proves nothing. */
    note(&health, VERDICT_DELIVERED, 50, "", 200);
    assert_int_equal(health_state(&health), DELIVERY_PAUSED);
    note(&health, VERDICT_DELIVERED, 60100, "", 60200);
    assert_int_equal(health_state(&health), DELIVERY_OK);
}

static void answers_are_counted_by_call_and_status(void **state)
{
    struct health health = {.random = one_second};

    (void)state;
    health_count(&health, API_HOST_TSDB, 200);
    health_count(&health, API_HOST_TSDB, 200);
    health_count(&health, API_HOST_TSDB, 0);
    health_count(&health, API_HOSTS, 200);
    assert_int_equal(health.count, 3);
    assert_int_equal(health.counts[0].count, 2);
    health_release(&health);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_api_gets_four_requests_at_a_time),
        cmocka_unit_test(an_outage_pauses_and_then_lets_one_request_through),
        cmocka_unit_test(requests_that_fail_together_are_one_failure),
        cmocka_unit_test(no_pause_is_shorter_than_a_tenth_of_a_second),
        cmocka_unit_test(a_refused_key_is_tried_once_a_minute),
        cmocka_unit_test(answers_are_counted_by_call_and_status),
    };

    log_set_level(LOG_ERROR);
    return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
