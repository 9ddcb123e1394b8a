#include "base/clock.h"
#include "base/journal.h"
#include "base/memory.h"
#include "tests/base/scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A state directory of its own for every test, and the options that the test changes. */
struct fixture {
    struct scratch scratch;
    struct disk *disk;
    struct journal_options options;
    struct journal *journal;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(1, sizeof(*fixture));

    scratch_make(&fixture->scratch);
    fixture->disk = disk_open_directory(fixture->scratch.path, NULL);
    assert_non_null(fixture->disk);
    fixture->options = (struct journal_options){
        .disk = fixture->disk,
        .max_bytes = 8 << 20,
        .segment_bytes = 64 << 10,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    journal_free(fixture->journal);
    disk_free_directory(fixture->disk);
    scratch_remove(&fixture->scratch);
    free(fixture);
    return 0;
}

static struct journal *open_journal(struct fixture *fixture)
{
    struct error err = {0};

    journal_free(fixture->journal);
    fixture->journal = journal_open(&fixture->options, &err);
    if (!fixture->journal)
        fail_msg("journal_open: %s", err.text);
    return fixture->journal;
}

static void note_kind(void *self, enum error_kind kind)
{
    *(enum error_kind *)self = kind;
}

static enum error_kind append(struct journal *journal, enum journal_kind kind,
                              uint64_t receive_ns, struct slice body)
{
    struct journal_record record = {.kind = kind, .receive_ns = receive_ns, .body = body};
    enum error_kind told = ERROR_INTERNAL;

    journal_append(journal, &record, note_kind, &told);
    return told;
}

/* Record number i has a body of i bytes, all of them (char)i. */
static enum error_kind append_number(struct journal *journal, uint64_t number)
{
    char *bytes = memory_new(number, 1);

    memset(bytes, (int)(number & 0xff), number);

    enum error_kind told = append(journal, JOURNAL_REQUEST, number,
                                  (struct slice){bytes, number});

    free(bytes);
    return told;
}

static void assert_is_number(const struct journal_record *record, uint64_t number)
{
    assert_int_equal(record->lsn, number);
    assert_int_equal(record->receive_ns, number);
    assert_int_equal(record->body.len, number);
    for (size_t i = 0; i < record->body.len; i++)
        assert_int_equal((unsigned char)record->body.ptr[i], number & 0xff);
}

static struct journal_stats stats_of(struct journal *journal)
{
    struct journal_stats stats;

    journal_read_stats(journal, &stats);
    return stats;
}

static void a_record_comes_back_with_all_it_had(void **state)
{
    struct fixture *fixture = *state;
    struct journal *journal = open_journal(fixture);
    int request = 0;
    struct journal_record out, in = {.kind = JOURNAL_REQUEST,
                                     .receive_ns = 7,
                                     .media_type = 1,
                                     .coding = 2,
                                     .body = SLICE("body"),
                                     .context = &request};

    journal_append(journal, &in, NULL, NULL);
    assert_true(journal_next(journal, &out));
    assert_ptr_equal(out.context, &request);
    assert_ptr_equal(out.body.ptr, in.body.ptr);
    journal = open_journal(fixture);
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

static void records_of_many_segments_come_back_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct journal *journal = open_journal(fixture);
    struct journal_record record;

    for (uint64_t i = 1; i <= 1000; i++)
        assert_int_equal(append_number(journal, i), ERROR_NONE);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_true(journal_next(journal, &record));
        assert_is_number(&record, i);
    }
    journal = open_journal(fixture);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_true(journal_next(journal, &record));
        assert_is_number(&record, i);
    }
    assert_false(journal_next(journal, &record));

    struct journal_stats stats = stats_of(journal);

    /* 1,000 bodies of 500 bytes on average, in segments of 64 KiB with a reserve of a sixteenth. */
    assert_int_equal(stats.segments, 11);
    assert_int_equal(stats.replayed, 1000);
    assert_int_equal(stats.lost_records + stats.bad_files + stats.torn_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_record_comes_back_with_all_it_had, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(records_of_many_segments_come_back_in_order,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
