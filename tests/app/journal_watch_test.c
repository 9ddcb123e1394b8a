#include "app/journal_watch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t NS_PER_S = 1000000000;

static enum journal_news look(struct journal_watch *watch, bool is_refusing,
                              uint64_t refused, uint64_t second)
{
    struct journal_stats stats = {.is_refusing = is_refusing, .refused = refused};

    return journal_watch_look(watch, &stats, second * NS_PER_S);
}

static void refusing_is_said_once_and_its_end_after_ten_calm_seconds(void **state)
{
    struct journal_watch watch = {0};

    (void)state;
    assert_int_equal(look(&watch, false, 0, 1), JOURNAL_NO_NEWS);
    assert_int_equal(look(&watch, true, 1, 2), JOURNAL_REFUSES);
    assert_int_equal(look(&watch, true, 5, 3), JOURNAL_NO_NEWS);
    assert_int_equal(look(&watch, false, 5, 4), JOURNAL_NO_NEWS);
    assert_int_equal(look(&watch, false, 5, 12), JOURNAL_NO_NEWS);
    assert_int_equal(look(&watch, false, 5, 13), JOURNAL_TAKES_AGAIN);
    assert_int_equal(look(&watch, false, 5, 14), JOURNAL_NO_NEWS);
}

static void going_back_and_forth_is_said_once(void **state)
{
    struct journal_watch watch = {0};

    (void)state;
    assert_int_equal(look(&watch, true, 1, 1), JOURNAL_REFUSES);
    for (uint64_t second = 2; second < 40; second++)
        assert_int_equal(look(&watch, second % 5 == 0, 1, second), JOURNAL_NO_NEWS);
}

/* Refused between two looks. */
static void what_was_refused_meanwhile_is_seen_by_its_count(void **state)
{
    struct journal_watch watch = {0};

    (void)state;
    assert_int_equal(look(&watch, false, 3, 1), JOURNAL_REFUSES);
    assert_int_equal(look(&watch, false, 4, 10), JOURNAL_NO_NEWS);
    assert_int_equal(look(&watch, false, 4, 19), JOURNAL_NO_NEWS);
    assert_int_equal(look(&watch, false, 4, 20), JOURNAL_TAKES_AGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refusing_is_said_once_and_its_end_after_ten_calm_seconds),
        cmocka_unit_test(going_back_and_forth_is_said_once),
        cmocka_unit_test(what_was_refused_meanwhile_is_seen_by_its_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
