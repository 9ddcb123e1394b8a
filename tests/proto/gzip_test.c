#include "proto/gzip.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    MIB = 1 << 20
};

static struct buffer deflated(struct slice bytes)
{
    struct buffer packed = {0};

    gzip_deflate(bytes, 6, &packed.ptr, &packed.len);
    packed.capacity = packed.len;
    return packed;
}

static struct buffer deflated_zeros(size_t len)
{
    char *zeros = memory_new(len, 1);
    struct buffer packed = deflated((struct slice){zeros, len});

    free(zeros);
    return packed;
}

/* The error kind, ERROR_NONE with *out set. */
static enum error_kind inflate(const struct buffer *packed, size_t max_bytes,
                               struct slice *out)
{
    struct error err = {ERROR_NONE, ""};
    char *bytes = NULL;

    if (!gzip_inflate(buffer_slice(packed), max_bytes, &bytes, &out->len, &err)) {
        assert_null(bytes);
        return err.kind;
    }
    out->ptr = bytes;
    return ERROR_NONE;
}

static void assert_inflates(const struct buffer *packed, size_t max_bytes,
                            struct slice wanted)
{
    struct slice out;

    assert_int_equal(inflate(packed, max_bytes, &out), ERROR_NONE);
    assert_int_equal(out.len, wanted.len);
    if (wanted.len)
        assert_memory_equal(out.ptr, wanted.ptr, wanted.len);
    free((void *)(uintptr_t)out.ptr);
}

static void assert_fails(const struct buffer *packed, size_t max_bytes,
                         enum error_kind wanted)
{
    struct slice out;

    assert_int_equal(inflate(packed, max_bytes, &out), wanted);
}

static void what_was_deflated_inflates_again(void **state)
{
    (void)state;
    struct slice text = SLICE("hello, hello, hello");
    struct buffer packed = deflated(text);

    assert_inflates(&packed, MIB, text);
    buffer_release(&packed);
}

/* Made with `printf hello | gzip -n`. */
static void bytes_of_another_program_inflate(void **state)
{
    (void)state;
    struct buffer packed = {0};

    buffer_append(&packed, (struct slice)SLICE(
                               "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xcb\x48"
                               "\xcd\xc9\xc9\x07\x00\x86\xa6\x10\x36\x05\x00\x00\x00"));
    assert_inflates(&packed, MIB, (struct slice)SLICE("hello"));
    buffer_release(&packed);
}

static void members_are_joined(void **state)
{
    (void)state;
    struct buffer packed = deflated((struct slice)SLICE("one ")),
                  more = deflated((struct slice)SLICE("two"));

    buffer_append(&packed, buffer_slice(&more));
    assert_inflates(&packed, MIB, (struct slice)SLICE("one two"));
    assert_fails(&packed, 6, ERROR_TOO_LARGE);
    assert_inflates(&packed, 7, (struct slice)SLICE("one two"));
    buffer_release(&packed);
    buffer_release(&more);
}

static void the_cap_is_exact(void **state)
{
    (void)state;
    struct buffer packed = deflated_zeros(5000);
    struct slice out;

    assert_fails(&packed, 4999, ERROR_TOO_LARGE);
    assert_int_equal(inflate(&packed, 5000, &out), ERROR_NONE);
    assert_int_equal(out.len, 5000);
    free((void *)(uintptr_t)out.ptr);
    buffer_release(&packed);
}

static void a_bomb_stops_at_the_cap(void **state)
{
    (void)state;
    struct buffer packed = deflated_zeros(64 * MIB);

    assert_true(packed.len < 70000);
    assert_fails(&packed, MIB, ERROR_TOO_LARGE);
    buffer_release(&packed);
}

static void high_ratios_below_the_cap_inflate(void **state)
{
    (void)state;
    struct buffer packed = deflated_zeros(3 * MIB);
    struct slice out;

    assert_int_equal(inflate(&packed, 4 * MIB, &out), ERROR_NONE);
    assert_int_equal(out.len, 3 * MIB);
    free((void *)(uintptr_t)out.ptr);
    buffer_release(&packed);
}

static void a_lie_about_the_size_is_damage(void **state)
{
    (void)state;
    struct buffer packed = deflated((struct slice)SLICE("hello"));

    memset(packed.ptr + packed.len - 4, 0xFF, 4);
    assert_fails(&packed, (size_t)1 << 40, ERROR_CORRUPT);
    buffer_release(&packed);
}

static void a_wrong_checksum_is_damage(void **state)
{
    (void)state;
    struct buffer packed = deflated((struct slice)SLICE("hello"));

    packed.ptr[packed.len - 8] = (char)~packed.ptr[packed.len - 8];
    assert_fails(&packed, MIB, ERROR_CORRUPT);
    buffer_release(&packed);
}

static void anything_behind_the_last_member_is_damage(void **state)
{
    (void)state;
    struct buffer packed = deflated((struct slice)SLICE("hello"));

    buffer_append_text(&packed, "x");
    assert_fails(&packed, MIB, ERROR_CORRUPT);
    buffer_release(&packed);
}

static void a_body_cut_anywhere_is_damage(void **state)
{
    (void)state;
    struct buffer packed = deflated((struct slice)SLICE("hello, hello"));

    while (packed.len-- > 0)
        assert_fails(&packed, MIB, ERROR_CORRUPT);
    packed.len = 0;
    buffer_release(&packed);
}

static void nothing_inflates_to_nothing_only_as_a_member(void **state)
{
    (void)state;
    struct buffer none = {0}, empty = deflated((struct slice){0});

    assert_fails(&none, MIB, ERROR_CORRUPT);
    assert_inflates(&empty, MIB, (struct slice){0});
    assert_inflates(&empty, 0, (struct slice){0});
    buffer_release(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deflated_inflates_again),
        cmocka_unit_test(bytes_of_another_program_inflate),
        cmocka_unit_test(members_are_joined),
        cmocka_unit_test(the_cap_is_exact),
        cmocka_unit_test(a_bomb_stops_at_the_cap),
        cmocka_unit_test(high_ratios_below_the_cap_inflate),
        cmocka_unit_test(a_lie_about_the_size_is_damage),
        cmocka_unit_test(a_wrong_checksum_is_damage),
        cmocka_unit_test(anything_behind_the_last_member_is_damage),
        cmocka_unit_test(a_body_cut_anywhere_is_damage),
        cmocka_unit_test(nothing_inflates_to_nothing_only_as_a_member),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
