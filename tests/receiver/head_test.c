#include "receiver/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct head *head, const char *name, const char *value)
{
    head_add(head, slice_of(name), slice_of(value));
}

static void field_names_are_read_in_any_case(void **state)
{
    struct head head = {0};

    (void)state;
    add(&head, "CONTENT-type", "application/x-protobuf");
    assert_true(slice_is(head_slice(&head.content_type), "application/x-protobuf"));
}

static void space_around_a_value_is_not_part_of_it(void **state)
{
    struct head head = {0};

    (void)state;
    add(&head, "content-encoding", " \tgzip\t ");
    assert_true(slice_is(head_slice(&head.content_encoding), "gzip"));
}

static void repeated_field_is_joined_with_a_comma(void **state)
{
    struct head head = {0};

    (void)state;
    add(&head, "content-encoding", "gzip");
    add(&head, "content-encoding", "gzip");
    assert_true(slice_is(head_slice(&head.content_encoding), "gzip, gzip"));
}

static void long_value_is_cut_and_marked(void **state)
{
    struct head head = {0};
    char text[HEAD_VALUE_MAX + 2];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    add(&head, ":path", text);
    assert_int_equal(head.path.len, HEAD_VALUE_MAX);
    assert_true(head.path.cut);
}

static void value_of_exactly_the_limit_is_whole(void **state)
{
    struct head head = {0};
    char text[HEAD_VALUE_MAX + 1];

    (void)state;
    memset(text, 'x', HEAD_VALUE_MAX);
    text[HEAD_VALUE_MAX] = '\0';
    add(&head, ":path", text);
    assert_int_equal(head.path.len, HEAD_VALUE_MAX);
    assert_false(head.path.cut);
}

static void hosts_are_counted_in_both_spellings(void **state)
{
    struct head head = {0};

    (void)state;
    add(&head, "Host", "a");
    add(&head, ":authority", "a");
    assert_int_equal(head.host_count, 2);
}

static void unknown_fields_change_nothing(void **state)
{
    struct head head = {0}, empty = {0};

    (void)state;
    add(&head, "x-content-type", "a");
    add(&head, "content-typ", "a");
    add(&head, "", "a");
    assert_memory_equal(&head, &empty, sizeof(head));
}

static void content_length_is_a_number_or_too_large(void **state)
{
    static const struct {
        const char *text;
        uint64_t length;
    } rows[] = {
        {"0", 0},
        {"17", 17},
        {"67108864", 67108864},
        {"007", 7},
        {"", UINT64_MAX},
        {"-1", UINT64_MAX},
        {"+1", UINT64_MAX},
        {"1, 1", UINT64_MAX},
        {"1x", UINT64_MAX},
        {"99999999999999999999999999", UINT64_MAX},
        {"18446744073709551616", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head head = {0};
        uint64_t length = 1;

        add(&head, "content-length", rows[i].text);
        assert_true(head_content_length(&head, &length));
        assert_int_equal(length, rows[i].length);
    }
}

static void absent_content_length_is_said(void **state)
{
    struct head head = {0};
    uint64_t length;

    (void)state;
    assert_false(head_content_length(&head, &length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field_names_are_read_in_any_case),
        cmocka_unit_test(space_around_a_value_is_not_part_of_it),
        cmocka_unit_test(repeated_field_is_joined_with_a_comma),
        cmocka_unit_test(long_value_is_cut_and_marked),
        cmocka_unit_test(value_of_exactly_the_limit_is_whole),
        cmocka_unit_test(hosts_are_counted_in_both_spellings),
        cmocka_unit_test(unknown_fields_change_nothing),
        cmocka_unit_test(content_length_is_a_number_or_too_large),
        cmocka_unit_test(absent_content_length_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
