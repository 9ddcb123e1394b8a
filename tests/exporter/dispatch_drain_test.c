#include <curl/curl.h>

#include "dispatch_rig.h"

static void draining_ends_when_only_hopeless_values_are_left(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    rig_put(rig, &rig_shop, MINUTE_S, "a");
    rig_settle(rig);
    rig_put(rig, &rig_shop, MINUTE_S + 60, "a");
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 1);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

/* A value that was accepted after an attempt which may have arrived, or may still. */
static struct rig *new_rig_with_confirmation(bool is_durable)
{
    struct rig *rig = rig_new_with((struct dispatch_options){
        .hosts = {.native = NATIVE_MODE_ON},
        .is_durable = is_durable,
    });

    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->curl = CURLE_OPERATION_TIMEDOUT;
    rig_settle(rig);
    rig->curl = CURLE_OK;
    rig_pass(rig, 2);
    assert_int_equal(rig->posts, 2);
    assert_int_equal(rig_queued(rig), 1);
    return rig;
}

static void a_stop_without_state_confirms_at_once(void **state)
{
    struct rig *rig = new_rig_with_confirmation(false);

    (void)state;
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_int_equal(rig->posts, 3);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).delivered, 1);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

static void a_stop_with_state_leaves_the_confirmation_to_the_next_start(void **state)
{
    struct rig *rig = new_rig_with_confirmation(true);

    (void)state;
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_int_equal(rig->posts, 2);
    assert_int_equal(rig_queued(rig), 1);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

static void a_stop_in_an_outage_waits_only_where_values_would_be_lost(void **state)
{
    (void)state;
    for (int is_durable = 0; is_durable <= 1; is_durable++) {
        struct rig *rig = rig_new_with((struct dispatch_options){
            .hosts = {.native = NATIVE_MODE_ON},
            .is_durable = is_durable,
        });

        rig->status = 500;
        rig_put(rig, &rig_web, MINUTE_S, "custom.a");
        dispatch_drain(rig->dispatch);
        rig_settle(rig);
        assert_int_equal(dispatch_is_drained(rig->dispatch, rig_now(rig)), is_durable);
        rig_free(rig);
    }
}

static void a_stop_in_an_outage_with_nothing_left_to_post_is_quick(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    const struct outbox_selection all = {.until_minute_s = UINT64_MAX};
    const struct outbox_verdict expired = {.end = OUTBOX_EXPIRED};

    (void)state;
    rig->status = 500;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    assert_int_equal(outbox_drop(rig->outbox, &all, &expired), 1);
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

static void an_attempt_that_is_unclear_during_a_stop_is_repeated_and_done(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    dispatch_drain(rig->dispatch);
    rig->curl = CURLE_OPERATION_TIMEDOUT;
    rig_settle(rig);
    assert_false(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig->curl = CURLE_OK;
    rig_pass(rig, 2);
    assert_int_equal(rig_queued(rig), 0);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

static void a_stop_posts_backlog_faster_but_not_as_a_storm(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    char name[32];

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    rig_pass(rig, 60);
    for (uint64_t i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "custom.m%d", (int)(i % 20));
        rig_put(rig, &rig_web, MINUTE_S - 3600 - i / 20 * 60, name);
    }
    dispatch_drain(rig->dispatch);
    for (rig_settle(rig); !dispatch_is_drained(rig->dispatch, rig_now(rig));)
        rig_pass(rig, 1);
    assert_int_equal(rig_queued(rig), 0);
    assert_true(rig->posts <= 41);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_free(rig);
}

static void a_stop_drops_what_is_withheld_rather_than_call_it_lost(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_OFF);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    rig_put(rig, &rig_web, MINUTE_S + 60, "loadavg5");
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).withheld[WITHHELD_NATIVE_OFF].count, 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draining_ends_when_only_hopeless_values_are_left),
        cmocka_unit_test(a_stop_without_state_confirms_at_once),
        cmocka_unit_test(a_stop_with_state_leaves_the_confirmation_to_the_next_start),
        cmocka_unit_test(a_stop_in_an_outage_waits_only_where_values_would_be_lost),
        cmocka_unit_test(a_stop_in_an_outage_with_nothing_left_to_post_is_quick),
        cmocka_unit_test(an_attempt_that_is_unclear_during_a_stop_is_repeated_and_done),
        cmocka_unit_test(a_stop_posts_backlog_faster_but_not_as_a_storm),
        cmocka_unit_test(a_stop_drops_what_is_withheld_rather_than_call_it_lost),
    };

    return cmocka_run_group_tests_name("dispatch_drain", tests, NULL, NULL);
}
