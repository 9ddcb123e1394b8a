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

static void a_post_that_was_taken_in_part_is_halved_all_the_same(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    char name[32];

    (void)state;
    rig->takes_part = true;
    rig->poison = "\"custom.m42\"";
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "custom.m%d", i);
        rig_put(rig, &rig_web, MINUTE_S, name);
    }
    rig_settle(rig);
    assert_int_equal(rig_books(rig).delivered, 99);
    assert_int_equal(rig_books(rig).rejected, 1);
    rig_free(rig);
}

static void a_metric_that_is_always_refused_stops_costing_requests(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    unsigned before;
    char name[32];

    (void)state;
    rig->poison = "\"custom.m42\"";
    for (uint64_t minute = 0; minute < 10; minute++) {
        before = rig->posts;
        for (int i = 0; i < 100; i++) {
            snprintf(name, sizeof(name), "custom.m%d", i);
            rig_put(rig, &rig_web, MINUTE_S + 60 * minute, name);
        }
        rig_pass(rig, 60);
        if (minute >= POISON_STRIKES)
            assert_int_equal(rig->posts - before, 1);
    }
    assert_int_equal(rig_books(rig).delivered, 990);
    assert_int_equal(rig_books(rig).rejected, 10);
    /* An hour later it gets another chance. */
    rig->poison = NULL;
    rig_pass(rig, 3600);
    rig_put(rig, &rig_web, rig->now_s - rig->now_s % 60 - 60, "custom.m42");
    rig_settle(rig);
    assert_int_equal(rig_books(rig).delivered, 991);
    rig_free(rig);
}

static void a_services_refused_metric_in_a_day_of_backlog_is_found_twice_at_most(
    void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_shop, MINUTE_S, "warm");
    rig_settle(rig);
    for (uint64_t minute = 1; minute <= 300; minute++) {
        rig_put(rig, &rig_shop, MINUTE_S - 3600 - 60 * minute, "good");
        rig_put(rig, &rig_shop, MINUTE_S - 3600 - 60 * minute, "bad");
    }
    rig->poison = "\"bad\"";
    rig_pass(rig, 30 * 60);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).rejected, 300);
    assert_int_equal(rig_books(rig).delivered, 301);
    rig_free(rig);
}

static void a_2xx_is_a_success_whatever_it_says(void **state)
{
    static const char *const bodies[] = {"", "<html>hello</html>", "{\"success\":"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct rig *rig = rig_new(true, NATIVE_MODE_ON);

        rig->body = bodies[i];
        rig_put(rig, &rig_web, MINUTE_S, "custom.a");
        rig_settle(rig);
        assert_int_equal(rig_books(rig).delivered, 1);
        assert_int_equal(rig->posts, 1);
        rig_free(rig);
    }
}

static void a_look_up_that_a_log_in_page_answers_is_asked_again(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    struct delivery_status status;

    (void)state;
    rig->hosts = rig->services = "<html>log in to this network</html>";
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig_pass(rig, 10);
    dispatch_read_status(rig->dispatch, &status, rig_now(rig));
    assert_int_equal(status.state, DELIVERY_DEGRADED);
    assert_non_null(strstr(status.message, "log-in page"));
    assert_int_equal(status.unknown_count,
                     0); /* nobody said that there is no such host */
    delivery_status_release(&status);
    assert_int_equal(rig->posts, 0);
    rig->hosts = RIG_WEB_FOUND;
    rig->services = RIG_SHOP_LISTED;
    rig_pass(rig, 61);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void a_creation_that_a_log_in_page_answers_is_not_believed(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig->services = "{\"services\":[]}";
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    dispatch_tend(rig->dispatch, rig_now(rig));
    rig_answer(rig, dispatch_next(rig->dispatch, rig_now(rig)));

    struct errand *creation = dispatch_next(rig->dispatch, rig_now(rig));

    assert_int_equal(creation->request.endpoint, API_CREATE_SERVICE);
    dispatch_answer(rig->dispatch, creation,
                    &(struct api_answer){.status = 200, .body = SLICE("<html>")},
                    rig_now(rig));
    rig_pass(rig, 61); /* looked up again, created then */
    assert_int_equal(rig->created, 1);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void an_outage_is_over_when_retry_after_says_so(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->status = 503;
    rig->retry_after = "180";
    rig_settle(rig);
    rig->status = 200;
    rig_pass(rig, 179);
    assert_int_equal(rig->posts, 1);
    rig_pass(rig, 1);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void an_outage_is_not_believed_to_last_longer_than_ten_minutes(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->status = 503;
    rig->retry_after = "86400";
    rig_settle(rig);
    rig->status = 200;
    rig_pass(rig, 599);
    assert_int_equal(rig->posts, 1);
    rig_pass(rig, 1);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void a_kept_connection_that_died_is_replaced_at_once_and_only_once(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->curl = CURLE_GOT_NOTHING;
    rig->was_reused = true;
    rig_settle(rig);
    assert_int_equal(rig->posts, 2);
    assert_int_equal(rig_queued(rig), 1);
    rig->curl = CURLE_OK;
    rig_pass(rig, 70);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void another_key_is_tried_at_once(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->status = 401;
    rig_settle(rig);
    assert_true(dispatch_is_paused(rig->dispatch));
    rig_pass(rig, 5);
    assert_int_equal(rig->posts, 1);
    rig->status = 200;
    dispatch_renew_key(rig->dispatch, rig_now(rig));
    rig_settle(rig);
    assert_false(dispatch_is_paused(rig->dispatch));
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void an_outage_sees_few_requests_whatever_waits(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    unsigned before, minute[20];
    char name[32];

    (void)state;
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    rig->status = 500;
    for (uint64_t i = 0; i < 20; i++) {
        before = rig->requests;
        for (int m = 0; m < 200; m++) {
            snprintf(name, sizeof(name), "custom.m%d", m);
            rig_put(rig, &rig_web, MINUTE_S + 60 * i, name);
            rig_put(rig, &rig_shop, MINUTE_S + 60 * i, name);
        }
        rig_pass(rig, 60);
        minute[i] = rig->requests - before;
    }
    assert_true(minute[0] <= 10); /* 1, 2, 4, 8, 16, 32 s, and what was on its way */
    for (size_t i = 1; i < 20; i++)
        assert_in_range(minute[i], 0, 2);
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
        cmocka_unit_test(a_post_that_was_taken_in_part_is_halved_all_the_same),
        cmocka_unit_test(a_metric_that_is_always_refused_stops_costing_requests),
        cmocka_unit_test(
            a_services_refused_metric_in_a_day_of_backlog_is_found_twice_at_most),
        cmocka_unit_test(a_2xx_is_a_success_whatever_it_says),
        cmocka_unit_test(a_look_up_that_a_log_in_page_answers_is_asked_again),
        cmocka_unit_test(a_creation_that_a_log_in_page_answers_is_not_believed),
        cmocka_unit_test(an_outage_is_over_when_retry_after_says_so),
        cmocka_unit_test(an_outage_is_not_believed_to_last_longer_than_ten_minutes),
        cmocka_unit_test(a_kept_connection_that_died_is_replaced_at_once_and_only_once),
        cmocka_unit_test(another_key_is_tried_at_once),
        cmocka_unit_test(an_outage_sees_few_requests_whatever_waits),
    };

    return cmocka_run_group_tests_name("dispatch_answers", tests, NULL, NULL);
}
