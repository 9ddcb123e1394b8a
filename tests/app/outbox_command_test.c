/*
 * The words of `outbox ls|show|retry|drop` against an outbox in memory.
 */
#include "app/outbox_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026-11-24T00:00:00Z */
static const uint64_t MIDNIGHT_S = 1795478400;

struct rig {
    struct outbox *outbox;
    struct buffer text;
};

static int set_up(void **state)
{
    static const struct mackerel_value values[] = {{SLICE("orders.rate"), 1.5, false},
                                                   {SLICE("orders.avg"), 20, false}};
    struct rig *rig = calloc(1, sizeof(*rig));
    struct mackerel_row rows[] = {
        {.destination = {.kind = MACKEREL_SERVICE, .name = SLICE("shop")},
         .minute_s = MIDNIGHT_S,
         .lane = MACKEREL_LIVE,
         .values = values,
         .count = 2},
        {.destination = {.kind = MACKEREL_HOST, .name = SLICE("web-1")},
         .minute_s = MIDNIGHT_S + 60,
         .lane = MACKEREL_BACKFILL,
         .values = values,
         .count = 1},
    };

    rig->outbox = outbox_new(&(struct outbox_options){0});
    outbox_put(rig->outbox, rows, 2, 7);
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    outbox_free(rig->outbox);
    buffer_release(&rig->text);
    free(rig);
    return 0;
}

static bool say(struct rig *rig, const char *command)
{
    bool is_done;

    buffer_reset(&rig->text);
    is_done = outbox_command(rig->outbox, slice_of(command), MIDNIGHT_S + 120,
                             &rig->text);
    buffer_append_char(&rig->text, '\0');
    return is_done;
}

static void assert_says(const struct rig *rig, const char *wanted)
{
    if (!strstr(rig->text.ptr, wanted))
        fail_msg("'%s' is not in:\n%s", wanted, rig->text.ptr);
}

static size_t queued(const struct rig *rig)
{
    struct outbox_counts counts;

    outbox_read_counts(rig->outbox, &counts);
    return counts.values;
}

static void ls_shows_every_row(void **state)
{
    struct rig *rig = *state;

    assert_true(say(rig, "ls"));
    assert_says(rig, "1            2026-11-24T00:00Z  live             2");
    assert_says(rig, "service shop");
    assert_says(rig, "2            2026-11-24T00:01Z  backfill         1");
    assert_says(rig, "web-1");
    assert_says(rig, "2 rows, 3 values");
}

static void show_has_names_and_values(void **state)
{
    struct rig *rig = *state;

    assert_true(say(rig, "show 1 2026-11-24T00:00Z"));
    assert_says(rig, "orders.rate  1.5\n");
    assert_says(rig, "orders.avg  20\n");
    assert_true(say(rig, "show 2 1795478460"));
    assert_false(say(rig, "show 1 2026-11-24T00:09Z"));
    assert_says(rig, "no row of destination 1");
}

static void drop_gives_up_what_is_queued_and_counts_it(void **state)
{
    struct rig *rig = *state;
    struct value_ledger ledger;

    assert_true(say(rig, "drop 1"));
    assert_says(rig, "2 values dropped");
    assert_int_equal(queued(rig), 1);
    outbox_read_ledger(rig->outbox, &ledger);
    assert_int_equal(ledger.withheld[WITHHELD_OPERATOR].count, 2);
    assert_true(value_ledger_balances(&ledger));
}

static void drop_stops_at_the_minute(void **state)
{
    struct rig *rig = *state;

    assert_true(say(rig, "drop all 2026-11-24T00:00Z"));
    assert_int_equal(queued(rig), 1);
    assert_true(say(rig, "drop all"));
    assert_int_equal(queued(rig), 0);
}

static void retry_counts_what_is_queued(void **state)
{
    struct rig *rig = *state;

    assert_true(say(rig, "retry"));
    assert_says(rig, "3 values are queued");
    assert_true(say(rig, "retry 2"));
    assert_says(rig, "1 values are queued");
}

static void what_is_no_command_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "",         "drop",          "drop 9",     "drop -1",       "drop 1 yesterday",
        "drop 1 2", "show 1",        "show x 0",   "retry 1 2",     "ls all",
        "list",     "drop all 60 x", "retry none", "drop 1 0 0 0 0"};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        bool is_done = say(rig, wrong[i]);

        /* Minute 2 is 1970: a command like any other that finds nothing. */
        assert_int_equal(is_done, strcmp(wrong[i], "drop 1 2") == 0);
        assert_int_equal(queued(rig), 3);
        assert_true(rig->text.len > 1);
    }
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_RIG(ls_shows_every_row),
        WITH_RIG(show_has_names_and_values),
        WITH_RIG(drop_gives_up_what_is_queued_and_counts_it),
        WITH_RIG(drop_stops_at_the_minute),
        WITH_RIG(retry_counts_what_is_queued),
        WITH_RIG(what_is_no_command_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
