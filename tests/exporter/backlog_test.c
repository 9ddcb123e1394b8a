/*
 * Hours of outage and what comes after, on a simulated clock: a fake API with limits and latency
 * answers what the dispatch asks; every minute the values of a whole organisation are put.
 */
#include "base/log.h"
#include "exporter/dispatch.h"

#include <curl/curl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    START_S = 1795518000, /* 2026-11-24T11:00:00Z */
    MINUTE_S = 60,
    HOUR_S = 3600,
    DAY_S = 24 * HOUR_S,
    GRACE_S = 15,
    HOSTS = 10,
    SERVICES = 5,
    METRICS_MAX = 200,
    WINDOW_S = 60,
    FLIGHTS = 4,
    SEEN_MAX = 400,
    EXPIRY_S = DAY_S - 60, /* a minute short of what Mackerel takes: exporter/keeper.c */
#ifdef SANITIZED /* a third of the values, by CMakeLists.txt; the limits hold for both */
    MANY_HOST_METRICS = 50,
    MANY_SERVICE_METRICS = 33,
#else
    MANY_HOST_METRICS = 150,
    MANY_SERVICE_METRICS = 100,
#endif
};

/* Times of requests in the last minute. */
struct window {
    uint64_t at_ms[SEEN_MAX];
    size_t count;
};

struct flight {
    struct errand *errand;
    uint64_t lands_ms;
    int status;
};

struct world {
    struct outbox *outbox;
    struct dispatch *dispatch;
    uint64_t now_ms;                      /* since START_S */
    size_t host_metrics, service_metrics; /* of each host, of each service */
    bool is_down;
    size_t host_limit; /* requests a minute */
    struct flight flights[FLIGHTS];
    struct window host_posts, service_posts[SERVICES + HOSTS + 1];
    /* What was seen: */
    unsigned requests, too_many, host_posts_max;
    uint64_t late_s; /* largest age of a minute whose fresh values were accepted */
    size_t live_max, backlog_max; /* values in one request of hosts */
    size_t live_values;
    uint64_t put_minutes;
};

static uint64_t draw(void)
{
    static uint64_t state = 88172645463325252u; /* xorshift: any odd start */

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint64_t now_s(const struct world *world)
{
    return START_S + world->now_ms / 1000;
}

static struct instant now(const struct world *world)
{
    return (struct instant){
        .mono_ms = world->now_ms + 1,
        .unix_ns = (START_S * UINT64_C(1000) + world->now_ms) * 1000000,
    };
}

static void init(struct world *world, size_t host_metrics, size_t service_metrics)
{
    log_set_level(LOG_ERROR);
    *world = (struct world){
        .host_metrics = host_metrics,
        .service_metrics = service_metrics,
        .host_limit = 120,
    };
    world->outbox = outbox_new(&(struct outbox_options){0});
    world->dispatch = dispatch_new(&(struct dispatch_options){
        .outbox = world->outbox,
        .hosts = {.native = NATIVE_MODE_ON},
        .create_services = true,
        .random = draw,
    });
}

static struct value_ledger books(struct world *world)
{
    struct value_ledger ledger;

    outbox_read_ledger(world->outbox, &ledger);
    assert_true(value_ledger_balances(&ledger));
    return ledger;
}

static void release(struct world *world)
{
    books(world);
    dispatch_free(world->dispatch);
    outbox_free(world->outbox);
}

/* ---- values ------------------------------------------------------------------------------ */

/* The same metrics everywhere, and at every time. */
static const struct mackerel_value *all_values(void)
{
    static char names[METRICS_MAX][24];
    static struct mackerel_value values[METRICS_MAX];

    for (size_t i = 0; i < METRICS_MAX && !values[i].name.len; i++) {
        snprintf(names[i], sizeof(names[i]), "custom.requests.m%d", (int)i);
        values[i] = (struct mackerel_value){.name = slice_of(names[i]), .value = 12.5};
    }
    return values;
}

static void put_row(struct world *world, enum mackerel_kind kind, int number,
                    size_t metrics)
{
    char owner[16];

    snprintf(owner, sizeof(owner), kind == MACKEREL_HOST ? "web-%d" : "shop-%d", number);

    const struct mackerel_row row = {
        .destination = {.kind = kind, .name = slice_of(owner)},
        .minute_s = now_s(world) - now_s(world) % MINUTE_S - MINUTE_S,
        .lane = MACKEREL_LIVE,
        .values = all_values(),
        .count = metrics,
    };

    outbox_put(world->outbox, &row, 1, world->put_minutes + 1);
}

/* At the grace after each minute. */
static void put_if_due(struct world *world)
{
    if (world->now_ms % (MINUTE_S * 1000) != GRACE_S * 1000)
        return;
    for (int i = 0; i < HOSTS; i++)
        put_row(world, MACKEREL_HOST, i, world->host_metrics);
    for (int i = 0; i < SERVICES; i++)
        put_row(world, MACKEREL_SERVICE, i, world->service_metrics);
    world->put_minutes++;
}

static size_t values_per_minute(const struct world *world)
{
    return HOSTS * world->host_metrics + SERVICES * world->service_metrics;
}

/* ---- the API ----------------------------------------------------------------------------- */

/* Counts a request at this moment; false when it is beyond the limit. */
static bool count_request(struct window *window, uint64_t now_ms, size_t limit)
{
    size_t kept = 0;

    for (size_t i = 0; i < window->count; i++)
        if (window->at_ms[i] + WINDOW_S * 1000 > now_ms)
            window->at_ms[kept++] = window->at_ms[i];
    window->count = kept;
    if (window->count >= limit)
        return false;
    assert_true(window->count < SEEN_MAX);
    window->at_ms[window->count++] = now_ms;
    return true;
}

static bool is_allowed(struct world *world, const struct api_request *request)
{
    if (request->endpoint == API_HOST_TSDB) {
        bool is_ok = count_request(&world->host_posts, world->now_ms, world->host_limit);

        if (world->host_posts.count > world->host_posts_max)
            world->host_posts_max = (unsigned)world->host_posts.count;
        return is_ok;
    }
    return request->endpoint != API_SERVICE_TSDB ||
           count_request(&world->service_posts[request->destination], world->now_ms, 4);
}

/* A request holds one lane, and nothing that Mackerel would ignore. */
static void check_values(struct world *world, const struct errand *errand)
{
    struct range top = errand_top(errand);
    size_t *most = errand->lane == MACKEREL_LIVE ? &world->live_max : &world->backlog_max;

    if (errand->request.endpoint == API_HOST_TSDB && top.count > *most)
        *most = top.count;
    for (size_t i = top.first; i < top.first + top.count; i++) {
        uint64_t age_s = now_s(world) - errand->batch.items[i].minute_s;

        assert_true(age_s < DAY_S);
        assert_int_equal(age_s < OUTBOX_LIVE_S, errand->lane == MACKEREL_LIVE);
    }
}

static void note_accepted(struct world *world, const struct errand *errand)
{
    struct range top = errand_top(errand);

    if (errand->lane != MACKEREL_LIVE)
        return;
    world->live_values += top.count;
    for (size_t i = top.first; i < top.first + top.count; i++) {
        uint64_t age_s = now_s(world) - errand->batch.items[i].minute_s;

        if (age_s > world->late_s)
            world->late_s = age_s;
    }
}

/* The path is "/api/v0/hosts?name=web-3&status=...". */
static void write_host(const struct api_request *request, char *text, size_t size)
{
    char number = request->path.ptr[sizeof("/api/v0/hosts?name=web-") - 1];

    snprintf(
        text, size,
        "{\"hosts\":[{\"id\":\"2host%c\",\"name\":\"web-%c\",\"status\":\"working\"}]}",
        number, number);
}

static void write_answer(const struct errand *errand, char *text, size_t size)
{
    switch (errand->request.endpoint) {
    case API_HOSTS: write_host(&errand->request, text, size); return;
    case API_SERVICES:
        snprintf(text, size,
                 "{\"services\":[{\"name\":\"shop-0\"},{\"name\":\"shop-1\"},{\"name\":"
                 "\"shop-2\"},{\"name\":\"shop-3\"},{\"name\":\"shop-4\"}]}");
        return;
    case API_HOST_TSDB:
    case API_SERVICE_TSDB: snprintf(text, size, "{\"success\":true}"); return;
    case API_HOST:
    case API_HOST_BY_IDENTIFIER:
    case API_CREATE_HOST:
    case API_LATEST:
    case API_CREATE_SERVICE:
    case API_CREATE_GRAPHS: fail_msg("not asked in this world");
    }
}

static void land(struct world *world, struct flight *flight)
{
    struct errand *errand = flight->errand;
    struct api_answer answer = {.status = flight->status, .had_bytes = true};
    char text[512];

    if (flight->status == 200) {
        write_answer(errand, text, sizeof(text));
        answer.body = slice_of(text);
        if (errand->kind == ERRAND_POST)
            note_accepted(world, errand);
    }
    flight->errand = NULL;
    dispatch_answer(world->dispatch, errand, &answer, now(world));
}

/* 200 ms and one more for every five values. */
static void take_off(struct world *world, struct errand *errand)
{
    struct flight *flight = world->flights;
    size_t values = errand->kind == ERRAND_POST ? errand_top(errand).count : 0;

    while (flight->errand)
        flight++;
    assert_true(flight < world->flights + FLIGHTS);
    world->requests++;
    *flight = (struct flight){errand, world->now_ms + 200 + values / 5, 200};
    if (world->is_down) {
        flight->status = 503;
        return;
    }
    if (!is_allowed(world, &errand->request)) {
        flight->status = 429;
        world->too_many++;
    } else if (errand->kind == ERRAND_POST) {
        check_values(world, errand);
    }
}

static void live(struct world *world, uint64_t seconds, uint64_t step_ms)
{
    for (uint64_t end_ms = world->now_ms + seconds * 1000; world->now_ms < end_ms;
         world->now_ms += step_ms) {
        struct errand *errand;

        put_if_due(world);
        for (size_t i = 0; i < FLIGHTS; i++)
            if (world->flights[i].errand && world->flights[i].lands_ms <= world->now_ms)
                land(world, &world->flights[i]);
        dispatch_tend(world->dispatch, now(world));
        while ((errand = dispatch_next(world->dispatch, now(world))))
            take_off(world, errand);
    }
}

/* Minutes until no more than two minutes' values wait. */
static unsigned drain(struct world *world, unsigned most)
{
    for (unsigned minute = 1; minute <= most; minute++) {
        live(world, MINUTE_S, 100);
        if (books(world).queued <= 2 * values_per_minute(world))
            return minute;
    }
    fail_msg("%zu values are left", (size_t)books(world).queued);
    return 0;
}

static void go_down(struct world *world, uint64_t hours)
{
    live(world, 5 * MINUTE_S, 100);
    world->is_down = true;
    live(world, hours * HOUR_S, 5000);
    world->is_down = false;
}

/* ---- the tests --------------------------------------------------------------------------- */

static void a_day_of_outage_is_made_up_for_in_half_an_hour(void **state)
{
    struct world world;
    uint64_t usual_s;
    unsigned minutes, before;

    (void)state;
    init(&world, MANY_HOST_METRICS, MANY_SERVICE_METRICS);
    live(&world, 5 * MINUTE_S, 100);
    usual_s = world.late_s;
    assert_in_range(usual_s, MINUTE_S + GRACE_S, MINUTE_S + GRACE_S + 2);
    before = world.requests;
    go_down(&world, 23);
    assert_true(world.requests - before <
                2 * 23 * 60 + 200); /* two a minute, and before */
    live(&world, 60, 100); /* the longest pause may pass before the first attempt */
    world.late_s = 0;
    minutes = drain(&world, 40) + 1;
    assert_in_range(minutes, 5, 29);
    assert_true(world.late_s <= usual_s);
    assert_int_equal(world.too_many, 0);
    assert_true(world.host_posts_max <= 120);
    assert_int_equal(world.live_max, 100);
    assert_in_range(world.backlog_max, 1000, PORTION_BACKLOG_MAX);
    assert_int_equal(books(&world).expired, 0);
    assert_int_equal(books(&world).rejected, 0);
    release(&world);
}

static void a_minute_stays_fresh_through_the_longest_backlog(void **state)
{
    struct world world;
    size_t before;

    (void)state;
    init(&world, MANY_HOST_METRICS, MANY_SERVICE_METRICS);
    go_down(&world, 6);
    live(&world, 60, 100);
    before = world.live_values;
    live(&world, 5 * MINUTE_S, 100);
    /* Five minutes' values were fresh once, and went as such. */
    assert_int_equal(world.live_values - before, 5 * values_per_minute(&world));
    release(&world);
}

static void what_is_older_than_a_day_expires_and_nothing_else(void **state)
{
    struct world world;
    size_t per_minute;

    (void)state;
    init(&world, 2, 2);
    per_minute = values_per_minute(&world);
    live(&world, 5 * MINUTE_S, 100);
    world.is_down = true;
    for (unsigned minute = 1; minute <= 25 * 60; minute++) {
        uint64_t gone = 0, first_s = START_S + 5 * MINUTE_S - MINUTE_S;

        live(&world, MINUTE_S, 5000);
        /* The first minute that the outage held back is the one that ended with its beginning. */
        if (now_s(&world) - 5 >= first_s + EXPIRY_S)
            gone = (now_s(&world) - 5 - EXPIRY_S - first_s) / MINUTE_S + 1;
        assert_int_equal(books(&world).expired, gone * per_minute);
    }
    world.is_down = false;
    drain(&world, 10);
    live(&world, MINUTE_S, 100);
    assert_in_range(books(&world).expired, 61 * per_minute, 63 * per_minute);
    assert_true(books(&world).queued <= per_minute);
    release(&world);
}

static void a_lower_limit_is_found_out_without_a_storm(void **state)
{
    struct world world;

    (void)state;
    init(&world, 50, 20);
    world.host_limit = 20;
    go_down(&world, 3);
    drain(&world, 60);
    assert_in_range(world.too_many, 1, 30);
    assert_int_equal(books(&world).expired, 0);
    release(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_of_outage_is_made_up_for_in_half_an_hour),
        cmocka_unit_test(a_minute_stays_fresh_through_the_longest_backlog),
        cmocka_unit_test(what_is_older_than_a_day_expires_and_nothing_else),
        cmocka_unit_test(a_lower_limit_is_found_out_without_a_storm),
    };

    return cmocka_run_group_tests_name("backlog", tests, NULL, NULL);
}
