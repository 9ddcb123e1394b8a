/* What a delivery knows after a restart, given only the outbox's file. */

#include "base/log.h"
#include "exporter/delivery.h"
#include "exporter/dispatch.h"
#include "tests/exporter/outbox_file_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    START_S = MINUTE_S + 80
};

/* A process: its monotonic clock begins anew, the file stays. */
struct life {
    const char *path;
    struct outbox *outbox;
    struct dispatch *dispatch;
    uint64_t now_s, born_s;
    int host_status;    /* of posts of host values */
    uint64_t agent_s;   /* time of the host's newest loadavg5 */
    unsigned questions; /* about hosts and services */
    unsigned posts;
};

static uint64_t no_jitter(void)
{
    return 60000;
}

static struct instant now(const struct life *life)
{
    return (struct instant){
        .mono_ms = (life->now_s - life->born_s) * 1000 + 1,
        .unix_ns = life->now_s * 1000000000u,
    };
}

static struct life *be_born(const char *path, uint64_t now_s)
{
    struct life *life = calloc(1, sizeof(*life));

    assert_non_null(life);
    life->path = path;
    life->born_s = life->now_s = now_s;
    life->host_status = 200;
    life->outbox = rig_open(path);
    life->dispatch = dispatch_new(&(struct dispatch_options){
        .outbox = life->outbox,
        .create_services = true,
        .random = no_jitter,
    });
    return life;
}

/* Commits and ends; the next life begins at once. */
static struct life *be_born_again(struct life *life)
{
    const char *path = life->path;
    uint64_t now_s = life->now_s;

    rig_commit(life->outbox);
    dispatch_free(life->dispatch);
    outbox_free(life->outbox);
    free(life);
    return be_born(path, now_s);
}

static void end(struct life *life)
{
    rig_books(life->outbox);
    dispatch_free(life->dispatch);
    outbox_free(life->outbox);
    free(life);
}

static void answer(struct life *life, struct errand *errand)
{
    struct api_answer answer = {.status = 200, .had_bytes = true};
    char latest[128];

    snprintf(latest, sizeof(latest),
             "{\"tsdbLatest\":{\"2web\":{\"loadavg5\":{\"time\":%llu,\"value\":1}}}}",
             (unsigned long long)life->agent_s);
    life->questions++;
    switch (errand->request.endpoint) {
    case API_HOST_TSDB:
    case API_SERVICE_TSDB:
        if (errand->request.endpoint == API_HOST_TSDB)
            answer.status = life->host_status;
        life->questions--;
        life->posts++;
        break;
    case API_HOST_BY_IDENTIFIER:
        answer.body = slice_of("{\"host\":{\"id\":\"2web\",\"name\":\"web-1\","
                               "\"status\":\"working\"}}");
        break;
    case API_LATEST:
        answer.body = slice_of(life->agent_s ? latest : "{\"tsdbLatest\":{}}");
        break;
    case API_SERVICES:
        answer.body = slice_of("{\"services\":[{\"name\":\"shop\",\"memo\":\"\"}]}");
        break;
    case API_HOST:
    case API_HOSTS:
    case API_CREATE_HOST:
    case API_CREATE_SERVICE:
    case API_CREATE_GRAPHS: answer.status = 500; break;
    }
    dispatch_answer(life->dispatch, errand, &answer, now(life));
}

static void settle_down(struct life *life)
{
    struct errand *errand;

    rig_commit(life->outbox);
    do {
        dispatch_tend(life->dispatch, now(life));
        errand = dispatch_next(life->dispatch, now(life));
        if (errand)
            answer(life, errand);
    } while (errand);
    rig_commit(life->outbox);
}

static void pass(struct life *life, uint64_t seconds)
{
    for (uint64_t i = 0; i < seconds; i++) {
        life->now_s++;
        settle_down(life);
    }
}

static void what_was_found_is_posted_to_without_asking(void **state)
{
    struct life *life = be_born(rig_new_path(), START_S);

    (void)state;
    rig_put(life->outbox, &web, MINUTE_S, "custom.a", 1);
    rig_put(life->outbox, &shop, MINUTE_S, "a", 1);
    settle_down(life);
    assert_int_equal(life->posts, 2);
    assert_true(life->questions >= 2);
    life = be_born_again(life);
    rig_put(life->outbox, &web, MINUTE_S + 60, "custom.a", 1);
    rig_put(life->outbox, &web, MINUTE_S + 60, "loadavg5", 1);
    rig_put(life->outbox, &shop, MINUTE_S + 60, "a", 1);
    life->now_s += 60;
    settle_down(life);
    assert_int_equal(life->posts, 2);
    assert_int_equal(life->questions, 0);
    assert_int_equal(rig_books(life->outbox).delivered, 5);
    end(life);
}

static void a_host_that_is_gone_is_sought_again(void **state)
{
    struct life *life = be_born(rig_new_path(), START_S);

    (void)state;
    rig_put(life->outbox, &web, MINUTE_S, "custom.a", 1);
    settle_down(life);
    life = be_born_again(life);
    life->host_status = 404;
    rig_put(life->outbox, &web, MINUTE_S + 60, "custom.a", 1);
    life->now_s += 60;
    settle_down(life);
    assert_true(life->questions >= 1);
    assert_int_equal(rig_books(life->outbox).queued, 1);
    end(life);
}

static void hosts_are_verified_when_it_was_due_anyway(void **state)
{
    struct life *life = be_born(rig_new_path(), START_S);

    (void)state;
    rig_put(life->outbox, &web, MINUTE_S, "custom.a", 1);
    settle_down(life);
    pass(life, 1800);
    life = be_born_again(life);
    pass(life, 1200); /* 50 min since it was found */
    assert_int_equal(life->questions, 0);
    pass(life, 1500); /* 75 min: looked up, and its agent looked for */
    assert_in_range(life->questions, 2, 4);
    end(life);
}

static void who_writes_native_metrics_is_known_at_once(void **state)
{
    struct life *life = be_born(rig_new_path(), START_S);
    struct value_ledger ledger;

    (void)state;
    life->agent_s = MINUTE_S;
    rig_put(life->outbox, &web, MINUTE_S, "loadavg5", 1);
    pass(life, 60);
    life->agent_s = MINUTE_S + 120;
    pass(life, 90);
    assert_int_equal(rig_books(life->outbox).withheld[WITHHELD_AGENT_WRITES].count, 1);
    life = be_born_again(life);
    rig_put(life->outbox, &web, MINUTE_S + 180, "loadavg5", 1);
    rig_put(life->outbox, &web, MINUTE_S + 180, "custom.a", 1);
    settle_down(life);
    ledger = rig_books(life->outbox);
    assert_int_equal(ledger.withheld[WITHHELD_AGENT_WRITES].count, 2);
    assert_int_equal(ledger.delivered, 1);
    assert_int_equal(life->questions, 0);
    end(life);
}

static void a_drained_delivery_leaves_an_empty_file(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct delivery *delivery;
    struct error err;
    FILE *preview = tmpfile();

    (void)state;
    assert_non_null(preview);
    delivery = delivery_start(&(struct delivery_options){.preview = preview}, outbox,
                              &err);
    assert_non_null(delivery);
    for (uint64_t i = 0; i < 100; i++)
        rig_queue(outbox, i % 2 ? &web : &shop, MINUTE_S + 60 * i, "custom.a", 1);
    /* The last of them were put this moment; none is left behind. */
    assert_int_equal(delivery_drain(delivery, 60000), 0);
    delivery_free(delivery);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 0);
    assert_int_equal(rig_books(outbox).delivered, 100);
    assert_int_equal(outbox_committed_lsn(outbox), 100);
    outbox_free(outbox);
    fclose(preview);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_found_is_posted_to_without_asking),
        cmocka_unit_test(a_host_that_is_gone_is_sought_again),
        cmocka_unit_test(hosts_are_verified_when_it_was_due_anyway),
        cmocka_unit_test(who_writes_native_metrics_is_known_at_once),
        cmocka_unit_test(a_drained_delivery_leaves_an_empty_file),
    };
    int failed;

    log_set_level(LOG_ERROR);
    failed = cmocka_run_group_tests_name("restart", tests, NULL, NULL);
    rig_clean_up();
    return failed;
}
