/*
 * Names as Mackerel accepts them. Hashes were computed with another implementation of SHA-256.
 */
#include "pipeline/name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef void append(struct buffer *out, struct slice text);

static void assert_becomes(append *write, struct slice text, const char *expected)
{
    struct buffer out = {0};

    buffer_append_char(&out, '_');
    write(&out, text);
    assert_int_equal(out.len, strlen(expected) + 1);
    assert_memory_equal(out.ptr + 1, expected, strlen(expected));
    buffer_release(&out);
}

static void assert_segment(const char *text, const char *expected)
{
    assert_becomes(name_append_segment, slice_of(text), expected);
}

static void assert_metric(const char *text, const char *expected)
{
    assert_becomes(name_append_metric, slice_of(text), expected);
}

static void assert_service(const char *text, const char *expected)
{
    assert_becomes(name_append_service, slice_of(text), expected);
}

static void allowed_characters_stay(void **state)
{
    (void)state;
    assert_segment("http_Server-Duration9", "http_Server-Duration9");
    assert_metric("http.server.duration", "http.server.duration");
}

static void other_ascii_becomes_an_underscore_each(void **state)
{
    (void)state;
    assert_segment("a b/c:d", "a_b_c_d");
    assert_segment("api.example.com", "api_example_com");
    assert_segment("{}", "__");
    assert_becomes(name_append_segment, (struct slice)SLICE("a\0b"), "a_b");
}

static void a_segment_that_lost_letters_outside_ascii_keeps_a_hash(void **state)
{
    (void)state;
    assert_segment("\xE6\xB3\xA8\xE6\x96\x87", "__-266125");
    assert_segment("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", "___-77710a");
    assert_segment("caf\xC3\xA9", "caf_-850f7d");
    assert_segment("\xF0\x9F\x98\x80x", "_x-10f5e9");
    assert_metric("\xE6\xB3\xA8\xE6\x96\x87.\xE4\xBB\xB6\xE6\x95\xB0",
                  "_-266125.__-bcd81d");
}

static void invalid_utf8_counts_as_replacement_characters(void **state)
{
    (void)state;
    assert_segment("a\xFF"
                   "b",
                   "a_b-050878");
    assert_segment("a\xE6\x97"
                   "b",
                   "a_b-050878");
    assert_segment("\xE6\x97", "_-83d544");
    assert_segment("\xED\xA0\x80", "___-a73f4c");
    assert_segment("\xC0\xAF", "__-52793f");
    assert_segment("\xF0\x9F\x98z", "_z-8ce58f");
}

static void empty_segments_become_underscores(void **state)
{
    (void)state;
    assert_segment("", "_");
    assert_metric("", "_");
    assert_metric("a..b.", "a._.b._");
    assert_metric(".", "_._");
}

static void reserved_underscores_are_lost_until_one_is_left(void **state)
{
    (void)state;
    assert_metric("__reserved.x", "_reserved.x");
    assert_metric("____", "_");
    assert_metric("//path", "_path");
    assert_metric("a.__b", "a.__b");
}

static void device_names_keep_no_trace_of_what_they_lost(void **state)
{
    struct buffer out = {0};

    (void)state;
    assert_true(name_append_plain(&out, (struct slice)SLICE("mapper/vg-root")));
    assert_false(name_append_plain(&out, (struct slice)SLICE("\xE6\x97\xA5")));
    assert_int_equal(out.len, 15);
    assert_memory_equal(out.ptr, "mapper_vg-root_", 15);
    buffer_release(&out);
}

static void service_names_begin_with_a_letter_or_a_digit(void **state)
{
    (void)state;
    assert_service("shop", "shop");
    assert_service("my.app", "my_app");
    assert_service("-_-shop", "shop");
    assert_service("/9lives", "9lives");
    assert_service("\xE6\xB3\xA8\xE6\x96\x87", "266125");
}

static void short_service_names_are_filled_up(void **state)
{
    (void)state;
    assert_service("x", "s-x");
    assert_service("", "s-");
    assert_service("__", "s-");
    assert_service("ab", "ab");
}

static void long_service_names_are_cut_and_keep_a_hash(void **state)
{
    char longest[64] = {0}, longer[65] = {0}, expected[64] = {0};

    (void)state;
    memset(longest, 'x', 63);
    memset(longer, 'x', 64);
    memset(expected, 'x', 56);
    memcpy(expected + 56, "-7ce100", 7);
    assert_service(longest, longest);
    assert_service(longer, expected);
}

static void what_is_too_long_is_cut_and_keeps_a_hash_of_the_whole(void **state)
{
    struct buffer out = {0};

    (void)state;
    buffer_append_text(&out, "shop.m.");
    for (int i = 0; i < 140; i++)
        buffer_append_char(&out, 'x');
    name_bound(&out, 5, 20);
    assert_int_equal(out.len, 25);
    assert_memory_equal(out.ptr, "shop.m.xxxxxxxxxxx-f0f1de", 25);
    name_bound(&out, 5, 20);
    assert_int_equal(out.len, 25);
    buffer_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_characters_stay),
        cmocka_unit_test(other_ascii_becomes_an_underscore_each),
        cmocka_unit_test(a_segment_that_lost_letters_outside_ascii_keeps_a_hash),
        cmocka_unit_test(invalid_utf8_counts_as_replacement_characters),
        cmocka_unit_test(empty_segments_become_underscores),
        cmocka_unit_test(reserved_underscores_are_lost_until_one_is_left),
        cmocka_unit_test(device_names_keep_no_trace_of_what_they_lost),
        cmocka_unit_test(service_names_begin_with_a_letter_or_a_digit),
        cmocka_unit_test(short_service_names_are_filled_up),
        cmocka_unit_test(long_service_names_are_cut_and_keep_a_hash),
        cmocka_unit_test(what_is_too_long_is_cut_and_keeps_a_hash_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
