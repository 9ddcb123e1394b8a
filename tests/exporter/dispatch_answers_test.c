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

static void put_many(struct rig *rig, int count)
{
    char name[32];

    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        rig_put(rig, &rig_shop, rig->now_s - rig->now_s % 60 - 60, name);
    }
}

static void a_size_that_a_service_was_refused_is_remembered_for_an_hour(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    unsigned before;

    (void)state;
    put_many(rig, 40);
    rig->status = 413;
    dispatch_tend(rig->dispatch, rig_now(rig));
    for (int i = 0; i < 2; i++) /* the list of services, the post */
        rig_answer(rig, dispatch_next(rig->dispatch, rig_now(rig)));
    rig->status = 200;
    rig_pass(rig, 61);
    before = rig->posts;
    put_many(rig, 40);
    rig_pass(rig, 61);
    assert_int_equal(rig_queued(rig), 0);
    assert_in_range(rig->posts - before, 2, 3);
    rig_pass(rig, 3600);
    before = rig->posts;
    put_many(rig, 40);
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 0);
    assert_int_equal(rig->posts - before, 1);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_poisoned_value_among_a_hundred_is_given_up_alone),
        cmocka_unit_test(
            a_host_whose_values_are_all_refused_is_looked_up_before_they_are_given_up),
        cmocka_unit_test(a_body_that_is_too_large_is_halved),
        cmocka_unit_test(a_post_that_was_taken_in_part_is_halved_all_the_same),
        cmocka_unit_test(a_metric_that_is_always_refused_stops_costing_requests),
        cmocka_unit_test(
            a_services_refused_metric_in_a_day_of_backlog_is_found_twice_at_most),
        cmocka_unit_test(a_2xx_is_a_success_whatever_it_says),
        cmocka_unit_test(a_size_that_a_service_was_refused_is_remembered_for_an_hour),
    };

    return cmocka_run_group_tests_name("dispatch_answers", tests, NULL, NULL);
}
