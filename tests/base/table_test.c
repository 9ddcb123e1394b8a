#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct hash128 key(uint64_t low, uint64_t high)
{
    return (struct hash128){low, high};
}

static void an_empty_table_finds_nothing(void **state)
{
    (void)state;
    struct table table = {0};

    assert_int_equal(table_find(&table, key(1, 2)), TABLE_NONE);
    table_prefetch(&table, key(1, 2));
    table_remove(&table, key(1, 2));
    assert_int_equal(table_bytes(&table), 0);
    table_release(&table);
}

static void what_is_inserted_is_found_under_its_whole_hash(void **state)
{
    (void)state;
    struct table table = {0};

    table_insert(&table, key(1, 2), 10);
    table_insert(&table, key(1, 3), 11);
    assert_int_equal(table_find(&table, key(1, 2)), 10);
    assert_int_equal(table_find(&table, key(1, 3)), 11);
    assert_int_equal(table_find(&table, key(1, 4)), TABLE_NONE);
    table_insert(&table, key(1, 2), 12);
    assert_int_equal(table_find(&table, key(1, 2)), 12);
    assert_int_equal(table.count, 2);
    table_release(&table);
}

static void at_most_half_of_the_slots_are_taken(void **state)
{
    (void)state;
    struct table table = {0};

    for (uint32_t i = 0; i < 10000; i++) {
        table_insert(&table, hash_bytes((struct slice){(char *)&i, sizeof(i)}, 0), i);
        assert_true(table.count * 2 <= table.mask + 1);
    }
    for (uint32_t i = 0; i < 10000; i++)
        assert_int_equal(
            table_find(&table, hash_bytes((struct slice){(char *)&i, sizeof(i)}, 0)), i);
    table_release(&table);
}

/*
 * Against a plain array: 64 keys whose low bits collide heavily and wrap around the end, inserted
 * and removed at random; after each step all keys must be where the array says.
 */
static void random_changes_agree_with_an_array(void **state)
{
    (void)state;
    struct table table = {0};
    uint32_t model[64];
    uint64_t random = 88172645463325252u;
    size_t count = 0;

    for (size_t i = 0; i < 64; i++)
        model[i] = TABLE_NONE;
    for (uint32_t step = 0; step < 20000; step++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;

        uint64_t id = random >> 8 & 63;

        count -= model[id] != TABLE_NONE;
        if (random >> 20 & 1) {
            table_insert(&table, key(UINT64_MAX - id % 5, id), step);
            model[id] = step;
            count++;
        } else {
            table_remove(&table, key(UINT64_MAX - id % 5, id));
            model[id] = TABLE_NONE;
        }
        assert_int_equal(table.count, count);
        for (uint64_t i = 0; i < 64; i++)
            assert_int_equal(table_find(&table, key(UINT64_MAX - i % 5, i)), model[i]);
    }
    table_release(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_table_finds_nothing),
        cmocka_unit_test(what_is_inserted_is_found_under_its_whole_hash),
        cmocka_unit_test(at_most_half_of_the_slots_are_taken),
        cmocka_unit_test(random_changes_agree_with_an_array),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
