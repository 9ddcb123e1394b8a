#include "proto/wire.h"

#include "tests/proto/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BYTES(literal) ((struct slice)SLICE(literal))

/* The number of fields, or -1 when the bytes are broken. */
static int count_fields(struct slice message)
{
    /* A copy of the exact size lets the sanitizer see a read beyond the end. */
    char *copy = malloc(message.len ? message.len : 1);
    struct wire_field field;
    int count = 0;

    assert_non_null(copy);
    memcpy(copy, message.ptr, message.len);

    struct wire wire = wire_of((struct slice){copy, message.len});

    while (wire_next(&wire, &field))
        count++;
    free(copy);
    return wire.broken ? -1 : count;
}

static void every_wire_type_is_read(void **state)
{
    (void)state;
    struct wire wire = wire_of(BYTES("\x08\x96\x01"
                                     "\x11\x01\x02\x03\x04\x05\x06\x07\x08"
                                     "\x1a\x03"
                                     "abc"
                                     "\x25\x01\x02\x03\x04"));
    struct wire_field field;

    assert_true(wire_next(&wire, &field));
    assert_int_equal(field.tag, WIRE_TAG(1, WIRE_VARINT));
    assert_int_equal(field.number, 150);
    assert_true(wire_next(&wire, &field));
    assert_true(field.number == UINT64_C(0x0807060504030201));
    assert_true(wire_next(&wire, &field));
    assert_true(slice_is(field.bytes, "abc"));
    assert_true(wire_next(&wire, &field));
    assert_int_equal(field.number, 0x04030201);
    assert_false(wire_next(&wire, &field));
    assert_false(wire.broken);
}

static void an_empty_message_has_no_fields(void **state)
{
    (void)state;
    assert_int_equal(count_fields(BYTES("")), 0);
}

static void varints_have_at_most_ten_bytes(void **state)
{
    (void)state;
    assert_int_equal(count_fields(BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
                     1);
    assert_int_equal(
        count_fields(BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")), -1);
    assert_int_equal(count_fields(BYTES("\x08\x80\x00")), 1);
}

static void tags_have_a_number_and_at_most_five_bytes(void **state)
{
    (void)state;
    assert_int_equal(count_fields(BYTES("\x00\x01")), -1);
    assert_int_equal(count_fields(BYTES("\x80\x00\x01")), -1);
    assert_int_equal(count_fields(BYTES("\xf8\xff\xff\xff\x0f\x01")), 1);
    assert_int_equal(count_fields(BYTES("\xf8\xff\xff\xff\x1f\x01")), -1);
    assert_int_equal(count_fields(BYTES("\x88\x80\x80\x80\x80\x00\x01")), -1);
}

static void a_length_beyond_the_end_breaks_the_message(void **state)
{
    (void)state;
    assert_int_equal(count_fields(BYTES("\x0a\x02x")), -1);
    assert_int_equal(count_fields(BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")),
                     -1);
    assert_int_equal(count_fields(BYTES("\x0a\x00")), 1);
}

static void a_field_cut_anywhere_breaks_the_message(void **state)
{
    (void)state;
    struct buffer field = {0};

    static const struct {
        uint32_t tag;
        size_t len;
    } shapes[] = {{WIRE_TAG(1, WIRE_FIXED64), 8}, {WIRE_TAG(1, WIRE_FIXED32), 4}};

    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        buffer_reset(&field);
        put_varint(&field, shapes[i].tag);
        buffer_append(&field, (struct slice){"12345678", shapes[i].len});
        assert_int_equal(count_fields(buffer_slice(&field)), 1);
        while (--field.len > 0)
            assert_int_equal(count_fields(buffer_slice(&field)), -1);
    }
    buffer_release(&field);
}

static void reserved_wire_types_break_the_message(void **state)
{
    (void)state;
    assert_int_equal(count_fields(BYTES("\x0e\x00")), -1);
    assert_int_equal(count_fields(BYTES("\x0f\x00")), -1);
}

static void groups_are_skipped_whole(void **state)
{
    (void)state;
    /* group 1 { 2: varint, 3: group {}, 4: bytes } then field 5 */
    assert_int_equal(count_fields(BYTES("\x0b\x10\x01\x1b\x1c\x22\x01x\x0c\x28\x07")), 2);
}

static void groups_must_be_closed_by_their_own_number(void **state)
{
    (void)state;
    assert_int_equal(count_fields(BYTES("\x0b\x14")), -1);
    assert_int_equal(count_fields(BYTES("\x0b")), -1);
    assert_int_equal(count_fields(BYTES("\x0c")), -1);
    assert_int_equal(count_fields(BYTES("\x0b\x13\x0c\x14")), -1);
    assert_int_equal(count_fields(BYTES("\x0b\x22\x05x\x0c")), -1);
}

static void groups_nest_a_hundred_deep(void **state)
{
    (void)state;
    char nested[2 * (WIRE_MAX_GROUPS + 1)];

    memset(nested, 0x0B, sizeof nested);
    memset(nested + WIRE_MAX_GROUPS, 0x0C, WIRE_MAX_GROUPS);
    assert_int_equal(count_fields((struct slice){nested, 2 * WIRE_MAX_GROUPS}), 1);
    memset(nested, 0x0B, WIRE_MAX_GROUPS + 1);
    memset(nested + WIRE_MAX_GROUPS + 1, 0x0C, WIRE_MAX_GROUPS + 1);
    assert_int_equal(count_fields((struct slice){nested, sizeof nested}), -1);
}

static void finding_skips_other_numbers_and_types(void **state)
{
    (void)state;
    struct wire wire = wire_of(BYTES("\x10\x01\x12\x01"
                                     "a"
                                     "\x1a\x01"
                                     "b"
                                     "\x12\x01"
                                     "c"));
    struct slice bytes = {0};

    assert_true(wire_find(&wire, 2, &bytes));
    assert_true(slice_is(bytes, "a"));
    assert_true(wire_find(&wire, 2, &bytes));
    assert_true(slice_is(bytes, "c"));
    assert_false(wire_find(&wire, 2, &bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_wire_type_is_read),
        cmocka_unit_test(an_empty_message_has_no_fields),
        cmocka_unit_test(varints_have_at_most_ten_bytes),
        cmocka_unit_test(tags_have_a_number_and_at_most_five_bytes),
        cmocka_unit_test(a_length_beyond_the_end_breaks_the_message),
        cmocka_unit_test(a_field_cut_anywhere_breaks_the_message),
        cmocka_unit_test(reserved_wire_types_break_the_message),
        cmocka_unit_test(groups_are_skipped_whole),
        cmocka_unit_test(groups_must_be_closed_by_their_own_number),
        cmocka_unit_test(groups_nest_a_hundred_deep),
        cmocka_unit_test(finding_skips_other_numbers_and_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
