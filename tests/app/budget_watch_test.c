#include "app/budget_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t NS_PER_S = 1000000000;

static void what_rises_is_said_once_in_ten_minutes(void **state)
{
    struct budget_watch watch = {0};
    struct pipeline_budget_use use = {0};
    struct pipeline_counts counts = {0};
    struct point_ledger ledger = {0};

    (void)state;
    assert_int_equal(budget_watch_look(&watch, &use, &counts, &ledger, 1), 0);
    use.near_count = 1;
    counts.collapsed = 5;
    assert_int_equal(budget_watch_look(&watch, &use, &counts, &ledger, 2 * NS_PER_S),
                     1 << BUDGET_NEAR | 1 << BUDGET_COLLAPSED);
    counts.collapsed = 6;
    ledger.reasons[REASON_OVER_BUDGET].count = 1;
    assert_int_equal(budget_watch_look(&watch, &use, &counts, &ledger, 3 * NS_PER_S),
                     1 << BUDGET_OVER);
    counts.collapsed = 7;
    ledger.reasons[REASON_NAME_COLLISION].count = 2;
    assert_int_equal(budget_watch_look(&watch, &use, &counts, &ledger, 603 * NS_PER_S),
                     1 << BUDGET_COLLAPSED | 1 << BUDGET_COLLISION);
    assert_int_equal(budget_watch_look(&watch, &use, &counts, &ledger, 9999 * NS_PER_S),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rises_is_said_once_in_ten_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
