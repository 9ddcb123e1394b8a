#include "exporter/dispatch.h"

#include "base/log.h"

#include <curl/curl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* 2026-11-24T11:00:00Z; the tests begin 80 s later, when that minute has closed. */
enum {
    MINUTE_S = 1795518000,
    START_S = MINUTE_S + 80
};

#define WEB_FOUND \
    "{\"hosts\":[{\"id\":\"2web\",\"name\":\"web-1\",\"status\":\"working\"}]}"
#define SHOP_LISTED "{\"services\":[{\"name\":\"shop\",\"memo\":\"\",\"roles\":[]}]}"

static const struct mackerel_destination shop = {.kind = MACKEREL_SERVICE,
                                                 .name = SLICE("shop")};
static const struct mackerel_destination web = {.kind = MACKEREL_HOST,
                                                .name = SLICE("web-1")};
static const struct mackerel_destination web_by_id = {
    .kind = MACKEREL_HOST,
    .host_id = SLICE("2web"),
};

/* A fake API: a status for each call, and what was posted. */
struct rig {
    struct outbox *outbox;
    struct dispatch *dispatch;
    uint64_t now_s;
    int status;         /* of posts */
    CURLcode curl;      /* of posts */
    const char *poison; /* a body with this text is answered 400 */
    const char *retry_after;
    const char *hosts, *services, *latest; /* answers */
    int created;
    unsigned posts, service_posts, requests;
    struct buffer posted; /* bodies that were taken */
};

/* The longest pause at the end of the doubling, a long one before. */
static uint64_t draw(void)
{
    return 60000;
}

static struct rig *new_rig(bool create_services, enum native_mode native)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    log_set_level(LOG_ERROR);
    assert_non_null(rig);
    rig->outbox = outbox_new(&(struct outbox_options){.max_bytes = 1 << 20});
    rig->dispatch = dispatch_new(&(struct dispatch_options){
        .outbox = rig->outbox,
        .outbox_max_bytes = 1 << 20,
        .hosts = {.native = native},
        .create_services = create_services,
        .random = draw,
    });
    rig->now_s = START_S;
    rig->status = 200;
    rig->hosts = WEB_FOUND;
    rig->services = SHOP_LISTED;
    rig->latest = "{\"tsdbLatest\":{}}";
    return rig;
}

static void free_rig(struct rig *rig)
{
    struct value_ledger ledger;

    outbox_read_ledger(rig->outbox, &ledger);
    assert_true(value_ledger_balances(&ledger));
    dispatch_free(rig->dispatch);
    outbox_free(rig->outbox);
    buffer_release(&rig->posted);
    free(rig);
}

static struct instant now(const struct rig *rig)
{
    return (struct instant){
        .mono_ms = (rig->now_s - START_S) * 1000 + 1,
        .unix_ns = rig->now_s * 1000000000u,
    };
}

static void put(struct rig *rig, const struct mackerel_destination *to, uint64_t minute_s,
                const char *name)
{
    const struct mackerel_value value = {
        .name = slice_of(name),
        .value = 1,
        .native = to->kind == MACKEREL_HOST && strncmp(name, "custom.", 7) != 0,
    };
    const struct mackerel_row row = {
        .destination = *to,
        .minute_s = minute_s,
        .lane = MACKEREL_LIVE,
        .values = &value,
        .count = 1,
    };

    outbox_put(rig->outbox, &row, 1, 1);
}

static bool holds(struct slice text, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= text.len; i++)
        if (memcmp(text.ptr + i, word, len) == 0)
            return true;
    return false;
}

static void answer_post(struct rig *rig, const struct api_request *request,
                        struct api_answer *answer)
{
    struct slice body = buffer_slice(&request->body);

    rig->posts++;
    rig->service_posts += request->endpoint == API_SERVICE_TSDB;
    answer->curl = (int)rig->curl;
    answer->status = rig->curl ? 0 : rig->status;
    answer->retry_after = rig->retry_after;
    if (rig->poison && holds(body, rig->poison)) {
        answer->status = 400;
        answer->body = slice_of("{\"error\":{\"message\":\"bad name\"}}");
    } else if (answer->status == 200) {
        buffer_append(&rig->posted, body);
    }
}

static void answer(struct rig *rig, struct errand *errand)
{
    struct api_answer answer = {.status = 200, .had_bytes = true};

    rig->requests++;
    switch (errand->request.endpoint) {
    case API_HOST_TSDB:
    case API_SERVICE_TSDB: answer_post(rig, &errand->request, &answer); break;
    case API_HOST:
        answer.body = slice_of("{\"host\":{\"id\":\"2web\",\"name\":\"web-1\"}}");
        break;
    case API_HOST_BY_IDENTIFIER: answer.status = 404; break;
    case API_HOSTS: answer.body = slice_of(rig->hosts); break;
    case API_CREATE_HOST: answer.body = slice_of("{\"id\":\"2new\"}"); break;
    case API_LATEST: answer.body = slice_of(rig->latest); break;
    case API_SERVICES: answer.body = slice_of(rig->services); break;
    case API_CREATE_SERVICE:
        rig->created++;
        answer.body = slice_of("{\"name\":\"shop\"}");
        break;
    }
    dispatch_answer(rig->dispatch, errand, &answer, now(rig));
}

/* Lets everything happen that happens at this moment. */
static void settle_down(struct rig *rig)
{
    struct errand *errand;

    do {
        dispatch_tend(rig->dispatch, now(rig));
        errand = dispatch_next(rig->dispatch, now(rig));
        if (errand)
            answer(rig, errand);
    } while (errand);
}

static void pass(struct rig *rig, uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i++) {
        rig->now_s++;
        settle_down(rig);
    }
}

static size_t queued(struct rig *rig)
{
    struct outbox_counts counts;

    outbox_read_counts(rig->outbox, &counts);
    return counts.values;
}

static bool was_posted(const struct rig *rig, const char *text)
{
    return holds(buffer_slice(&rig->posted), text);
}

static struct value_ledger books(struct rig *rig)
{
    struct value_ledger ledger;

    outbox_read_ledger(rig->outbox, &ledger);
    return ledger;
}

static void values_of_found_hosts_and_services_are_posted_at_once(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_AUTO);

    (void)state;
    put(rig, &web, MINUTE_S, "loadavg5");
    put(rig, &web, MINUTE_S, "custom.a");
    put(rig, &shop, MINUTE_S, "b");
    settle_down(rig);
    assert_int_equal(queued(rig), 0);
    assert_true(was_posted(rig, "{\"hostId\":\"2web\",\"name\":\"loadavg5\","
                                "\"time\":1795518000,\"value\":1}"));
    assert_true(was_posted(rig, "[{\"name\":\"b\",\"time\":1795518000,\"value\":1}]"));
    assert_int_equal(rig->created, 0);
    free_rig(rig);
}

static void a_missing_service_is_created(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_AUTO);

    (void)state;
    rig->services = "{\"services\":[]}";
    put(rig, &shop, MINUTE_S, "b");
    settle_down(rig);
    assert_int_equal(rig->created, 1);
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void a_missing_service_waits_where_creation_is_off(void **state)
{
    struct rig *rig = new_rig(false, NATIVE_MODE_AUTO);
    struct delivery_status status;

    (void)state;
    rig->services = "{\"services\":[]}";
    put(rig, &shop, MINUTE_S, "b");
    settle_down(rig);
    assert_int_equal(queued(rig), 1);
    dispatch_read_status(rig->dispatch, &status, now(rig));
    assert_int_equal(status.unknown_count, 1);
    assert_string_equal(status.unknown[0].sought, "service \"shop\"");
    delivery_status_release(&status);
    rig->services = SHOP_LISTED;
    pass(rig, 60);
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void values_of_an_unknown_host_wait_until_it_is_registered(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);
    struct delivery_status status;

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    put(rig, &web, MINUTE_S, "custom.a");
    settle_down(rig);
    assert_int_equal(rig->posts, 0);
    dispatch_read_status(rig->dispatch, &status, now(rig));
    assert_int_equal(status.unknown_count, 1);
    assert_string_equal(status.unknown[0].sought, "name \"web-1\"");
    assert_int_equal(status.unknown[0].waiting, 1);
    delivery_status_release(&status);
    rig->hosts = WEB_FOUND;
    pass(rig, 60);
    assert_int_equal(queued(rig), 0);
    assert_int_equal(books(rig).delivered, 1);
    free_rig(rig);
}

static void values_of_a_host_that_stays_unknown_are_withheld_after_a_day(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    put(rig, &web, MINUTE_S, "custom.a");
    settle_down(rig);
    rig->now_s = MINUTE_S + OUTBOX_MAX_AGE_S - 120;
    settle_down(rig);
    assert_int_equal(queued(rig), 1);
    rig->now_s = MINUTE_S + OUTBOX_MAX_AGE_S;
    settle_down(rig);
    assert_int_equal(queued(rig), 0);
    assert_int_equal(books(rig).withheld[WITHHELD_HOST_UNKNOWN].count, 1);
    free_rig(rig);
}

static void unknown_hosts_may_hold_a_tenth_of_the_outbox(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);
    struct outbox_counts counts;

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    for (uint64_t i = 0; i < 600; i++)
        put(rig, &web, MINUTE_S - 60 * 600 + 60 * i, "custom.a");
    settle_down(rig);
    outbox_read_counts(rig->outbox, &counts);
    assert_true(counts.bytes <= (1 << 20) / 10);
    assert_true(books(rig).withheld[WITHHELD_HOST_UNKNOWN].count > 0);
    assert_int_equal(books(rig).expired, 0);
    assert_int_equal(counts.oldest_minute_s, MINUTE_S - 60 * counts.values);
    free_rig(rig);
}

static void native_values_are_withheld_where_the_agent_writes(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_AUTO);

    (void)state;
    rig->latest = "{\"tsdbLatest\":{\"2web\":{\"loadavg5\":{\"time\":600,\"value\":1}}}}";
    put(rig, &web, MINUTE_S, "loadavg5");
    put(rig, &web, MINUTE_S, "custom.a");
    settle_down(rig);
    assert_int_equal(queued(rig), 1);
    assert_true(was_posted(rig, "custom.a"));
    rig->latest = "{\"tsdbLatest\":{\"2web\":{\"loadavg5\":{\"time\":720,\"value\":1}}}}";
    pass(rig, 121);
    assert_int_equal(queued(rig), 0);
    assert_int_equal(books(rig).withheld[WITHHELD_AGENT_WRITES].count, 1);
    assert_false(was_posted(rig, "loadavg5"));
    free_rig(rig);
}

static void a_second_identity_of_a_host_does_not_write_the_same_name(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &web, MINUTE_S, "custom.a");
    settle_down(rig);
    put(rig, &web_by_id, MINUTE_S, "custom.a");
    put(rig, &web_by_id, MINUTE_S, "custom.b");
    settle_down(rig);
    assert_int_equal(books(rig).delivered, 2);
    assert_int_equal(books(rig).withheld[WITHHELD_OTHER_IDENTITY].count, 1);
    free_rig(rig);
}

static void one_poisoned_value_among_a_hundred_is_given_up_alone(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);
    struct delivery_status status;
    char name[32];

    (void)state;
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "custom.m%d", i);
        put(rig, &web, MINUTE_S, name);
    }
    rig->poison = "\"custom.m42\"";
    settle_down(rig);
    assert_int_equal(books(rig).delivered, 99);
    assert_int_equal(books(rig).rejected, 1);
    assert_true(rig->posts <= 2 * 7 + 2); /* halving, and the first post twice */
    dispatch_read_status(rig->dispatch, &status, now(rig));
    assert_non_null(strstr(status.last_rejected, "custom.m42"));
    assert_non_null(strstr(status.last_rejected, "bad name"));
    delivery_status_release(&status);
    free_rig(rig);
}

static void a_host_whose_values_are_all_refused_is_looked_up_before_they_are_given_up(
    void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &web, MINUTE_S, "custom.a");
    put(rig, &web, MINUTE_S, "custom.b");
    settle_down(rig);
    put(rig, &web, MINUTE_S + 60, "custom.a");
    put(rig, &web, MINUTE_S + 60, "custom.b");
    rig->poison = "2web";
    rig->hosts = "{\"hosts\":[]}";
    settle_down(rig);
    assert_int_equal(queued(rig), 2);
    assert_int_equal(books(rig).rejected, 0);
    free_rig(rig);
}

static void a_body_that_is_too_large_is_halved(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &shop, MINUTE_S, "a");
    put(rig, &shop, MINUTE_S, "b");
    rig->status = 413;
    dispatch_tend(rig->dispatch, now(rig));
    for (int i = 0; i < 2; i++) /* the list of services, the post */
        answer(rig, dispatch_next(rig->dispatch, now(rig)));
    rig->status = 200;
    settle_down(rig);
    assert_int_equal(books(rig).delivered, 2);
    assert_int_equal(rig->posts, 3);
    free_rig(rig);
}

static void an_outage_is_retried_ever_more_slowly_and_loses_nothing(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &shop, MINUTE_S, "a");
    settle_down(rig);
    rig->status = 503;
    put(rig, &web, MINUTE_S, "custom.a");
    settle_down(rig);
    assert_int_equal(rig->posts, 2);
    settle_down(rig);
    assert_int_equal(rig->posts, 2);
    pass(rig, 3600);
    assert_in_range(rig->posts, 60, 70); /* doubling at first, then one a minute */
    assert_int_equal(queued(rig), 1);
    rig->status = 200;
    pass(rig, 61);
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void after_an_outage_the_newest_minutes_go_first(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);
    const char *newest, *oldest;

    (void)state;
    put(rig, &web, MINUTE_S - 3600, "custom.old");
    put(rig, &web, MINUTE_S, "custom.new");
    settle_down(rig);
    buffer_append_char(&rig->posted, '\0');
    newest = strstr(rig->posted.ptr, "custom.new");
    oldest = strstr(rig->posted.ptr, "custom.old");
    assert_true(newest && oldest && newest < oldest);
    assert_int_equal(rig->posts, 2);
    free_rig(rig);
}

static void a_refused_key_pauses_everything_and_keeps_the_data(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);
    struct delivery_status status;
    unsigned before;

    (void)state;
    log_set_level(LOG_ERROR);
    put(rig, &shop, MINUTE_S, "a");
    rig->status = 403;
    settle_down(rig);
    before = rig->requests;
    dispatch_read_status(rig->dispatch, &status, now(rig));
    assert_int_equal(status.state, DELIVERY_PAUSED);
    delivery_status_release(&status);
    pass(rig, 59);
    assert_int_equal(rig->requests, before);
    rig->status = 200;
    pass(rig, 1);
    assert_int_equal(queued(rig), 0);
    assert_false(dispatch_is_paused(rig->dispatch));
    free_rig(rig);
}

static void too_many_requests_wait_for_the_next_minute(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &shop, MINUTE_S, "a");
    rig->status = 429;
    settle_down(rig); /* 20 s into a minute */
    assert_int_equal(rig->posts, 1);
    rig->status = 200;
    pass(rig, 39);
    assert_int_equal(rig->posts, 1);
    pass(rig, 1);
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void retry_after_is_obeyed(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &web, MINUTE_S, "custom.a");
    rig->status = 429;
    rig->retry_after = "100";
    settle_down(rig);
    rig->status = 200;
    pass(rig, 99);
    assert_int_equal(rig->posts, 1);
    pass(rig, 1);
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void a_timeout_is_confirmed_once_more(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &web, MINUTE_S, "custom.a");
    rig->curl = CURLE_OPERATION_TIMEDOUT;
    settle_down(rig);
    rig->curl = CURLE_OK;
    pass(rig, 2);
    assert_int_equal(rig->posts, 2);
    pass(rig, 56);
    assert_int_equal(rig->posts, 2);
    pass(rig, 10);
    assert_int_equal(rig->posts, 3);
    assert_int_equal(books(rig).delivered, 1);
    free_rig(rig);
}

static void a_service_gets_at_most_four_posts_in_any_minute(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);
    unsigned counts[600];
    char name[32];

    (void)state;
    for (uint64_t second = 0; second < 600; second++) {
        snprintf(name, sizeof(name), "m%d", (int)(second % 50));
        put(rig, &shop, MINUTE_S + second / 60 * 60, name);
        pass(rig, 1);
        counts[second] = rig->service_posts;
        if (second >= 60)
            assert_true(counts[second] - counts[second - 60] <= 4);
    }
    pass(rig, 60);
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void a_host_that_mackerel_forgot_is_sought_again(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    put(rig, &web, MINUTE_S, "custom.a");
    rig->status = 404;
    dispatch_tend(rig->dispatch, now(rig));
    for (int i = 0; i < 2; i++) /* the look-up, the post */
        answer(rig, dispatch_next(rig->dispatch, now(rig)));
    rig->status = 200;
    rig->hosts =
        "{\"hosts\":[{\"id\":\"2new\",\"name\":\"web-1\",\"status\":\"working\"}]}";
    settle_down(rig);
    assert_true(was_posted(rig, "\"hostId\":\"2new\""));
    assert_int_equal(queued(rig), 0);
    free_rig(rig);
}

static void draining_ends_when_only_hopeless_values_are_left(void **state)
{
    struct rig *rig = new_rig(true, NATIVE_MODE_ON);

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    put(rig, &shop, MINUTE_S, "a");
    settle_down(rig);
    put(rig, &shop, MINUTE_S + 60, "a");
    put(rig, &web, MINUTE_S, "custom.a");
    dispatch_drain(rig->dispatch);
    settle_down(rig);
    assert_int_equal(queued(rig), 1);
    assert_true(dispatch_is_drained(rig->dispatch, now(rig)));
    free_rig(rig);
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
        cmocka_unit_test(one_poisoned_value_among_a_hundred_is_given_up_alone),
        cmocka_unit_test(
            a_host_whose_values_are_all_refused_is_looked_up_before_they_are_given_up),
        cmocka_unit_test(a_body_that_is_too_large_is_halved),
        cmocka_unit_test(an_outage_is_retried_ever_more_slowly_and_loses_nothing),
        cmocka_unit_test(after_an_outage_the_newest_minutes_go_first),
        cmocka_unit_test(a_refused_key_pauses_everything_and_keeps_the_data),
        cmocka_unit_test(too_many_requests_wait_for_the_next_minute),
        cmocka_unit_test(retry_after_is_obeyed),
        cmocka_unit_test(a_timeout_is_confirmed_once_more),
        cmocka_unit_test(a_service_gets_at_most_four_posts_in_any_minute),
        cmocka_unit_test(a_host_that_mackerel_forgot_is_sought_again),
        cmocka_unit_test(draining_ends_when_only_hopeless_values_are_left),
    };

    return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
