#include "pipeline/due.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Deterministic numbers that are not in order (a linear congruential generator). */
static uint64_t shuffled(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return *state >> 40;
}

static void cells_come_in_the_order_of_their_times(void **state)
{
    struct due_queue queue = {0};
    uint64_t seed = 1, last_ns = 0;
    uint32_t cell;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++)
        due_set(&queue, i, shuffled(&seed));
    for (uint32_t i = 0; i < 1000; i += 3)
        due_set(&queue, i, shuffled(&seed));
    for (uint32_t i = 1; i < 1000; i += 3)
        due_clear(&queue, i);
    for (int i = 0; i < 667; i++) {
        uint64_t next_ns = due_next_ns(&queue);

        assert_true(next_ns >= last_ns);
        last_ns = next_ns;
        assert_true(due_take(&queue, UINT64_MAX, &cell));
        assert_true(cell % 3 != 1);
    }
    assert_false(due_take(&queue, UINT64_MAX, &cell));
    due_release(&queue);
}

static void nothing_is_taken_before_its_time(void **state)
{
    struct due_queue queue = {0};
    uint32_t cell;

    (void)state;
    due_set(&queue, 5, 100);
    assert_false(due_take(&queue, 99, &cell));
    assert_true(due_take(&queue, 100, &cell));
    assert_int_equal(cell, 5);
    assert_true(due_next_ns(&queue) == UINT64_MAX);
    due_release(&queue);
}

static void not_after_only_moves_a_cell_forward(void **state)
{
    struct due_queue queue = {0};

    (void)state;
    due_not_after(&queue, 1, 50);
    due_not_after(&queue, 1, 70);
    assert_int_equal(due_next_ns(&queue), 50);
    due_not_after(&queue, 1, 30);
    assert_int_equal(due_next_ns(&queue), 30);
    due_release(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_come_in_the_order_of_their_times),
        cmocka_unit_test(nothing_is_taken_before_its_time),
        cmocka_unit_test(not_after_only_moves_a_cell_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
