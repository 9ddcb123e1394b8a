#include "base/ledger.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_name(const char *name)
{
    assert_non_null(name);
    assert_true(islower((unsigned char)name[0]));
    for (const char *at = name; *at; at++)
        assert_true(islower((unsigned char)*at) || *at == '_');
}

static void check_help(const char *help)
{
    assert_non_null(help);
    assert_in_range(strlen(help), 10, 200);
    assert_int_equal(help[strlen(help) - 1], '.');
    assert_null(strchr(help, '\n'));
}

static void every_reason_has_its_own_name_and_one_line_of_help(void **state)
{
    (void)state;
    for (int i = 0; i <= REASON_LAST; i++) {
        check_name(reason_name((enum reason)i));
        check_help(reason_help((enum reason)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(reason_name((enum reason)i),
                                    reason_name((enum reason)j));
    }
    for (int i = 0; i <= WITHHELD_LAST; i++) {
        check_name(withheld_name((enum withheld)i));
        check_help(withheld_help((enum withheld)i));
    }
}

static void a_baseline_is_skipped_and_a_late_point_is_lost(void **state)
{
    (void)state;
    assert_int_equal(reason_class(REASON_BASELINE), LEDGER_SKIPPED);
    assert_int_equal(reason_class(REASON_REPEAT), LEDGER_SKIPPED);
    assert_int_equal(reason_class(REASON_LATE), LEDGER_DROPPED);
    assert_int_equal(reason_class(REASON_BAD_SUMMARY), LEDGER_DROPPED);
    assert_string_equal(reason_name(REASON_OUT_OF_ORDER), "out_of_order");
}

static void points_balance_when_every_one_is_somewhere(void **state)
{
    (void)state;
    struct point_ledger ledger = {.received = 10, .merged = 4, .pending = 1};

    ledger.reasons[REASON_BASELINE].count = 2;
    ledger.reasons[REASON_LATE].count = 3;
    assert_int_equal(point_ledger_total(&ledger, LEDGER_SKIPPED), 2);
    assert_int_equal(point_ledger_total(&ledger, LEDGER_DROPPED), 3);
    assert_true(point_ledger_balances(&ledger));
    ledger.pending--;
    assert_false(point_ledger_balances(&ledger));
}

static void values_balance_when_every_one_is_somewhere(void **state)
{
    (void)state;
    struct value_ledger ledger = {.closed = 21,
                                  .delivered = 1,
                                  .replaced = 2,
                                  .expired = 3,
                                  .rejected = 4,
                                  .queued = 5};

    ledger.withheld[WITHHELD_HOST_UNKNOWN].count = 6;
    assert_true(value_ledger_balances(&ledger));
    ledger.delivered++;
    assert_false(value_ledger_balances(&ledger));
}

static void an_example_is_wanted_at_first_and_then_once_a_second(void **state)
{
    (void)state;
    struct ledger_reason reason = {0};
    const uint64_t second = 1000000000;

    assert_true(ledger_wants_example(&reason, 5 * second));
    ledger_keep_example(&reason, 5 * second, slice_of("a"));
    assert_string_equal(reason.example, "a");
    assert_false(ledger_wants_example(&reason, 6 * second - 1));
    assert_true(ledger_wants_example(&reason, 6 * second));
}

static void an_example_is_one_printable_line_that_fits(void **state)
{
    (void)state;
    struct ledger_reason reason = {0};
    char text[2 * LEDGER_EXAMPLE_MAX];

    ledger_keep_example(&reason, 1, (struct slice){"a\nb\0c\x7F\x1B[31m", 11});
    assert_string_equal(reason.example, "a?b?c??[31m");
    memset(text, 'x', sizeof(text));
    ledger_keep_example(&reason, 1, (struct slice){text, sizeof(text)});
    assert_int_equal(strlen(reason.example), LEDGER_EXAMPLE_MAX - 1);
}

static void an_example_is_not_cut_inside_a_character(void **state)
{
    (void)state;
    struct ledger_reason reason = {0};
    char text[LEDGER_EXAMPLE_MAX + 1];

    /* Two-byte characters at even offsets: the 255 bytes that fit end inside one. */
    for (size_t i = 0; i < LEDGER_EXAMPLE_MAX; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    ledger_keep_example(&reason, 1, (struct slice){text, LEDGER_EXAMPLE_MAX});
    assert_int_equal(strlen(reason.example), LEDGER_EXAMPLE_MAX - 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_its_own_name_and_one_line_of_help),
        cmocka_unit_test(a_baseline_is_skipped_and_a_late_point_is_lost),
        cmocka_unit_test(points_balance_when_every_one_is_somewhere),
        cmocka_unit_test(values_balance_when_every_one_is_somewhere),
        cmocka_unit_test(an_example_is_wanted_at_first_and_then_once_a_second),
        cmocka_unit_test(an_example_is_one_printable_line_that_fits),
        cmocka_unit_test(an_example_is_not_cut_inside_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
