#include "base/journal.h"

#include "base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    THREADS = 4,
    RECORDS = 20000
};

static const uint64_t FOREVER_NS = UINT64_C(60) * 1000000000;

static void append_tick(struct journal *journal, uint64_t receive_ns)
{
    struct journal_record record = {.kind = JOURNAL_TICK, .receive_ns = receive_ns};

    journal_append(journal, &record, NULL, NULL);
}

static void records_come_back_in_order_with_all_they_had(void **state)
{
    (void)state;
    struct journal *journal = journal_new_memory();
    int request = 0;
    struct journal_record in = {.kind = JOURNAL_REQUEST,
                                .receive_ns = 7,
                                .media_type = 1,
                                .coding = 2,
                                .body = SLICE("body"),
                                .context = &request};
    struct journal_record out;

    journal_append(journal, &in, NULL, NULL);
    for (uint64_t i = 2; i <= 1000; i++)
        append_tick(journal, i * 10);
    assert_true(journal_next(journal, &out));
    assert_int_equal(out.lsn, 1);
    assert_int_equal(out.kind, JOURNAL_REQUEST);
    assert_int_equal(out.receive_ns, 7);
    assert_int_equal(out.media_type, 1);
    assert_int_equal(out.coding, 2);
    assert_true(slice_is(out.body, "body"));
    assert_ptr_equal(out.context, &request);
    for (uint64_t i = 2; i <= 1000; i++) {
        assert_true(journal_next(journal, &out));
        assert_int_equal(out.lsn, i);
        assert_int_equal(out.receive_ns, i * 10);
    }
    assert_false(journal_next(journal, &out));
    journal_free(journal);
}

static void forgetting_makes_room_and_keeps_what_is_unread(void **state)
{
    (void)state;
    struct journal *journal = journal_new_memory();
    struct journal_record out;

    for (uint64_t i = 1; i <= 10000; i++) {
        append_tick(journal, i);
        append_tick(journal, i);
        assert_true(journal_next(journal, &out));
        assert_int_equal(out.lsn, i);
        journal_forget(journal, UINT64_MAX);
    }
    for (uint64_t i = 10001; i <= 20000; i++) {
        assert_true(journal_next(journal, &out));
        assert_int_equal(out.lsn, i);
    }
    assert_false(journal_next(journal, &out));
    journal_free(journal);
}

static void note_kind(void *self, enum error_kind kind)
{
    *(enum error_kind *)self = kind;
}

static void the_sender_is_told_on_its_own_thread(void **state)
{
    (void)state;
    struct journal *journal = journal_new_memory();
    struct journal_record record = {.kind = JOURNAL_REQUEST};
    enum error_kind told = ERROR_INTERNAL;

    journal_append(journal, &record, note_kind, &told);
    assert_int_equal(told, ERROR_NONE);
    journal_free(journal);
}

static void waiting_ends_at_its_time(void **state)
{
    (void)state;
    struct journal *journal = journal_new_memory();
    uint64_t until_ns = clock_now_ns() + 20000000;

    journal_wait(journal, until_ns);
    assert_true(clock_now_ns() >= until_ns);
    journal_free(journal);
}

static void waiting_ends_at_once_when_there_is_a_record_or_a_wake(void **state)
{
    (void)state;
    struct journal *journal = journal_new_memory();
    struct journal_record record;
    uint64_t start_ns = clock_now_ns();

    append_tick(journal, 1);
    journal_wait(journal, start_ns + FOREVER_NS);
    assert_true(journal_next(journal, &record));
    journal_wake(journal);
    journal_wait(journal, UINT64_MAX);
    assert_true(clock_now_ns() < start_ns + FOREVER_NS);
    journal_free(journal);
}

struct appender {
    pthread_t thread;
    struct journal *journal;
    uint64_t id;
};

static void *append_many(void *self)
{
    struct appender *appender = self;

    for (uint64_t i = 0; i < RECORDS; i++)
        append_tick(appender->journal, appender->id << 32 | i);
    return NULL;
}

/* Each thread's records keep their order, LSNs are consecutive, and none is lost. */
static void many_threads_append_while_one_reads(void **state)
{
    (void)state;
    struct journal *journal = journal_new_memory();
    struct appender appenders[THREADS];
    uint64_t expected[THREADS] = {0}, lsn = 0;
    struct journal_record record;

    for (uint64_t i = 0; i < THREADS; i++) {
        appenders[i] = (struct appender){.journal = journal, .id = i};
        assert_int_equal(
            pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
    }
    while (lsn < (uint64_t)THREADS * RECORDS) {
        journal_wait(journal, clock_now_ns() + FOREVER_NS);
        while (journal_next(journal, &record)) {
            assert_int_equal(record.lsn, ++lsn);
            assert_int_equal(record.receive_ns & UINT32_MAX,
                             expected[record.receive_ns >> 32]++);
            journal_forget(journal, lsn);
        }
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(appenders[i].thread, NULL);
    journal_free(journal);
    journal_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_order_with_all_they_had),
        cmocka_unit_test(forgetting_makes_room_and_keeps_what_is_unread),
        cmocka_unit_test(the_sender_is_told_on_its_own_thread),
        cmocka_unit_test(waiting_ends_at_its_time),
        cmocka_unit_test(waiting_ends_at_once_when_there_is_a_record_or_a_wake),
        cmocka_unit_test(many_threads_append_while_one_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
