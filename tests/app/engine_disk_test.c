/*
 * The engine with a state directory: what it finds there after its predecessor ended, well or not.
 */
#include "app/engine.h"
#include "base/clock.h"
#include "base/memory.h"
#include "tests/base/scratch.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "gauge.h"

static const uint64_t NS_PER_S = 1000000000, MIB = 1 << 20;

/* What a closed minute says, and how far the outbox would be. */
struct outlet {
    pthread_mutex_t lock;
    uint64_t count, minute_s;
    double value;
    atomic_uint_least64_t lsn;
};

static void put(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    struct outlet *outlet = self;

    pthread_mutex_lock(&outlet->lock);
    for (size_t i = 0; i < count; i++) {
        outlet->count += rows[i].count;
        outlet->minute_s = rows[i].minute_s;
        outlet->value = rows[i].values[0].value;
    }
    pthread_mutex_unlock(&outlet->lock);
    atomic_store(&outlet->lsn, tick_lsn);
}

static uint64_t committed_lsn(void *self)
{
    struct outlet *outlet = self;

    return atomic_load(&outlet->lsn);
}

static void pause_replay(void *self)
{
    (void)self;
}

/* A directory, and the engine that uses it. */
struct scene {
    struct scratch scratch;
    struct state *state;
    struct engine *engine;
    struct intake intake;
    struct outlet outlet;
    struct gauge_receipts receipts;
    uint64_t grace_s, journal_max_bytes;
};

static int set_up(void **state)
{
    struct scene *scene = memory_new(1, sizeof(*scene));

    scratch_make(&scene->scratch);
    pthread_mutex_init(&scene->outlet.lock, NULL);
    scene->grace_s = 3600; /* nothing closes */
    scene->journal_max_bytes = 64 * MIB;
    *state = scene;
    return 0;
}

static void start(struct scene *scene)
{
    struct error err = {0};

    scene->state = state_open(&(struct state_options){.directory = scene->scratch.path},
                              &err);
    if (!scene->state)
        fail_msg("%s", err.text);
    scene->engine = engine_new(&(struct engine_options){
        .pipeline = {.grace_ns = scene->grace_s * NS_PER_S,
                     .lateness_ns = 300 * NS_PER_S},
        .max_inflight_bytes = 1 << 20,
        .put = put,
        .state = scene->state,
        .durability = JOURNAL_PROCESS,
        .journal_max_bytes = scene->journal_max_bytes,
        .committed_lsn = committed_lsn,
        .pause = pause_replay,
        .self = &scene->outlet,
    });
    if (!engine_start(scene->engine, &err))
        fail_msg("%s", err.text);
    scene->intake = engine_intake(scene->engine);
}

static void stop(struct scene *scene)
{
    engine_free(scene->engine);
    scene->engine = NULL;
    state_free(scene->state);
    scene->state = NULL;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    stop(scene);
    scratch_remove(&scene->scratch);
    pthread_mutex_destroy(&scene->outlet.lock);
    free(scene);
    return 0;
}

static void send(struct scene *scene, uint64_t time_ns, double value)
{
    const struct intake *intake = &scene->intake;

    intake->submit(intake->self, gauge_request(intake, time_ns, value, &scene->receipts));
}

static struct engine_picture look(struct scene *scene)
{
    struct engine_picture picture;

    engine_read(scene->engine, &picture);
    return picture;
}

static void wait_for_lsn(struct scene *scene, uint64_t lsn)
{
    while (look(scene).lsn < lsn)
        ;
}

static void wait_for_value(struct scene *scene, double value)
{
    bool is_there;

    do {
        pthread_mutex_lock(&scene->outlet.lock);
        is_there = scene->outlet.count && fabs(scene->outlet.value - value) < 1e-12;
        pthread_mutex_unlock(&scene->outlet.lock);
    } while (!is_there);
}

/* Another process lives, sends and dies without a word. */
static void live_and_die(struct scene *scene, uint64_t time_ns)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        start(scene);
        for (int i = 1; i <= 3; i++)
            send(scene, time_ns + (uint64_t)i, i);
        _exit(atomic_load(&scene->receipts.ok) == 3 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* ---- restart ----------------------------------------------------------------------------- */

static void what_was_acknowledged_outlives_the_process(void **state)
{
    struct scene *scene = *state;
    uint64_t now_s = clock_now_ns() / NS_PER_S, over_s = now_s - now_s % 60 - 60;

    scene->grace_s = 1; /* to die before the minute is closed, as a rule */
    live_and_die(scene, over_s * NS_PER_S);
    start(scene);
    assert_in_range(look(scene).recovery.records, 4, 7); /* configuration, three, ticks */
    assert_int_equal(look(scene).ledger.received, 3);
    wait_for_value(scene, 3); /* a gauge's last value */
    assert_int_equal(scene->outlet.minute_s, over_s);
}

static void clean_end_leaves_nothing_to_replay_and_open_minutes_open(void **state)
{
    struct scene *scene = *state;
    uint64_t now_ns = clock_now_ns();

    start(scene);
    send(scene, now_ns - 120 * NS_PER_S, 1); /* over long ago, but within grace */
    send(scene, now_ns, 2);
    stop(scene);
    assert_int_equal(scene->outlet.count, 0);
    start(scene);
    assert_int_equal(look(scene).recovery.records, 0);
    assert_int_equal(look(scene).recovery.checkpoint_lsn, 3);
    assert_int_equal(look(scene).ledger.received, 2);
    assert_int_equal(look(scene).ledger.pending, 2);
    send(scene, now_ns + 1, 3);
    wait_for_lsn(scene, 4);
    assert_int_equal(look(scene).ledger.received, 3);
}

static void configuration_is_a_record_where_it_is_another_one(void **state)
{
    struct scene *scene = *state;

    start(scene);
    wait_for_lsn(scene, 1);
    stop(scene);
    start(scene); /* the same */
    send(scene, clock_now_ns(), 1);
    wait_for_lsn(scene, 2);
    assert_int_equal(look(scene).ledger.received, 1);
    stop(scene);
    scene->grace_s = 1800;
    start(scene);
    wait_for_lsn(scene, 3);
    assert_int_equal(look(scene).ledger.received, 1);
    send(scene, clock_now_ns(), 1);
    wait_for_lsn(scene, 4);
    assert_int_equal(look(scene).ledger.received, 2);
}

static void checkpoint_that_is_damaged_is_set_aside_and_the_start_goes_on(void **state)
{
    struct scene *scene = *state;
    char path[512];

    start(scene);
    send(scene, clock_now_ns(), 1);
    stop(scene);

    FILE *file = fopen(scratch_path(&scene->scratch, "checkpoint", path, sizeof(path)),
                       "r+b");

    assert_non_null(file);
    fseek(file, 100, SEEK_SET);
    fputc('!', file);
    fclose(file);
    start(scene);
    assert_int_equal(look(scene).recovery.bad_checkpoints, 1);
    assert_int_equal(look(scene).recovery.checkpoint_lsn, 0);
    assert_int_equal(scratch_count(&scene->scratch, ".bad"), 1);
    send(scene, clock_now_ns(), 2);
    assert_int_equal(atomic_load(&scene->receipts.ok), 2);
}

/* ---- refusal ----------------------------------------------------------------------------- */

static void journal_that_refuses_answers_the_sender_and_keeps_nothing(void **state)
{
    struct scene *scene = *state;

    scene->journal_max_bytes = UINT64_C(1) << 60; /* a sixteenth of it is never free */
    start(scene);
    for (int i = 0; i < 3; i++)
        send(scene, clock_now_ns(), 1);
    assert_int_equal(atomic_load(&scene->receipts.refused), 3);
    assert_int_equal(atomic_load(&scene->receipts.ok), 0);
    assert_int_equal(look(scene).refused_journal, 3);
    assert_int_equal(look(scene).inflight_bytes, 0);
    assert_true(look(scene).journal.is_refusing);
    assert_true(*look(scene).journal.last_error);
}

/* ---- the clock --------------------------------------------------------------------------- */

static void time_goes_on_from_the_state_where_the_clock_is_behind(void **state)
{
    struct scene *scene = *state;
    struct error err;
    struct journal_record last = {.kind = JOURNAL_TICK};

    start(scene);
    stop(scene);

    /* A predecessor whose clock was a day ahead. */
    const uint64_t tomorrow_ns = clock_now_ns() + 86400 * NS_PER_S;
    struct disk *disk = disk_open_directory(scene->scratch.path, &err);
    struct journal_options options = {.disk = disk,
                                      .durability = JOURNAL_PROCESS,
                                      .max_bytes = scene->journal_max_bytes,
                                      .after_lsn = 1,
                                      .known_lsn = 1};
    struct journal *journal = journal_open(&options, &err);

    journal_append(
        journal,
        &(struct journal_record){.kind = JOURNAL_TICK, .receive_ns = tomorrow_ns}, NULL,
        NULL);
    journal_free(journal);
    start(scene);
    assert_true(look(scene).recovery.clock_behind_ns > 86000 * NS_PER_S);
    send(scene, clock_now_ns(), 1);
    wait_for_lsn(scene, 3);
    stop(scene);

    options.after_lsn = 0;
    journal = journal_open(&options, &err);
    while (journal_next(journal, &last))
        if (last.kind == JOURNAL_REQUEST)
            assert_in_range(last.receive_ns, tomorrow_ns, tomorrow_ns + 3600 * NS_PER_S);
    assert_int_equal(last.lsn, 3);
    journal_free(journal);
    disk_free_directory(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_acknowledged_outlives_the_process,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            clean_end_leaves_nothing_to_replay_and_open_minutes_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(configuration_is_a_record_where_it_is_another_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            checkpoint_that_is_damaged_is_set_aside_and_the_start_goes_on, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            journal_that_refuses_answers_the_sender_and_keeps_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            time_goes_on_from_the_state_where_the_clock_is_behind, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
