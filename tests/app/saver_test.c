#include "app/saver.h"

#include "app/checkpoint_file.h"
#include "tests/base/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gauge.h"

static const uint64_t MINUTE_NS = UINT64_C(60000000000);

static atomic_uint_least64_t committed;

static uint64_t read_committed(void *self)
{
    (void)self;
    return atomic_load(&committed);
}

static void ignore(void *self, const struct mackerel_row *rows, size_t count,
                   uint64_t tick_lsn)
{
    (void)self;
    (void)rows;
    (void)count;
    (void)tick_lsn;
}

struct scene {
    struct scratch scratch;
    struct state *state;
    struct journal *journal;
    struct fold *fold;
    struct saver *saver;
    uint64_t replay_ns;
};

static void apply(struct scene *scene, const struct journal_record *record)
{
    struct journal_record next;

    journal_append(scene->journal, record, NULL, NULL);
    assert_true(journal_next(scene->journal, &next));
    fold_apply(scene->fold, &next, NULL);
}

static void tick(struct scene *scene, uint64_t now_ns)
{
    apply(scene, &(struct journal_record){.kind = JOURNAL_TICK, .receive_ns = now_ns});
}

static void start_saver(struct scene *scene, uint64_t interval_ns)
{
    struct error err;

    scene->saver = saver_new(
        &(struct saver_options){
            .state = scene->state,
            .journal = scene->journal,
            .seed = 7,
            .replay_ns = scene->replay_ns,
            .interval_ns = interval_ns,
            .max_journal_bytes = 1000,
            .committed_lsn = read_committed,
        },
        &err);
    assert_non_null(scene->saver);
}

static void set_the_scene(struct scene *scene, uint64_t interval_ns)
{
    struct error err;

    scratch_make(&scene->scratch);
    atomic_store(&committed, 0);
    scene->state = state_open(&(struct state_options){.directory = scene->scratch.path},
                              &err);
    scene->journal = journal_new_memory();
    scene->fold = fold_new(&(struct fold_options){.put = ignore});
    start_saver(scene, interval_ns);
    tick(scene, MINUTE_NS);
}

static void end_the_scene(struct scene *scene)
{
    saver_free(scene->saver);
    fold_free(scene->fold);
    journal_free(scene->journal);
    state_free(scene->state);
    scratch_remove(&scene->scratch);
}

static struct saver_status look(struct scene *scene)
{
    struct saver_status status;

    saver_read(scene->saver, &status);
    return status;
}

/* LSN of the file that a start would find; 0: none. */
static uint64_t saved_lsn(struct scene *scene)
{
    struct checkpoint_head head = {0};
    struct error err;
    struct checkpoint_reader *reader = checkpoint_file_open(state_disk(scene->state),
                                                            &head, &err);

    checkpoint_file_close(reader);
    if (reader)
        assert_int_equal(head.seed, 7);
    return head.lsn;
}

static void checkpoint_is_due_by_bytes(void **state)
{
    struct scene scene = {0};

    (void)state;
    set_the_scene(&scene, UINT64_MAX);
    saver_tend(scene.saver, scene.fold, 999);
    assert_int_equal(look(&scene).write_ns, 0);
    saver_tend(scene.saver, scene.fold, 1000);
    while (look(&scene).saved == 0)
        ;
    assert_int_equal(saved_lsn(&scene), 1);
    saver_tend(scene.saver, scene.fold, 5000); /* nothing new to save */
    tick(&scene, MINUTE_NS);
    saver_tend(scene.saver, scene.fold, 1999);
    assert_int_equal(look(&scene).saved, 1);
    saver_tend(scene.saver, scene.fold, 2000);
    while (look(&scene).saved == 1)
        ;
    assert_int_equal(look(&scene).lsn, 2);
    assert_int_equal(saved_lsn(&scene), 2);
    end_the_scene(&scene);
}

static void checkpoint_is_due_by_time_and_lets_the_journal_forget(void **state)
{
    struct scene scene = {0};
    struct journal_stats journal;

    (void)state;
    set_the_scene(&scene, 0);
    saver_tend(scene.saver, scene.fold, 0);
    while (look(&scene).saved == 0)
        ;
    journal_read_stats(scene.journal, &journal);
    assert_int_equal(journal.first_lsn, 1);
    saver_tend(scene.saver, scene.fold, 0);
    tick(&scene, MINUTE_NS);
    journal_read_stats(scene.journal, &journal);
    assert_int_equal(journal.first_lsn, 2);
    end_the_scene(&scene);
}

/* Or else a process that is killed every minute would replay more each time. */
static void checkpoint_is_due_at_once_after_a_long_replay(void **state)
{
    struct scene scene = {.replay_ns = SAVER_LONG_REPLAY_NS};

    (void)state;
    set_the_scene(&scene, UINT64_MAX);
    saver_tend(scene.saver, scene.fold, 0);
    while (look(&scene).saved == 0)
        ;
    assert_int_equal(saved_lsn(&scene), 1);
    tick(&scene, MINUTE_NS);
    saver_tend(scene.saver, scene.fold, 999);
    saver_free(scene.saver); /* ends what it had begun */
    assert_int_equal(saved_lsn(&scene), 1);
    scene.replay_ns--;
    start_saver(&scene, UINT64_MAX);
    saver_tend(scene.saver, scene.fold, 999);
    assert_int_equal(look(&scene).write_ns, 0);
    end_the_scene(&scene);
}

/* The third record closes a minute: its row must be in the outbox before a checkpoint counts. */
static void checkpoint_waits_for_the_outbox(void **state)
{
    struct scene scene = {0};
    char body[GAUGE_BYTES];

    (void)state;
    set_the_scene(&scene, 0);
    gauge_write(body, MINUTE_NS + 1, 42);
    apply(&scene, &(struct journal_record){.kind = JOURNAL_REQUEST,
                                           .receive_ns = MINUTE_NS + 1,
                                           .body = {body, sizeof(body)}});
    tick(&scene, 2 * MINUTE_NS);
    assert_int_equal(fold_tick_lsn(scene.fold), 3);
    atomic_store(&committed, 2);
    saver_tend(scene.saver, scene.fold, 0);
    saver_free(scene.saver); /* the program ends before the outbox has it */
    assert_int_equal(saved_lsn(&scene), 0);
    start_saver(&scene, 0);
    saver_tend(scene.saver, scene.fold, 0);
    atomic_store(&committed, 3);
    while (look(&scene).saved == 0)
        ;
    assert_int_equal(saved_lsn(&scene), 3);
    end_the_scene(&scene);
}

static void last_checkpoint_holds_everything(void **state)
{
    struct scene scene = {0};

    (void)state;
    set_the_scene(&scene, UINT64_MAX);
    tick(&scene, MINUTE_NS);
    saver_finish(scene.saver, scene.fold);
    assert_int_equal(look(&scene).lsn, 2);
    assert_int_equal(saved_lsn(&scene), 2);
    end_the_scene(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checkpoint_is_due_by_bytes),
        cmocka_unit_test(checkpoint_is_due_by_time_and_lets_the_journal_forget),
        cmocka_unit_test(checkpoint_is_due_at_once_after_a_long_replay),
        cmocka_unit_test(checkpoint_waits_for_the_outbox),
        cmocka_unit_test(last_checkpoint_holds_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
