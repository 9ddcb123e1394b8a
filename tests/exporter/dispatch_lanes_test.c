#include "dispatch_rig.h"

static void after_an_outage_the_newest_minutes_go_first(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    const char *newest, *oldest;

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S - 3600, "custom.old");
    rig_put(rig, &rig_web, MINUTE_S, "custom.new");
    rig_settle(rig);
    buffer_append_char(&rig->posted, '\0');
    newest = strstr(rig->posted.ptr, "custom.new");
    oldest = strstr(rig->posted.ptr, "custom.old");
    assert_true(newest && oldest && newest < oldest);
    assert_int_equal(rig->posts, 2);
    rig_free(rig);
}

static void a_service_gets_at_most_four_posts_in_any_minute(void **state)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);
    unsigned counts[600];
    char name[32];

    (void)state;
    for (uint64_t second = 0; second < 600; second++) {
        snprintf(name, sizeof(name), "m%d", (int)(second % 50));
        rig_put(rig, &rig_shop, MINUTE_S + second / 60 * 60, name);
        rig_pass(rig, 1);
        counts[second] = rig->service_posts;
        if (second >= 60)
            assert_true(counts[second] - counts[second - 60] <= 4);
    }
    rig_pass(rig, 60);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

/* Sends what may go now without answering it: {requests of fresh values, of backlog}. */
struct sent {
    unsigned live, backlog;
    struct errand *errands[8];
    size_t count;
};

static struct sent send_all(struct rig *rig)
{
    struct sent sent = {0};
    struct errand *errand;

    dispatch_tend(rig->dispatch, rig_now(rig));
    while ((errand = dispatch_next(rig->dispatch, rig_now(rig)))) {
        if (errand->kind == ERRAND_POST && errand->lane == MACKEREL_LIVE)
            sent.live++;
        if (errand->kind == ERRAND_POST && errand->lane == MACKEREL_BACKFILL)
            sent.backlog++;
        sent.errands[sent.count++] = errand;
    }
    return sent;
}

static void answer_all(struct rig *rig, const struct sent *sent)
{
    for (size_t i = 0; i < sent->count; i++)
        rig_answer(rig, sent->errands[i]);
}

/* The rig knows its host and its service, and nothing waits. */
static struct rig *new_settled_rig(void)
{
    struct rig *rig = rig_new(true, NATIVE_MODE_ON);

    rig_put(rig, &rig_shop, MINUTE_S, "first");
    rig_put(rig, &rig_web, MINUTE_S, "custom.first");
    rig_settle(rig);
    assert_int_equal(rig_queued(rig), 0);
    rig_pass(rig, 60);
    return rig;
}

static void a_correction_of_a_recent_minute_does_not_hold_up_the_fresh_one(void **state)
{
    struct rig *rig = new_settled_rig();
    struct sent sent;

    (void)state;
    rig_put_in(rig, &rig_web, MINUTE_S, MACKEREL_BACKFILL, "custom.first");
    rig_put_in(rig, &rig_shop, MINUTE_S, MACKEREL_BACKFILL, "first");
    sent = send_all(rig);
    assert_int_equal(sent.backlog, 1);
    assert_int_equal(sent.live, 0);
    /* It is on its way and unanswered when the next minute closes. */
    rig_put(rig, &rig_web, MINUTE_S + 60, "custom.first");
    rig_put(rig, &rig_shop, MINUTE_S + 60, "first");

    struct sent fresh = send_all(rig);

    assert_int_equal(fresh.live, 2);
    answer_all(rig, &sent);
    answer_all(rig, &fresh);
    rig_pass(rig, 16);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void a_request_never_holds_fresh_values_and_backlog(void **state)
{
    struct rig *rig = new_settled_rig();

    (void)state;
    rig->posted.len = 0;
    for (uint64_t age = 0; age < 10; age++)
        rig_put(rig, &rig_web, MINUTE_S + 60 - age * 60, "custom.a");

    struct sent sent = send_all(rig);

    assert_int_equal(sent.live, 1);
    assert_int_equal(sent.backlog, 1);
    for (size_t i = 0; i < sent.count; i++)
        for (size_t item = 0; item < sent.errands[i]->batch.count; item++)
            assert_int_equal(sent.errands[i]->batch.items[item].minute_s + OUTBOX_LIVE_S >
                                 rig->now_s,
                             sent.errands[i]->lane == MACKEREL_LIVE);
    answer_all(rig, &sent);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

static void backlog_goes_in_the_order_of_minutes_over_all_hosts(void **state)
{
    static const struct mackerel_destination other = {.kind = MACKEREL_HOST,
                                                      .name = SLICE("db-1")};
    struct rig *rig = new_settled_rig();
    const char *first, *second, *third;

    (void)state;
    rig->posted.len = 0;
    rig->hosts =
        "{\"hosts\":[{\"id\":\"2db\",\"name\":\"db-1\",\"status\":\"working\"}]}";
    rig_put(rig, &rig_web, MINUTE_S - 7200, "custom.second");
    rig_put(rig, &other, MINUTE_S - 10800, "custom.first");
    rig_put(rig, &other, MINUTE_S - 3600, "custom.third");
    rig_pass(rig, 5);
    buffer_append_char(&rig->posted, '\0');
    first = strstr(rig->posted.ptr, "custom.first");
    second = strstr(rig->posted.ptr, "custom.second");
    third = strstr(rig->posted.ptr, "custom.third");
    assert_true(first && second && third);
    assert_true(first < second);
    rig_free(rig);
}

static void backlog_that_fails_steps_behind_that_of_others(void **state)
{
    static const struct mackerel_destination other = {.kind = MACKEREL_HOST,
                                                      .name = SLICE("db-1")};
    struct rig *rig = new_settled_rig();
    struct sent sent;
    char name[32];

    (void)state;
    rig->hosts =
        "{\"hosts\":[{\"id\":\"2db\",\"name\":\"db-1\",\"status\":\"working\"}]}";
    rig_put(rig, &other, MINUTE_S + 60, "custom.live");
    rig_pass(rig, 2);
    for (int i = 0; i < 100; i++) { /* one full request of the oldest */
        snprintf(name, sizeof(name), "custom.m%d", i);
        rig_put(rig, &rig_web, MINUTE_S - 10800, name);
    }
    rig_put(rig, &other, MINUTE_S - 3600, "custom.later");
    sent = send_all(rig);
    assert_int_equal(sent.backlog, 1);
    assert_true(slice_is(sent.errands[0]->batch.items[0].name, "custom.m0"));
    rig->status = 500;
    answer_all(rig, &sent);
    rig->status = 200;
    rig->now_s += 60;
    sent = send_all(rig);
    assert_int_equal(sent.count, 1); /* a probe */
    assert_true(slice_is(sent.errands[0]->batch.items[0].name, "custom.later"));
    answer_all(rig, &sent);
    rig_pass(rig, 2);
    assert_int_equal(rig_queued(rig), 0);
    rig_free(rig);
}

/* `minutes` minutes of 50 values each that ended `hours` before. */
static void put_backlog(struct rig *rig, const struct mackerel_destination *to,
                        uint64_t hours, uint64_t minutes)
{
    char name[32];

    for (uint64_t i = 0; i < minutes * 50; i++) {
        snprintf(name, sizeof(name), "m%d", (int)(i % 50));
        rig_put(rig, to, MINUTE_S - hours * 3600 - i / 50 * 60, name);
    }
}

static void a_services_backlog_is_one_body_and_leaves_a_post_to_fresh_values(void **state)
{
    struct rig *rig = new_settled_rig();
    unsigned before = rig->service_posts;
    char name[32];

    (void)state;
    rig->posted.len = 0;
    put_backlog(rig, &rig_shop, 1, 60);
    rig_pass(rig, 60);
    /* 1,000 values at first, twice as many then. */
    assert_in_range(rig->service_posts - before, 2, 3);
    assert_int_equal(rig_queued(rig), 0);
    for (uint64_t minute = 1; minute <= 3;
         minute++) { /* fresh ones go at once all the time */
        put_backlog(rig, &rig_shop, 2, 60);
        snprintf(name, sizeof(name), "fresh.%d", (int)minute);
        rig_put(rig, &rig_shop, MINUTE_S + 60 + minute * 60, name);
        rig_settle(rig);
        assert_true(rig_posted(rig, name));
        rig_pass(rig, 60);
    }
    rig_free(rig);
}

static void fresh_minutes_wait_for_this_gateways_place_in_the_minute(void **state)
{
    struct rig *rig = rig_new_with((struct dispatch_options){
        .hosts = {.native = NATIVE_MODE_ON},
        .offset = {.after_ms = 15000, .length_ms = 25000},
    });

    (void)state;
    rig_put(rig, &rig_web, MINUTE_S, "custom.a");
    rig_settle(rig); /* 20 s into the minute; questions are asked at once */
    assert_int_equal(rig->requests, 1);
    rig_pass(rig, 19);
    assert_int_equal(rig->posts, 0);
    rig_pass(rig, 1); /* second 40 */
    assert_int_equal(rig->posts, 1);
    /* What closes at another time of the minute goes at once, and so does backlog. */
    rig_put(rig, &rig_web, MINUTE_S, "custom.b");
    rig_settle(rig);
    assert_int_equal(rig->posts, 2);
    rig_pass(rig, 40); /* second 20 again */
    rig_put(rig, &rig_web, MINUTE_S - 3600, "custom.c");
    rig_put(rig, &rig_web, MINUTE_S + 60, "custom.d");
    rig_settle(rig);
    assert_true(rig_posted(rig, "custom.c"));
    assert_false(rig_posted(rig, "custom.d"));
    /* A stop does not wait. */
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_true(rig_posted(rig, "custom.d"));
    rig_free(rig);
}

static void whatever_the_offset_a_minute_is_posted_before_the_next_one_is_due(
    void **state)
{
    (void)state;
    for (uint64_t offset_ms = 0; offset_ms <= PACE_OFFSET_MAX_MS; offset_ms += 5000) {
        struct rig *rig = rig_new_with((struct dispatch_options){
            .hosts = {.native = NATIVE_MODE_ON},
            .offset = {.after_ms = 15000, .length_ms = offset_ms},
        });

        rig_put(rig, &rig_shop, MINUTE_S - 60, "warm.up");
        rig_put(rig, &rig_web, MINUTE_S - 60, "custom.warm");
        rig_pass(rig, 55); /* second 15: the minute closes */
        assert_int_equal(rig_queued(rig), 0);
        rig_put(rig, &rig_shop, MINUTE_S + 60, "a");
        rig_put(rig, &rig_web, MINUTE_S + 60, "custom.a");
        rig_pass(rig, 59);
        assert_int_equal(rig_queued(rig), 0);
        rig_free(rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after_an_outage_the_newest_minutes_go_first),
        cmocka_unit_test(a_service_gets_at_most_four_posts_in_any_minute),
        cmocka_unit_test(a_correction_of_a_recent_minute_does_not_hold_up_the_fresh_one),
        cmocka_unit_test(a_request_never_holds_fresh_values_and_backlog),
        cmocka_unit_test(backlog_goes_in_the_order_of_minutes_over_all_hosts),
        cmocka_unit_test(backlog_that_fails_steps_behind_that_of_others),
        cmocka_unit_test(
            a_services_backlog_is_one_body_and_leaves_a_post_to_fresh_values),
        cmocka_unit_test(fresh_minutes_wait_for_this_gateways_place_in_the_minute),
        cmocka_unit_test(
            whatever_the_offset_a_minute_is_posted_before_the_next_one_is_due),
    };

    return cmocka_run_group_tests_name("dispatch_lanes", tests, NULL, NULL);
}
