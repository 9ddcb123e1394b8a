#include "base/log.h"

#include <curl/curl.h>

#include "dispatch_rig.h"

static void one_poisoned_value_among_a_hundred_is_given_up_alone(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    struct delivery_status status;
    char name[32];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "custom.m%d", i);
        rig_put(rig, &rig_web, MINUTE_S, name);
    }
    rig->poison = "\"custom.m42\"";
    rig_settle(rig);
    assert_int_equal(rig_books(rig).delivered, 99);
    assert_int_equal(rig_books(rig).rejected, 1);
    assert_true(rig->posts <= 2 * 7 + 2); /* halving, and the first post twice */
    dispatch_read_status(rig->dispatch, &status, rig_now(rig));
    assert_non_null(strstr(status.last_rejected, "custom.m42"));
    assert_non_null(strstr(status.last_rejected, "bad name"));
    delivery_status_release(&status);
    rig_free(rig);
}

static void a_host_whose_values_are_all_refused_is_looked_up_before_they_are_given_up(
    void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_put(rig, &rig_web, MINUTE_S, "custom.b");
    rig_settle(rig);
    rig_put(rig, &rig_web, MINUTE_S + 60, "custom.a");
    rig_put(rig, &rig_web, MINUTE_S + 60, "custom.b");
    rig->poison = "2web";
    rig->hosts = "{\"hosts\":[]}";
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 2);
    assert_int_equal(rig_books(rig).rejected, 0);
    rig_free(rig);
}

static void a_body_that_is_too_large_is_halved(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig_put(rig, &rig_shop, MINUTE_S, "b");
    rig->status = 413;
    dispatch_tend(rig->dispatch, rig_now(rig));
    for (int i = 0; i < 2; i++) /* the list of services, the post */
        rig_answer(rig, dispatch_next(rig->dispatch, rig_now(rig)));
    rig->status = 200;
    rig_settle(rig);
    assert_int_equal(rig_books(rig).delivered, 2);
    assert_int_equal(rig->posts, 3);
    rig_free(rig);
}

static void an_outage_is_retried_ever_more_slowly_and_loses_nothing(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig_settle(rig);
    rig->status = 503;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    assert_int_equal(rig->posts, 2);
    rig_settle(rig);
    assert_int_equal(rig->posts, 2);
    rig_pass(rig, 3600);
    assert_in_range(rig->posts, 60, 70); /* doubling at first, then one a minute */
    assert_int_equal(rig_queued(rig), 1);
    rig->status = 200;
    rig_pass(rig, 61);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void a_refused_key_pauses_everything_and_keeps_the_data(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    struct delivery_status status;
    unsigned before;

    (void)state;
    log_set_level(LOG_ERROR);
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig->status = 403;
    rig_settle(rig);
    before = rig->requests;
    dispatch_read_status(rig->dispatch, &status, rig_now(rig));
    assert_int_equal(status.state, DELIVERY_PAUSED);
    delivery_status_release(&status);
    rig_pass(rig, 59);
    assert_int_equal(rig->requests, before);
    rig->status = 200;
    rig_pass(rig, 1);
    assert_int_equal(rig_queued(rig), 0);
    assert_false(dispatch_is_paused(rig->dispatch));
    rig_free(rig);
}

static void too_many_requests_wait_for_the_next_minute(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig->status = 429;
    rig_settle(rig); /* 20 s into a minute */
    assert_int_equal(rig->posts, 1);
    rig->status = 200;
    rig_pass(rig, 39);
    assert_int_equal(rig->posts, 1);
    rig_pass(rig, 1);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void retry_after_is_obeyed(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->status = 429;
    rig->retry_after = "100";
    rig_settle(rig);
    rig->status = 200;
    rig_pass(rig, 99);
    assert_int_equal(rig->posts, 1);
    rig_pass(rig, 1);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void a_timeout_is_confirmed_once_more(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->curl = CURLE_OPERATION_TIMEDOUT;
    rig_settle(rig);
    rig->curl = CURLE_OK;
    rig_pass(rig, 2);
    assert_int_equal(rig->posts, 2);
    rig_pass(rig, 56);
    assert_int_equal(rig->posts, 2);
    rig_pass(rig, 10);
    assert_int_equal(rig->posts, 3);
    assert_int_equal(rig_books(rig).delivered, 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_poisoned_value_among_a_hundred_is_given_up_alone),
        cmocka_unit_test(
            a_host_whose_values_are_all_refused_is_looked_up_before_they_are_given_up),
        cmocka_unit_test(a_body_that_is_too_large_is_halved),
        cmocka_unit_test(an_outage_is_retried_ever_more_slowly_and_loses_nothing),
        cmocka_unit_test(a_refused_key_pauses_everything_and_keeps_the_data),
        cmocka_unit_test(too_many_requests_wait_for_the_next_minute),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(a_timeout_is_confirmed_once_more),
    };

    return cmocka_run_group_tests_name("dispatch_answers", tests, NULL, NULL);
}
