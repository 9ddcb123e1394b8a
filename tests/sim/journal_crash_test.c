/*
 * The journal on the simulated disk, one fault after the other: what a random world meets once in a few
 * hundred seeds.
 */
#include "base/journal.h"
#include "tests/sim/fake_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct journal *open_journal(struct fake_disk *fake)
{
    struct journal *journal = journal_open(
        &(struct journal_options){
            .disk = fake_disk_handle(fake),
            .durability = JOURNAL_FSYNC,
            .max_bytes = 1 << 20,
            .is_manual = true,
        },
        NULL);

    assert_non_null(journal);
    return journal;
}

static void note(void *self, enum error_kind kind)
{
    *(enum error_kind *)self = kind;
}

/* ERROR_TIMEOUT: it was not answered. */
static enum error_kind append(struct journal *journal, const char *text)
{
    static enum error_kind kind;
    struct journal_record record = {.kind = JOURNAL_REQUEST, .body = slice_of(text)};

    kind = ERROR_TIMEOUT;
    journal_append(journal, &record, note, &kind);
    journal_flush(journal);
    return kind;
}

static bool holds(struct journal *journal, const char *text)
{
    struct journal_record record;
    bool found = false;

    while (journal_next(journal, &record))
        found |= slice_is(record.body, text);
    return found;
}

/* A kill in the call after the one that failed: no next segment says that the record is void. */
static struct journal *die_in_a_failed_sync(struct fake_disk *fake,
                                            struct journal *journal)
{
    fake_disk_fail_at(fake, 2); /* the write, the sync */
    fake_disk_kill_at(fake, 3);
    append(journal, "doubtful");
    fake_disk_kill(fake);
    journal_free(journal);
    fake_disk_revive(fake);
    return open_journal(fake);
}

/* What the reader was given after a kill is still there when the machine has gone as well. */
static void record_that_a_failed_sync_left_lasts_once_it_was_given(void **state)
{
    unsigned given = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct fake_disk *fake = fake_disk_new(&(struct fake_disk_options){
            .seed = seed, .capacity = 16 << 20, .survives_in_part = true});
        struct journal *journal = open_journal(fake);
        bool was_given;

        assert_int_equal(append(journal, "first"), ERROR_NONE);
        journal = die_in_a_failed_sync(fake, journal);
        was_given = holds(journal, "doubtful");
        assert_int_equal(append(journal, "last"), ERROR_NONE);
        fake_disk_kill(fake);
        journal_free(journal);
        fake_disk_crash(fake);
        fake_disk_revive(fake);
        journal = open_journal(fake);
        assert_int_equal(holds(journal, "doubtful"), was_given);
        given += was_given;
        journal_free(journal);
        fake_disk_free(fake);
    }
    assert_true(given > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_that_a_failed_sync_left_lasts_once_it_was_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
