#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void new_memory_is_zeroed_even_when_there_is_none(void **state)
{
    (void)state;
    char *memory = memory_new(100, 3);
    void *nothing = memory_new(0, 8);

    for (int i = 0; i < 300; i++)
        assert_int_equal(memory[i], 0);
    assert_non_null(nothing);
    free(memory);
    free(nothing);
}

static void a_copy_ends_with_a_nul(void **state)
{
    (void)state;
    char *copy = memory_copy((struct slice){"abcdef", 3});

    assert_string_equal(copy, "abc");
    free(copy);
    copy = memory_copy((struct slice){NULL, 0});
    assert_string_equal(copy, "");
    free(copy);
}

static void growing_keeps_the_content_and_doubles(void **state)
{
    (void)state;
    size_t capacity = 0;
    int *array = NULL;

    for (size_t i = 0; i < 1000; i++) {
        array = memory_grow(array, i + 1, &capacity, sizeof(*array));
        assert_true(capacity > i);
        array[i] = (int)i;
    }
    assert_int_equal(capacity, 1024);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(array[i], i);
    array = memory_grow(array, 5000, &capacity, sizeof(*array));
    assert_int_equal(capacity, 5000);
    array = memory_resize(array, 0, sizeof(*array));
    assert_non_null(array);
    free(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zeroed_even_when_there_is_none),
        cmocka_unit_test(a_copy_ends_with_a_nul),
        cmocka_unit_test(growing_keeps_the_content_and_doubles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
