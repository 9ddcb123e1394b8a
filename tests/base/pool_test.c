#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void indices_stay_valid_while_the_pool_grows(void **state)
{
    (void)state;
    struct pool pool;

    pool_init(&pool, sizeof(uint64_t));
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t index = pool_take(&pool);

        assert_int_equal(*(uint64_t *)pool_at(&pool, index), 0);
        *(uint64_t *)pool_at(&pool, index) = index * UINT64_C(3) + 1;
    }
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(*(uint64_t *)pool_at(&pool, i), i * UINT64_C(3) + 1);
    assert_int_equal(pool.count, 1000);
    pool_release(&pool);
    assert_int_equal(pool.count, 0);
}

static void given_records_are_used_again_zeroed_and_newest_first(void **state)
{
    (void)state;
    struct pool pool;

    pool_init(&pool, sizeof(uint64_t));
    for (int i = 0; i < 10; i++)
        *(uint64_t *)pool_at(&pool, pool_take(&pool)) = UINT64_MAX;
    pool_give(&pool, 3);
    pool_give(&pool, 7);
    assert_int_equal(pool.count, 8);
    assert_int_equal(pool_take(&pool), 7);
    assert_int_equal(pool_take(&pool), 3);
    assert_int_equal(*(uint64_t *)pool_at(&pool, 3), 0);
    assert_int_equal(pool_take(&pool), 10);
    pool_release(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_stay_valid_while_the_pool_grows),
        cmocka_unit_test(given_records_are_used_again_zeroed_and_newest_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
