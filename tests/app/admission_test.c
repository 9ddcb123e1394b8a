#include "app/admission.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    THREADS = 4,
    ROUNDS = 10000
};

static void budget_is_taken_to_the_last_byte_and_no_further(void **state)
{
    struct admission admission = {.max_bytes = 100};

    (void)state;
    assert_true(admission_take(&admission, 60));
    assert_true(admission_take(&admission, 40));
    assert_false(admission_take(&admission, 1));
    assert_false(admission_take(&admission, SIZE_MAX));
    admission_give(&admission, 60);
    assert_false(admission_take(&admission, 61));
    assert_true(admission_take(&admission, 60));
    assert_int_equal(atomic_load(&admission.refused_room), 3);
}

static void door_is_closed_until_it_is_opened(void **state)
{
    struct admission admission = {0};

    (void)state;
    assert_false(admission_enter(&admission));
    atomic_store(&admission.is_open, true);
    assert_true(admission_enter(&admission));
    assert_int_equal(atomic_load(&admission.refused_closed), 1);
}

static void *take_and_give(void *self)
{
    struct admission *admission = self;
    uintptr_t over = 0;

    for (int i = 0; i < ROUNDS; i++)
        if (admission_take(admission, 30)) {
            over += atomic_load(&admission->bytes) > 100;
            admission_give(admission, 30);
        }
    return (void *)over;
}

static void threads_together_never_hold_more_than_the_budget(void **state)
{
    struct admission admission = {.max_bytes = 100};
    pthread_t threads[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, &admission), 0);
    for (int i = 0; i < THREADS; i++) {
        void *over;

        pthread_join(threads[i], &over);
        assert_null(over);
    }
    assert_int_equal(atomic_load(&admission.bytes), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(budget_is_taken_to_the_last_byte_and_no_further),
        cmocka_unit_test(door_is_closed_until_it_is_opened),
        cmocka_unit_test(threads_together_never_hold_more_than_the_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
