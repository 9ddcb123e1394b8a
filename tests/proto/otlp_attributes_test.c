/* The walk over attributes and their text for protocols that know only strings. */
#include "proto/otlp.h"
#include "tests/proto/message.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A resource made of attributes; the walk needs no more of a batch. */
static struct otlp_attributes walk_over(const struct buffer *resource)
{
    return otlp_resource_attributes(
        &(struct otlp_resource){.message = buffer_slice(resource)});
}

/* The text of an attribute with that AnyValue (which it takes) as value. */
static void assert_text(struct buffer any, const char *wanted)
{
    struct buffer resource = {0}, key_value = {0}, text = {0};
    struct otlp_attribute attribute;

    put_text(&key_value, FIELD_KEY_VALUE_KEY, "k");
    put_message(&key_value, FIELD_KEY_VALUE_VALUE, any);
    put_message(&resource, FIELD_RESOURCE_ATTRIBUTES, key_value);
    assert_true(otlp_attributes_find(walk_over(&resource), "k", &attribute));
    otlp_attribute_text(&attribute, &text);
    buffer_append_char(&text, '\0');
    assert_string_equal(text.ptr, wanted);
    buffer_release(&text);
    buffer_release(&resource);
}

static struct buffer string_any(const char *text)
{
    struct buffer any = {0};

    put_text(&any, FIELD_ANY_STRING_VALUE, text);
    return any;
}

static struct buffer double_any(double value)
{
    struct buffer any = {0};

    put_double(&any, FIELD_ANY_DOUBLE_VALUE, value);
    return any;
}

static struct buffer number_any(unsigned field, uint64_t value)
{
    struct buffer any = {0};

    put_number(&any, field, value);
    return any;
}

static void attributes_are_walked_in_their_order(void **state)
{
    (void)state;
    struct buffer resource = {0};
    struct otlp_attribute attribute;

    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, "a", "1");
    put_number(&resource, FIELD_RESOURCE_DROPPED_ATTRIBUTES_COUNT, 3);
    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, "b", "2");

    struct otlp_attributes walk = walk_over(&resource);

    assert_true(otlp_attributes_next(&walk, &attribute));
    assert_true(slice_is(attribute.key, "a"));
    assert_true(otlp_attributes_next(&walk, &attribute));
    assert_true(slice_is(attribute.key, "b"));
    assert_int_equal(attribute.kind, OTLP_VALUE_STRING);
    assert_true(slice_is(attribute.text, "2"));
    assert_false(otlp_attributes_next(&walk, &attribute));
    assert_false(otlp_attributes_next(&walk, &attribute));
    buffer_release(&resource);
}

static void the_last_of_equal_keys_is_found(void **state)
{
    (void)state;
    struct buffer resource = {0};
    struct otlp_attribute attribute;

    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, "k", "first");
    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, "other", "x");
    put_attribute(&resource, FIELD_RESOURCE_ATTRIBUTES, "k", "last");
    assert_true(otlp_attributes_find(walk_over(&resource), "k", &attribute));
    assert_true(slice_is(attribute.text, "last"));
    assert_false(otlp_attributes_find(walk_over(&resource), "missing", &attribute));
    buffer_release(&resource);
}

static void scalars_read_as_json_writes_them(void **state)
{
    (void)state;
    assert_text(string_any("as it is \"quoted\""), "as it is \"quoted\"");
    assert_text(number_any(FIELD_ANY_BOOL_VALUE, 1), "true");
    assert_text(number_any(FIELD_ANY_BOOL_VALUE, 0), "false");
    assert_text(number_any(FIELD_ANY_INT_VALUE, (uint64_t)-42), "-42");
    assert_text(double_any(1.5), "1.5");
    assert_text(double_any(100), "100");
    assert_text((struct buffer){0}, "");
}

static void numbers_that_are_none_have_names(void **state)
{
    (void)state;
    assert_text(double_any(nan("")), "NaN");
    assert_text(double_any(HUGE_VAL), "Infinity");
    assert_text(double_any(-HUGE_VAL), "-Infinity");
}

static void bytes_read_as_base64(void **state)
{
    (void)state;
    /* RFC 4648, section 10 */
    static const char *const vectors[][2] = {
        {"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
        {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"foobar", "Zm9vYmFy"}};

    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct buffer any = {0};

        put_text(&any, FIELD_ANY_BYTES_VALUE, vectors[i][0]);
        assert_text(any, vectors[i][1]);
    }
}

static void invalid_utf8_becomes_replacement_characters(void **state)
{
    (void)state;
    assert_text(string_any("a\xff\xe3\x81z"), "a\xEF\xBF\xBD\xEF\xBF\xBDz");
}

static void an_index_into_a_table_counts_as_nothing(void **state)
{
    (void)state;
    struct buffer any = string_any("lost");

    put_number(&any, FIELD_ANY_STRING_VALUE_STRINDEX, 7);
    assert_text(any, "");
}

static struct buffer array_of_two(struct buffer first, struct buffer second)
{
    struct buffer array = {0}, any = {0};

    put_message(&array, FIELD_ARRAY_VALUES, first);
    put_message(&array, FIELD_ARRAY_VALUES, second);
    put_message(&any, FIELD_ANY_ARRAY_VALUE, array);
    return any;
}

static void arrays_read_as_json(void **state)
{
    (void)state;
    assert_text(array_of_two(string_any("a\"b"), double_any(nan(""))),
                "[\"a\\\"b\",\"NaN\"]");
    assert_text(array_of_two((struct buffer){0}, number_any(FIELD_ANY_INT_VALUE, 5)),
                "[null,5]");
    assert_text(array_of_two(array_of_two(string_any("x"), double_any(0.5)),
                             number_any(FIELD_ANY_BOOL_VALUE, 1)),
                "[[\"x\",0.5],true]");
}

static void maps_read_as_json(void **state)
{
    (void)state;
    struct buffer list = {0}, any = {0}, empty = {0};

    put_attribute(&list, FIELD_KVLIST_VALUES, "k\n", "v");
    put_attribute(&list, FIELD_KVLIST_VALUES, "l", "");
    put_message(&any, FIELD_ANY_KVLIST_VALUE, list);
    assert_text(any, "{\"k\\n\":\"v\",\"l\":\"\"}");
    put_text(&empty, FIELD_ANY_KVLIST_VALUE, "");
    assert_text(empty, "{}");
}

static void pieces_of_an_array_are_read_as_one(void **state)
{
    (void)state;
    struct buffer any = array_of_two(string_any("1"), string_any("2"));
    struct buffer more = array_of_two(string_any("3"), string_any("4"));

    buffer_append(&any, buffer_slice(&more));
    buffer_release(&more);
    assert_text(any, "[\"1\",\"2\",\"3\",\"4\"]");
}

static void pieces_before_another_member_are_lost(void **state)
{
    (void)state;
    struct buffer any = array_of_two(string_any("1"), string_any("2"));
    struct buffer more = array_of_two(string_any("3"), string_any("4"));

    put_number(&any, FIELD_ANY_INT_VALUE, 9);
    buffer_append(&any, buffer_slice(&more));
    buffer_release(&more);
    assert_text(any, "[\"3\",\"4\"]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_walked_in_their_order),
        cmocka_unit_test(the_last_of_equal_keys_is_found),
        cmocka_unit_test(scalars_read_as_json_writes_them),
        cmocka_unit_test(numbers_that_are_none_have_names),
        cmocka_unit_test(bytes_read_as_base64),
        cmocka_unit_test(invalid_utf8_becomes_replacement_characters),
        cmocka_unit_test(an_index_into_a_table_counts_as_nothing),
        cmocka_unit_test(arrays_read_as_json),
        cmocka_unit_test(maps_read_as_json),
        cmocka_unit_test(pieces_of_an_array_are_read_as_one),
        cmocka_unit_test(pieces_before_another_member_are_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
