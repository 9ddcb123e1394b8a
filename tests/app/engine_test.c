#include "app/engine.h"

#include "base/clock.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "gauge.h"

static const uint64_t NS_PER_S = 1000000000;

/* ---- what comes out ------------------------------------------------------------------------- */

struct posts {
    pthread_mutex_t lock;
    uint64_t count, minute_s;
    double value;
};

static void keep(void *self, const struct mackerel_row *rows, size_t count,
                 uint64_t tick_lsn)
{
    struct posts *posts = self;

    (void)tick_lsn;
    pthread_mutex_lock(&posts->lock);
    for (size_t i = 0; i < count; i++) {
        posts->count += rows[i].count;
        posts->minute_s = rows[i].minute_s;
        posts->value = rows[i].values[0].value;
    }
    pthread_mutex_unlock(&posts->lock);
}

static struct engine *start(struct posts *posts)
{
    struct error err;
    struct engine *engine = engine_new(&(struct engine_options){
        .pipeline = {.grace_ns = NS_PER_S / 20, .lateness_ns = 300 * NS_PER_S},
        .max_inflight_bytes = 1 << 20,
        .put = keep,
        .self = posts,
    });

    assert_true(engine_start(engine, &err));
    return engine;
}

static void wait_for_lsn(struct engine *engine, uint64_t lsn)
{
    struct engine_picture picture;

    do {
        engine_read(engine, &picture);
    } while (picture.lsn < lsn);
}

static void accepted_points_are_applied_and_the_books_balance(void **state)
{
    struct posts posts = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct gauge_receipts receipts = {0};
    struct engine *engine = start(&posts);
    struct intake intake = engine_intake(engine);
    struct engine_picture picture;
    uint64_t now_ns = clock_now_ns();

    (void)state;
    for (uint64_t i = 0; i < 100; i++)
        intake.submit(intake.self,
                      gauge_request(&intake, now_ns - i * 1000, (double)i, &receipts));
    assert_int_equal(atomic_load(&receipts.ok), 100);
    wait_for_lsn(engine, 101); /* the configuration is the first record */
    engine_read(engine, &picture);
    assert_int_equal(picture.ledger.received, 100);
    assert_true(point_ledger_balances(&picture.ledger));
    assert_int_equal(picture.inflight_bytes, 0);
    engine_free(engine);
}

static void count_streams(void *self, const struct pipeline *pipeline)
{
    struct pipeline_counts counts;

    pipeline_read_counts(pipeline, &counts);
    *(size_t *)self = counts.streams;
}

static void a_look_into_the_pipeline_sees_what_was_applied(void **state)
{
    struct posts posts = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct gauge_receipts receipts = {0};
    struct engine *engine = start(&posts);
    struct intake intake = engine_intake(engine);
    size_t streams = 7;

    (void)state;
    assert_true(engine_inspect(engine, count_streams, &streams));
    assert_int_equal(streams, 0);
    intake.submit(intake.self, gauge_request(&intake, clock_now_ns(), 1, &receipts));
    wait_for_lsn(engine, 2);
    assert_true(engine_inspect(engine, count_streams, &streams));
    assert_int_equal(streams, 1);
    engine_free(engine);
}

static void an_engine_that_has_not_started_is_not_looked_into(void **state)
{
    struct engine *engine = engine_new(
        &(struct engine_options){.max_inflight_bytes = 1 << 20});
    size_t streams;

    (void)state;
    assert_false(engine_inspect(engine, count_streams, &streams));
    engine_free(engine);
}

static void minute_that_is_over_is_posted_when_the_program_ends(void **state)
{
    struct posts posts = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct gauge_receipts receipts = {0};
    struct engine *engine = start(&posts);
    struct intake intake = engine_intake(engine);
    uint64_t now_s = clock_now_ns() / NS_PER_S, over_s = now_s - now_s % 60 - 60;

    (void)state;
    intake.submit(intake.self,
                  gauge_request(&intake, over_s * NS_PER_S + 5, 42, &receipts));
    intake.submit(intake.self, gauge_request(&intake, now_s * NS_PER_S, 43, &receipts));
    engine_finish(engine);
    assert_true(posts.count >= 1);
    assert_int_equal(posts.minute_s, over_s);
    assert_true(fabs(posts.value - 42) < 1e-12);
    engine_free(engine);
}

static void budget_of_bytes_in_flight_refuses_and_recovers(void **state)
{
    struct posts posts = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct engine *engine = start(&posts);
    struct intake intake = engine_intake(engine);

    (void)state;
    assert_true(intake.reserve(intake.self, 1 << 20));
    assert_false(intake.reserve(intake.self, 1));
    intake.unreserve(intake.self, 1);
    assert_true(intake.reserve(intake.self, 1));
    assert_false(intake.reserve(intake.self, SIZE_MAX));
    intake.unreserve(intake.self, 1 << 20);
    assert_true(intake.accepting(intake.self));
    engine_refuse(engine);
    assert_false(intake.accepting(intake.self));
    engine_free(engine);
}

struct sender {
    struct intake intake;
    struct gauge_receipts *receipts;
};

static void *send_many(void *self)
{
    struct sender *sender = self;

    for (int i = 0; i < 500; i++)
        sender->intake.submit(
            sender->intake.self,
            gauge_request(&sender->intake, clock_now_ns(), i, sender->receipts));
    return NULL;
}

static void senders_on_several_threads_lose_nothing(void **state)
{
    struct posts posts = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct gauge_receipts receipts = {0};
    struct engine *engine = start(&posts);
    struct sender sender = {engine_intake(engine), &receipts};
    struct engine_picture picture;
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_many, &sender), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    engine_finish(engine);
    engine_read(engine, &picture);
    assert_int_equal(atomic_load(&receipts.ok), 2000);
    assert_int_equal(picture.ledger.received, 2000);
    assert_true(point_ledger_balances(&picture.ledger));
    engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_points_are_applied_and_the_books_balance),
        cmocka_unit_test(a_look_into_the_pipeline_sees_what_was_applied),
        cmocka_unit_test(an_engine_that_has_not_started_is_not_looked_into),
        cmocka_unit_test(minute_that_is_over_is_posted_when_the_program_ends),
        cmocka_unit_test(budget_of_bytes_in_flight_refuses_and_recovers),
        cmocka_unit_test(senders_on_several_threads_lose_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
