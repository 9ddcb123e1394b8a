#include "base/log.h"

#include <curl/curl.h>

#include "dispatch_rig.h"

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

/* The first attempt may have reached Mackerel, and may be slow there. */
static void a_request_that_was_sent_twice_at_once_is_confirmed(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->dies_once = true;
    rig_settle(rig);
    assert_int_equal(rig->posts, 2);
    assert_int_equal(rig_queued(rig), 1);
    rig_pass(rig, 58);
    assert_int_equal(rig->posts, 2);
    rig_pass(rig, 10);
    assert_int_equal(rig->posts, 3);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).delivered, 1);
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
        cmocka_unit_test(an_outage_is_retried_ever_more_slowly_and_loses_nothing),
        cmocka_unit_test(a_refused_key_pauses_everything_and_keeps_the_data),
        cmocka_unit_test(too_many_requests_wait_for_the_next_minute),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(a_timeout_is_confirmed_once_more),
        cmocka_unit_test(a_look_up_that_a_log_in_page_answers_is_asked_again),
        cmocka_unit_test(a_creation_that_a_log_in_page_answers_is_not_believed),
        cmocka_unit_test(an_outage_is_over_when_retry_after_says_so),
        cmocka_unit_test(an_outage_is_not_believed_to_last_longer_than_ten_minutes),
        cmocka_unit_test(a_kept_connection_that_died_is_replaced_at_once_and_only_once),
        cmocka_unit_test(a_request_that_was_sent_twice_at_once_is_confirmed),
        cmocka_unit_test(another_key_is_tried_at_once),
        cmocka_unit_test(an_outage_sees_few_requests_whatever_waits),
    };

    return cmocka_run_group_tests_name("dispatch_outage", tests, NULL, NULL);
}
