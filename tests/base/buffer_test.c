#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void appended_pieces_follow_each_other(void **state)
{
    (void)state;
    struct buffer buffer = {0};

    buffer_append_text(&buffer, "one");
    buffer_append_char(&buffer, ' ');
    buffer_append(&buffer, (struct slice){"two\0three", 9});
    buffer_printf(&buffer, " %d %s", 4, "five");
    assert_int_equal(buffer.len, 20);
    assert_memory_equal(buffer.ptr, "one two\0three 4 five", 20);
    buffer_release(&buffer);
}

static void appending_nothing_to_an_empty_buffer_is_nothing(void **state)
{
    (void)state;
    struct buffer buffer = {0};

    buffer_append(&buffer, (struct slice){NULL, 0});
    buffer_printf(&buffer, "%s", "");
    assert_int_equal(buffer_slice(&buffer).len, 0);
    buffer_release(&buffer);
}

static void nothing_has_a_place_as_well(void **state)
{
    (void)state;
    struct buffer buffer = {0};

    assert_non_null(buffer_reserve(&buffer, 0));
    assert_int_equal(buffer.len, 0);
    buffer_append_text(&buffer, "ab");
    assert_ptr_equal(buffer_reserve(&buffer, 0), buffer.ptr + 2);
    buffer_release(&buffer);
}

static void reset_keeps_the_memory_and_release_gives_it_back(void **state)
{
    (void)state;
    struct buffer buffer = {0};

    for (int i = 0; i < 100000; i++)
        buffer_append_char(&buffer, 'x');

    const char *memory = buffer.ptr;

    buffer_reset(&buffer);
    assert_int_equal(buffer.len, 0);
    buffer_append_text(&buffer, "again");
    assert_ptr_equal(buffer.ptr, memory);
    buffer_release(&buffer);
    assert_null(buffer.ptr);
    assert_int_equal(buffer.capacity, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_pieces_follow_each_other),
        cmocka_unit_test(appending_nothing_to_an_empty_buffer_is_nothing),
        cmocka_unit_test(nothing_has_a_place_as_well),
        cmocka_unit_test(reset_keeps_the_memory_and_release_gives_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
