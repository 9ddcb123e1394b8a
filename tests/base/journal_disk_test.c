/* The journal on a good disk: what it promises, and how much room it takes. */
#include "base/clock.h"
#include "base/memory.h"
#include "tests/base/journal_kit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    THREADS = 4,
    RECORDS = 2000,
    SEGMENT = 16384 /* ten requests of 1,000 bytes; see journal_damage_test.c */
};

static const uint64_t FOREVER_NS = UINT64_C(60) * 1000000000;

static enum error_kind request(struct journal *journal, uint64_t number)
{
    return journal_kit_append(journal, JOURNAL_REQUEST, number, 1000);
}

static enum error_kind tick(struct journal *journal, uint64_t number)
{
    return journal_kit_append(journal, JOURNAL_TICK, number, 0);
}

/* Reads the requests from..to, which have their numbers as LSNs, and no more. */
static void assert_reads(struct journal *journal, uint64_t from, uint64_t to)
{
    struct journal_record record;

    for (uint64_t i = from; i <= to; i++) {
        assert_true(journal_next(journal, &record));
        assert_int_equal(record.body.len, 1000);
        journal_kit_check(&record, i, i);
    }
    assert_false(journal_next(journal, &record));
}

static void append_requests(struct journal *journal, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i <= to; i++)
        assert_int_equal(request(journal, i), ERROR_NONE);
}

/* ---- records ----------------------------------------------------------------------------- */

static void a_record_comes_back_with_all_it_had(void **state)
{
    struct journal *journal = journal_kit_open(*state);
    int context = 0;
    struct journal_record out, in = {.kind = JOURNAL_REQUEST,
                                     .receive_ns = 7,
                                     .media_type = 1,
                                     .coding = 2,
                                     .body = SLICE("body"),
                                     .context = &context};

    journal_append(journal, &in, NULL, NULL);
    assert_true(journal_next(journal, &out));
    assert_ptr_equal(out.context, &context);
    assert_ptr_equal(out.body.ptr, in.body.ptr);
    journal = journal_kit_open(*state);
    assert_true(journal_next(journal, &out));
    assert_int_equal(out.lsn, 1);
    assert_int_equal(out.kind, JOURNAL_REQUEST);
    assert_int_equal(out.receive_ns, 7);
    assert_int_equal(out.media_type, 1);
    assert_int_equal(out.coding, 2);
    assert_true(slice_is(out.body, "body"));
    assert_null(out.context);
    assert_false(journal_next(journal, &out));
}

static void a_body_without_a_context_is_copied(void **state)
{
    char text[] = "options of the pipeline";
    struct journal_record out, in = {.kind = JOURNAL_CONFIG, .body = slice_of(text)};
    struct journal *journals[] = {journal_kit_open(*state), journal_new_memory()};

    for (int i = 0; i < 2; i++) {
        memset(text, 'o', 7);
        journal_append(journals[i], &in, NULL, NULL);
        memset(text, 'x', 7);
        assert_true(journal_next(journals[i], &out));
        assert_int_equal(out.kind, JOURNAL_CONFIG);
        assert_true(slice_is(out.body, "ooooooo of the pipeline"));
    }
    journal_free(journals[1]);
}

static void records_of_many_segments_come_back_in_order(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 100);
    assert_reads(journal, 1, 100);
    journal = journal_kit_open(kit);
    assert_reads(journal, 1, 100);

    struct journal_stats stats = journal_kit_stats(journal);

    /* Ten of ten, and one that is new. */
    assert_int_equal(stats.segments, 11);
    assert_int_equal(stats.replayed, 100);
    assert_int_equal(stats.first_lsn, 1);
    assert_int_equal(stats.last_lsn, 100);
    assert_int_equal(stats.appended, 0);
    assert_int_equal(stats.lost_records + stats.bad_files + stats.torn_bytes, 0);
    append_requests(journal, 101, 101);
    assert_reads(journal, 101, 101);
    assert_int_equal(journal_kit_stats(journal).appended_bytes, 1000);
}

static void reading_begins_behind_the_checkpoint(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 35);
    for (kit->options.after_lsn = 0; kit->options.after_lsn <= 35;
         kit->options.after_lsn++) {
        journal = journal_kit_open(kit);
        assert_reads(journal, kit->options.after_lsn + 1, 35);
        assert_int_equal(journal_kit_stats(journal).lost_records, 0);
    }
}

static void new_records_are_above_all_that_others_know(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_open(kit);
    struct journal_record record;

    append_requests(journal, 1, 3);
    kit->options.after_lsn = 7;
    kit->options.known_lsn = 9;
    journal = journal_kit_open(kit);
    assert_false(journal_next(journal, &record));
    /* The checkpoint has what was up to 7; what was behind it is gone. */
    assert_int_equal(journal_kit_stats(journal).lost_records, 2);
    assert_int_equal(request(journal, 100), ERROR_NONE);
    assert_true(journal_next(journal, &record));
    journal_kit_check(&record, 100, 10);
    journal = journal_kit_open(kit);
    assert_true(journal_next(journal, &record));
    journal_kit_check(&record, 100, 10);
    assert_int_equal(journal_kit_stats(journal).lost_records, 0);
}

static void starting_often_takes_neither_room_nor_numbers(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = NULL;

    for (int i = 0; i < 20; i++)
        journal = journal_kit_open(kit);
    assert_true(scratch_count(&kit->scratch, "") <= 4);
    append_requests(journal, 1, 1);
    for (int i = 0; i < 20; i++)
        journal = journal_kit_open(kit);
    assert_reads(journal, 1, 1);
    append_requests(journal, 2, 2);
    assert_reads(journal, 2, 2);
    assert_true(journal_kit_stats(journal).bytes <= 3 * kit->options.segment_bytes);
}

static void waiting_ends_at_once_while_there_is_something_to_read(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = journal_kit_open(kit);
    uint64_t start_ns = clock_now_ns();

    append_requests(journal, 1, 1);
    journal_wait(journal, start_ns + FOREVER_NS);
    journal = journal_kit_open(kit);
    journal_wait(journal, start_ns + FOREVER_NS);
    assert_reads(journal, 1, 1);
    journal_wake(journal);
    journal_wait(journal, start_ns + FOREVER_NS);
    assert_true(clock_now_ns() < start_ns + FOREVER_NS);
}

/* ---- room -------------------------------------------------------------------------------- */

static void what_is_unread_is_not_forgotten(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 30);
    journal_forget(journal, UINT64_MAX);
    assert_reads(journal, 1, 30);
    journal = journal_kit_open(kit);
    journal_forget(journal, 30);
    assert_reads(journal, 1, 30);
}

static void forgotten_files_are_used_again(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    kit->options.max_bytes = 6 * SEGMENT;
    journal = journal_kit_open(kit);
    for (uint64_t i = 1; i <= 1000; i++) {
        append_requests(journal, i, i);
        assert_reads(journal, i, i);
        journal_forget(journal, i);
    }
    /* The one that is written, and the one before. */
    assert_int_equal(scratch_count(&kit->scratch, ".log"), 1);
    assert_int_equal(scratch_count(&kit->scratch, ".spare"), 1);
    assert_int_equal(scratch_count(&kit->scratch, ""), 2 + 2); /* . and .. */

    struct journal_stats stats = journal_kit_stats(journal);

    assert_int_equal(stats.segments, 1);
    assert_int_equal(stats.bytes, SEGMENT);
    assert_int_equal(stats.first_lsn, 991);
    assert_int_equal(stats.last_lsn, 1000);
    assert_int_equal(stats.refused, 0);
    /* What the files had before is not taken for records. */
    kit->options.after_lsn = 995;
    journal = journal_kit_open(kit);
    assert_reads(journal, 996, 1000);
    stats = journal_kit_stats(journal);
    assert_int_equal(stats.bad_files + stats.lost_records + stats.torn_bytes, 0);
}

static void spares_are_few_when_little_comes(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 100);
    assert_reads(journal, 1, 100);
    /* As many as were filled since the last time, for the next such flood. */
    journal_forget(journal, 100);
    assert_int_equal(scratch_count(&kit->scratch, ".spare"), 9);
    append_requests(journal, 101, 110);
    assert_reads(journal, 101, 110);
    journal_forget(journal, 110);
    assert_int_equal(scratch_count(&kit->scratch, ".spare"), 2);
    assert_int_equal(scratch_count(&kit->scratch, ".log"), 1);
}

static void a_full_journal_takes_ticks_until_there_is_room(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;
    struct journal_record record;
    struct journal_stats stats;

    kit->options.segment_bytes = SEGMENT;
    kit->options.max_bytes = 3 * SEGMENT;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 30);
    assert_int_equal(request(journal, 31), ERROR_BUSY);
    stats = journal_kit_stats(journal);
    assert_true(stats.is_refusing);
    assert_int_equal(stats.refused, 1);
    assert_int_equal(stats.bytes, 3 * SEGMENT);
    assert_int_equal(stats.max_bytes, 3 * SEGMENT);
    assert_non_null(strstr(stats.last_error, "full"));
    /* The reserve of 1,024 bytes and what ten requests leave, 784, have room for 37 ticks of 48. */
    for (uint64_t i = 31; i <= 67; i++)
        assert_int_equal(tick(journal, i), ERROR_NONE);
    assert_int_equal(tick(journal, 68), ERROR_BUSY);
    for (uint64_t i = 1; i <= 67; i++) {
        assert_true(journal_next(journal, &record));
        journal_kit_check(&record, i, i);
    }
    assert_false(journal_next(journal, &record));
    journal_forget(journal, 9);
    assert_int_equal(request(journal, 68), ERROR_BUSY);
    journal_forget(journal, 10);
    assert_int_equal(request(journal, 68), ERROR_NONE);
    assert_reads(journal, 68, 68);
    stats = journal_kit_stats(journal);
    assert_false(stats.is_refusing);
    assert_int_equal(stats.refused, 3);
}

static void a_long_record_gets_a_segment_of_its_own_size(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = NULL;
    struct journal_record record;

    kit->options.segment_bytes = SEGMENT;
    kit->options.max_bytes = 20 * SEGMENT;
    for (uint64_t first = 1; first <= 2; first++) {
        journal = journal_kit_open(kit);
        while (journal_next(journal, &record))
            continue;
        if (first == 2)
            assert_int_equal(tick(journal, 2), ERROR_NONE);
        assert_int_equal(
            journal_kit_append(journal, JOURNAL_REQUEST, 3 * first - 2, 100000),
            ERROR_NONE);
        assert_int_equal(journal_kit_append(journal, JOURNAL_REQUEST, 500, 20 * SEGMENT),
                         ERROR_TOO_LARGE);
    }
    assert_int_equal(tick(journal, 4), ERROR_NONE);
    journal = journal_kit_open(kit);
    assert_true(journal_next(journal, &record));
    assert_int_equal(record.body.len, 100000);
    journal_kit_check(&record, 1, 1);
    assert_true(journal_next(journal, &record));
    journal_kit_check(&record, 2, 2);
    assert_true(journal_next(journal, &record));
    assert_int_equal(record.body.len, 100000);
    journal_kit_check(&record, 4, 3);
    assert_true(journal_next(journal, &record));
    journal_kit_check(&record, 4, 4);
    assert_false(journal_next(journal, &record));
}

static void a_record_of_more_than_half_the_budget_is_refused_for_good(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;
    /* Beside the body: 4,096 of the segment's header, 1,024 of reserve, 48 of its own. */
    const size_t most = 10 * SEGMENT - 4096 - 1024 - 48;

    kit->options.segment_bytes = SEGMENT;
    kit->options.max_bytes = 20 * SEGMENT;
    journal = journal_kit_open(kit);
    assert_int_equal(journal_kit_append(journal, JOURNAL_REQUEST, 1, most + 1),
                     ERROR_TOO_LARGE);
    assert_int_equal(journal_kit_stats(journal).refused, 1);
    assert_false(journal_kit_stats(journal).is_refusing);
    /* Any number of the others have room once what was before is forgotten. */
    for (uint64_t number = 1; number <= 4; number++) {
        struct journal_record record;

        assert_int_equal(journal_kit_append(journal, JOURNAL_REQUEST, number, most),
                         ERROR_NONE);
        assert_true(journal_next(journal, &record));
        journal_forget(journal, record.lsn);
    }
}

/* ---- what is removed behind our back ------------------------------------------------------- */

static void a_directory_that_was_removed_takes_ticks_and_no_requests(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;
    char away[300];

    kit->options.is_manual = true; /* looks every time */
    journal = journal_kit_open(kit);
    snprintf(away, sizeof(away), "%s.away", kit->scratch.path);
    append_requests(journal, 1, 1);
    assert_int_equal(rename(kit->scratch.path, away), 0);
    assert_int_equal(request(journal, 2), ERROR_BUSY);
    assert_true(strstr(journal_kit_stats(journal).last_error, kit->scratch.path));
    assert_true(journal_kit_stats(journal).is_refusing);
    assert_int_equal(tick(journal, 2), ERROR_NONE);
    /* Another one in its place is not ours. */
    assert_int_equal(mkdir(kit->scratch.path, 0700), 0);
    assert_int_equal(request(journal, 3), ERROR_BUSY);
    assert_int_equal(rmdir(kit->scratch.path), 0);
    assert_int_equal(rename(away, kit->scratch.path), 0);
    assert_int_equal(request(journal, 3), ERROR_NONE);
    assert_false(journal_kit_stats(journal).is_refusing);
}

static void a_segment_that_was_removed_is_left_for_a_new_one(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;
    char path[512];

    kit->options.is_manual = true;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 1);
    assert_int_equal(unlink(scratch_path(&kit->scratch, "journal-0000000000000001.log",
                                         path, sizeof(path))),
                     0);
    assert_int_equal(request(journal, 2), ERROR_BUSY);
    assert_string_equal(journal_kit_stats(journal).last_error,
                        "journal-0000000000000001.log was removed");
    append_requests(journal, 2, 2);
    assert_reads(journal, 1, 2); /* this process has it all */
    journal = journal_kit_open(kit);
    assert_reads(journal, 2, 2);
    assert_int_equal(journal_kit_stats(journal).lost_records, 1);
}

static void a_smaller_budget_holds_once_there_is_room(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal;

    kit->options.segment_bytes = SEGMENT;
    journal = journal_kit_open(kit);
    append_requests(journal, 1, 100);
    kit->options.max_bytes = 3 * SEGMENT;
    journal = journal_kit_open(kit);
    assert_int_equal(request(journal, 101), ERROR_BUSY);
    assert_reads(journal, 1, 100);
    journal_forget(journal, 100);
    assert_int_equal(request(journal, 101), ERROR_NONE);
    assert_reads(journal, 101, 101);
}

static void unforgotten_records_survive_any_number_of_starts(void **state)
{
    struct journal_kit *kit = *state;
    struct journal *journal = NULL;

    kit->options.segment_bytes = SEGMENT;
    for (uint64_t i = 0; i < 20; i++) {
        journal = journal_kit_open(kit);
        assert_reads(journal, 1, 3 * i);
        append_requests(journal, 3 * i + 1, 3 * i + 3);
        assert_reads(journal, 3 * i + 1, 3 * i + 3);
    }
    /* Each gave back what it did not fill. */
    assert_true(journal_kit_stats(journal).bytes <= 20 * (4096 + 3 * 1048) + SEGMENT);
}

/* ---- syncing ----------------------------------------------------------------------------- */

static void note_kind(void *self, enum error_kind kind)
{
    *(enum error_kind *)self = kind;
}

static void a_record_counts_when_it_is_synced(void **state)
{
    struct journal_kit *kit = *state;

    enum error_kind told[3] = {ERROR_INTERNAL, ERROR_INTERNAL, ERROR_INTERNAL};
    struct journal_record record = {.kind = JOURNAL_TICK};
    struct journal *journal;

    kit->options.durability = JOURNAL_FSYNC;
    kit->options.is_manual = true;
    journal = journal_kit_open(kit);
    for (int i = 0; i < 3; i++)
        journal_append(journal, &record, note_kind, &told[i]);
    assert_false(journal_next(journal, &record));
    assert_int_equal(told[0], ERROR_INTERNAL);
    journal_flush(journal);
    for (int i = 0; i < 3; i++)
        assert_int_equal(told[i], ERROR_NONE);
    assert_int_equal(journal_kit_stats(journal).syncs, 1);
    journal_flush(journal);
    assert_int_equal(journal_kit_stats(journal).syncs, 1);
    for (uint64_t lsn = 1; lsn <= 3; lsn++) {
        assert_true(journal_next(journal, &record));
        assert_int_equal(record.lsn, lsn);
    }
}

static void closing_syncs_what_waits(void **state)
{
    struct journal_kit *kit = *state;

    for (int i = 0; i < 2; i++) {
        enum error_kind told = ERROR_INTERNAL;
        struct journal_record record = {.kind = JOURNAL_TICK};

        kit->options.durability = JOURNAL_FSYNC;
        kit->options.is_manual = i == 0;
        journal_append(journal_kit_open(kit), &record, note_kind, &told);
        journal_kit_close(kit);
        assert_int_equal(told, ERROR_NONE);
    }
}

struct appender {
    pthread_t thread;
    struct journal *journal;
    uint64_t id;
    atomic_uint_fast64_t told;
};

static void count_told(void *self, enum error_kind kind)
{
    struct appender *appender = self;

    atomic_fetch_add(&appender->told, kind == ERROR_NONE ? 1U : 1000000U);
}

static void *append_many(void *self)
{
    struct appender *appender = self;

    for (uint64_t i = 0; i < RECORDS; i++) {
        struct journal_record record = {
            .kind = JOURNAL_REQUEST,
            .receive_ns = appender->id << 32 | i,
            .body = {(const char *)&i, sizeof(i)},
        };

        journal_append(appender->journal, &record, count_told, appender);
    }
    return NULL;
}

static void many_append_while_one_reads(struct journal *journal)
{
    struct appender appenders[THREADS];
    uint64_t expected[THREADS] = {0}, lsn = 0;
    struct journal_record record;

    for (uint64_t i = 0; i < THREADS; i++) {
        appenders[i].journal = journal;
        appenders[i].id = i;
        atomic_store(&appenders[i].told, 0);
        assert_int_equal(
            pthread_create(&appenders[i].thread, NULL, append_many, &appenders[i]), 0);
    }
    while (lsn < (uint64_t)THREADS * RECORDS) {
        journal_wait(journal, clock_now_ns() + FOREVER_NS);
        while (journal_next(journal, &record)) {
            uint64_t id = record.receive_ns >> 32, number;

            assert_int_equal(record.lsn, ++lsn);
            memcpy(&number, record.body.ptr, sizeof(number));
            assert_int_equal(number, expected[id]++);
            assert_true(atomic_load(&appenders[id].told) > number);
            if (lsn % 100 == 0)
                journal_forget(journal, lsn);
        }
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(appenders[i].thread, NULL);
        assert_int_equal(atomic_load(&appenders[i].told), RECORDS);
    }
}

static void many_threads_append_to_the_process(void **state)
{
    struct journal_kit *kit = *state;

    kit->options.segment_bytes = SEGMENT;
    many_append_while_one_reads(journal_kit_open(kit));
    assert_int_equal(journal_kit_stats(kit->journal).syncs, 0);
}

static void many_threads_share_the_syncs(void **state)
{
    struct journal_kit *kit = *state;
    struct journal_stats stats;

    kit->options.segment_bytes = SEGMENT;
    kit->options.durability = JOURNAL_FSYNC;
    many_append_while_one_reads(journal_kit_open(kit));
    stats = journal_kit_stats(kit->journal);
    assert_in_range(stats.syncs, 1, THREADS * RECORDS);
    assert_int_equal(stats.failed_syncs, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        JOURNAL_KIT_TEST(a_record_comes_back_with_all_it_had),
        JOURNAL_KIT_TEST(a_body_without_a_context_is_copied),
        JOURNAL_KIT_TEST(records_of_many_segments_come_back_in_order),
        JOURNAL_KIT_TEST(reading_begins_behind_the_checkpoint),
        JOURNAL_KIT_TEST(new_records_are_above_all_that_others_know),
        JOURNAL_KIT_TEST(starting_often_takes_neither_room_nor_numbers),
        JOURNAL_KIT_TEST(waiting_ends_at_once_while_there_is_something_to_read),
        JOURNAL_KIT_TEST(what_is_unread_is_not_forgotten),
        JOURNAL_KIT_TEST(forgotten_files_are_used_again),
        JOURNAL_KIT_TEST(spares_are_few_when_little_comes),
        JOURNAL_KIT_TEST(a_full_journal_takes_ticks_until_there_is_room),
        JOURNAL_KIT_TEST(a_long_record_gets_a_segment_of_its_own_size),
        JOURNAL_KIT_TEST(a_record_of_more_than_half_the_budget_is_refused_for_good),
        JOURNAL_KIT_TEST(a_directory_that_was_removed_takes_ticks_and_no_requests),
        JOURNAL_KIT_TEST(a_segment_that_was_removed_is_left_for_a_new_one),
        JOURNAL_KIT_TEST(a_smaller_budget_holds_once_there_is_room),
        JOURNAL_KIT_TEST(unforgotten_records_survive_any_number_of_starts),
        JOURNAL_KIT_TEST(a_record_counts_when_it_is_synced),
        JOURNAL_KIT_TEST(closing_syncs_what_waits),
        JOURNAL_KIT_TEST(many_threads_append_to_the_process),
        JOURNAL_KIT_TEST(many_threads_share_the_syncs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
