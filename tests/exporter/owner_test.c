#include "exporter/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static bool claim(struct owner_table *table, const char *host, const char *name,
                  uint64_t who, uint64_t minute_s)
{
    return owner_claim(table, slice_of(host), slice_of(name), who, minute_s);
}

static void the_first_identity_owns_a_name(void **state)
{
    struct owner_table table = {0};

    (void)state;
    assert_true(claim(&table, "h1", "loadavg5", 1, 60000));
    assert_false(claim(&table, "h1", "loadavg5", 2, 60000));
    assert_true(claim(&table, "h1", "loadavg5", 1, 60060));
    assert_true(claim(&table, "h1", "loadavg1", 2, 60000));
    assert_true(claim(&table, "h2", "loadavg5", 2, 60000));
    owner_table_release(&table);
}

static void a_silent_owner_loses_the_name_after_ten_minutes(void **state)
{
    struct owner_table table = {0};

    (void)state;
    assert_true(claim(&table, "h1", "loadavg5", 1, 60000));
    assert_false(claim(&table, "h1", "loadavg5", 2, 60540));
    assert_true(claim(&table, "h1", "loadavg5", 2, 60600));
    assert_false(claim(&table, "h1", "loadavg5", 1, 60660));
    owner_table_release(&table);
}

static void late_minutes_do_not_shorten_ownership(void **state)
{
    struct owner_table table = {0};

    (void)state;
    assert_true(claim(&table, "h1", "loadavg5", 1, 60000));
    assert_true(claim(&table, "h1", "loadavg5", 1, 54000));
    assert_false(claim(&table, "h1", "loadavg5", 2, 60060));
    owner_table_release(&table);
}

static void pruning_forgets_only_the_silent(void **state)
{
    struct owner_table table = {0};
    char name[16];

    (void)state;
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof(name), "m%d", i);
        assert_true(claim(&table, "h1", name, 1, i % 2 ? 60000 : 30000));
    }
    owner_prune(&table, 50000);
    assert_int_equal(table.count, 250);
    assert_true(claim(&table, "h1", "m0", 2, 30060));
    assert_false(claim(&table, "h1", "m1", 2, 60060));
    owner_table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_identity_owns_a_name),
        cmocka_unit_test(a_silent_owner_loses_the_name_after_ten_minutes),
        cmocka_unit_test(late_minutes_do_not_shorten_ownership),
        cmocka_unit_test(pruning_forgets_only_the_silent),
    };

    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
