#include "dispatch_rig.h"

static void values_of_found_hosts_and_services_are_posted_at_once(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_AUTO);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "loadavg5");
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_put(rig, &rig_shop, MINUTE_S, "b");
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 0);
    assert_true(rig_posted(rig, "{\"hostId\":\"2web\",\"name\":\"loadavg5\","
                                "\"time\":1795518000,\"value\":1}"));
    assert_true(rig_posted(rig, "[{\"name\":\"b\",\"time\":1795518000,\"value\":1}]"));
    assert_int_equal(rig->created, 0);
    rig_free(rig);
}

static void a_missing_service_is_created(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_AUTO);

    (void)state;
    rig->services = "{\"services\":[]}";
    rig_put(rig, &rig_shop, MINUTE_S, "b");
    rig_settle(rig);
    assert_int_equal(rig->created, 1);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void a_missing_service_waits_where_creation_is_off(void **state)
{
    struct rig *rig = rig_new(false, NATIVE_MODE_AUTO);
    struct delivery_status status;

    (void)state;
    rig->services = "{\"services\":[]}";
    rig_put(rig, &rig_shop, MINUTE_S, "b");
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 1);
    dispatch_read_status(rig->dispatch, &status, rig_now(rig));
    assert_int_equal(status.unknown_count, 1);
    assert_string_equal(status.unknown[0].sought, "service \"shop\"");
    delivery_status_release(&status);
    rig->services = RIG_SHOP_LISTED;
    rig_pass(rig, 60);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void values_of_an_unknown_host_wait_until_it_is_registered(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    struct delivery_status status;

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    assert_int_equal(rig->posts, 0);
    dispatch_read_status(rig->dispatch, &status, rig_now(rig));
    assert_int_equal(status.unknown_count, 1);
    assert_string_equal(status.unknown[0].sought, "name \"web-1\"");
    assert_int_equal(status.unknown[0].waiting, 1);
    delivery_status_release(&status);
    rig->hosts = RIG_WEB_FOUND;
    rig_pass(rig, 60);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).delivered, 1);
    rig_free(rig);
}

static void values_of_a_host_that_stays_unknown_are_withheld_after_a_day(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    rig->now_s = MINUTE_S + OUTBOX_MAX_AGE_S - 120;
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 1);
    rig->now_s = MINUTE_S + OUTBOX_MAX_AGE_S;
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).withheld[WITHHELD_HOST_UNKNOWN].count, 1);
    rig_free(rig);
}

static void unknown_hosts_may_hold_a_tenth_of_the_outbox(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    struct outbox_counts counts;

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    for (uint64_t i = 0; i < 600; i++)
        rig_put(rig, &rig_web, MINUTE_S - 60 * 600 + 60 * i, "custom.a");
    rig_settle(rig);
    outbox_read_counts(rig->outbox, &counts);
    assert_true(counts.bytes <= (1 << 20) / 10);
    assert_true(rig_books(rig).withheld[WITHHELD_HOST_UNKNOWN].count > 0);
    assert_int_equal(rig_books(rig).expired, 0);
    assert_int_equal(counts.oldest_minute_s, MINUTE_S - 60 * counts.values);
    rig_free(rig);
}

static void native_values_are_withheld_where_the_agent_writes(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_AUTO);

    (void)state;
    rig->latest = "{\"tsdbLatest\":{\"2web\":{\"loadavg5\":{\"time\":600,\"value\":1}}}}";
    rig_put(rig, &rig_web, MINUTE_S, "loadavg5");
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 1);
    assert_true(rig_posted(rig, "custom.a"));
    rig->latest = "{\"tsdbLatest\":{\"2web\":{\"loadavg5\":{\"time\":720,\"value\":1}}}}";
    rig_pass(rig, 121);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig_books(rig).withheld[WITHHELD_AGENT_WRITES].count, 1);
    assert_false(rig_posted(rig, "loadavg5"));
    rig_free(rig);
}

static void a_second_identity_of_a_host_does_not_write_the_same_name(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig);
    rig_put(rig, &rig_web_by_id, MINUTE_S, "custom.a");
    rig_put(rig, &rig_web_by_id, MINUTE_S, "custom.b");
    rig_settle(rig);
    assert_int_equal(rig_books(rig).delivered, 2);
    assert_int_equal(rig_books(rig).withheld[WITHHELD_OTHER_IDENTITY].count, 1);
    rig_free(rig);
}

static void a_host_that_mackerel_forgot_is_sought_again(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig->status = 404;
    dispatch_tend(rig->dispatch, rig_now(rig));
    for (int i = 0; i < 2; i++) /* the look-up, the post */
        rig_answer(rig, dispatch_next(rig->dispatch, rig_now(rig)));
    rig->status = 200;
    rig->hosts =
        "{\"hosts\":[{\"id\":\"2new\",\"name\":\"web-1\",\"status\":\"working\"}]}";
    rig_settle(rig);
    assert_true(rig_posted(rig, "\"hostId\":\"2new\""));
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void an_agent_that_starts_later_takes_its_metrics_over_and_gives_them_back(
    void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_AUTO);
    struct delivery_status status;
    char latest[128];

    (void)state;
    for (uint64_t minute = 0; minute < 200; minute++) {
        uint64_t minute_s = MINUTE_S + 60 * minute;
        /* We post the minute before the one that is over; from minute 70 to 140 an agent is ahead. */
        bool has_agent = minute >= 70 && minute < 140;

        rig_put(rig, &rig_web, minute_s, "loadavg5");
        snprintf(latest, sizeof(latest),
                 "{\"tsdbLatest\":{\"2web\":{\"loadavg5\":{\"time\":%llu,\"value\":1}}}}",
                 (unsigned long long)(has_agent       ? minute_s + 60
                                      : minute >= 140 ? MINUTE_S + 60 * 140
                                                      : minute_s));
        rig->latest = minute ? latest : rig->latest;
        rig_pass(rig, 60);
        dispatch_read_status(rig->dispatch, &status, rig_now(rig));
        if (minute < 70)
            assert_string_equal(status.destinations[0].native, "post");
        if (minute == 130)
            assert_string_equal(status.destinations[0].native, "agent_writes");
        delivery_status_release(&status);
    }
    dispatch_read_status(rig->dispatch, &status, rig_now(rig));
    assert_string_equal(status.destinations[0].native, "post");
    delivery_status_release(&status);
    assert_true(rig_books(rig).withheld[WITHHELD_AGENT_WRITES].count > 0);
    rig_free(rig);
}

static void look_ups_of_many_hosts_are_spread(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    struct mackerel_destination host = {.kind = MACKEREL_HOST};
    char name[32];

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "host-%d", i);
        host.name = slice_of(name);
        rig_put(rig, &host, MINUTE_S, "custom.a");
    }
    rig_settle(rig);
    assert_int_equal(rig->requests, 20);
    rig_pass(rig, 10);
    assert_in_range(rig->requests, 110, 120);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_found_hosts_and_services_are_posted_at_once),
        cmocka_unit_test(a_missing_service_is_created),
        cmocka_unit_test(a_missing_service_waits_where_creation_is_off),
        cmocka_unit_test(values_of_an_unknown_host_wait_until_it_is_registered),
        cmocka_unit_test(values_of_a_host_that_stays_unknown_are_withheld_after_a_day),
        cmocka_unit_test(unknown_hosts_may_hold_a_tenth_of_the_outbox),
        cmocka_unit_test(native_values_are_withheld_where_the_agent_writes),
        cmocka_unit_test(a_second_identity_of_a_host_does_not_write_the_same_name),
        cmocka_unit_test(a_host_that_mackerel_forgot_is_sought_again),
        cmocka_unit_test(
            an_agent_that_starts_later_takes_its_metrics_over_and_gives_them_back),
        cmocka_unit_test(look_ups_of_many_hosts_are_spread),
    };

    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
