#include "proto/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Is the text one JSON value and nothing else? Read from memory of the exact size. */
static bool is_json(struct slice text)
{
    struct json_reader reader;
    char *copy = malloc(text.len ? text.len : 1);

    assert_non_null(copy);
    memcpy(copy, text.ptr, text.len);
    json_reader_init(&reader, (struct slice){copy, text.len});

    bool ok = json_reader_skip(&reader) && json_reader_end(&reader);

    free(copy);
    return ok;
}

static void every_value_can_be_skipped(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12",
        "-1.5",
        "1e5",
        "1E+5",
        "0.1e-5",
        "\"\"",
        "\"a\\u0041\\n\\\"\"",
        "[]",
        "{}",
        " [ 1 , [ ] , { } ] ",
        "{\"a\":1,\"b\":[true,null]}",
        "\t{\"a\" : { \"b\" : [ ] } }\r\n",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_true(is_json(slice_of(texts[i])));
}

static void what_is_no_json_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        " ",
        "nul",
        "truth",
        "01",
        "-",
        "1.",
        ".5",
        "1e",
        "+1",
        "1 2",
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{\"a\":1,}",
        "{\"a\":1 \"b\":2}",
        "\"",
        "\"\\\"",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "[1}",
        "{\"a\":1]",
        "'a'",
        "NaN",
        "Infinity",
        "// x",
        "[]]",
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (is_json(slice_of(texts[i])))
            fail_msg("taken: %s", texts[i]);
    }
}

static void a_value_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct slice text = SLICE("{\"key\":[1.5e3,\"a\\u0041\",true,null,{\"b\":false}]}");

    assert_true(is_json(text));
    while (text.len-- > 0)
        assert_false(is_json(text));
}

static void levels_are_bounded(void **state)
{
    (void)state;
    char text[2 * (JSON_DEPTH_MAX + 1)];

    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_true(is_json((struct slice){text, 2 * JSON_DEPTH_MAX}));
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_false(is_json((struct slice){text, sizeof text}));
}

static void members_are_pulled_one_by_one(void **state)
{
    (void)state;
    struct json_reader reader;
    struct slice key, raw;
    double number;
    bool truth;

    json_reader_init(&reader,
                     slice_of("{\"n\":-2.5e2,\"s\":\"x\",\"b\":true,\"a\":[1,2]}"));
    assert_int_equal(json_reader_peek(&reader), JSON_OBJECT);
    assert_true(json_reader_enter(&reader));
    assert_true(json_reader_next(&reader, &key) && slice_is(key, "n"));
    assert_true(json_reader_number(&reader, &number) && number == -250);
    assert_true(json_reader_next(&reader, &key) && slice_is(key, "s"));
    assert_true(json_reader_string(&reader, &raw) && slice_is(raw, "x"));
    assert_true(json_reader_next(&reader, &key) && slice_is(key, "b"));
    assert_true(json_reader_bool(&reader, &truth) && truth);
    assert_true(json_reader_next(&reader, &key) && slice_is(key, "a"));
    assert_true(json_reader_enter(&reader));
    assert_true(json_reader_next(&reader, &key) && key.len == 0);
    assert_true(json_reader_number(&reader, &number) && number == 1);
    assert_true(json_reader_next(&reader, &key));
    assert_true(json_reader_skip(&reader));
    assert_false(json_reader_next(&reader, &key));
    assert_false(json_reader_next(&reader, &key));
    assert_true(json_reader_end(&reader));
}

static void asking_for_another_type_breaks_the_reader(void **state)
{
    (void)state;
    struct json_reader reader;
    struct slice raw, key;
    double number;

    json_reader_init(&reader, slice_of("{\"a\":1}"));
    assert_false(json_reader_string(&reader, &raw));
    assert_true(reader.broken);
    assert_false(json_reader_enter(&reader));
    assert_false(json_reader_next(&reader, &key));
    assert_false(json_reader_number(&reader, &number));
    assert_false(json_reader_skip(&reader));
    assert_false(json_reader_end(&reader));
}

static void assert_unescaped(const char *raw, const char *wanted)
{
    struct buffer out = {0};

    json_unescape(slice_of(raw), &out);
    buffer_append_char(&out, '\0');
    assert_string_equal(out.ptr, wanted);
    buffer_release(&out);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    assert_unescaped("plain", "plain");
    assert_unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\b\f\n\r\t");
    assert_unescaped("\\u0041\\u00e9\\u65E5", "A\xC3\xA9\xE6\x97\xA5");
    assert_unescaped("\\uD83D\\uDE00!", "\xF0\x9F\x98\x80!");
    assert_unescaped("\\uD83Dx", "\xEF\xBF\xBDx");
    assert_unescaped("\\uDE00\\uD83D", "\xEF\xBF\xBD\xEF\xBF\xBD");
    assert_unescaped("\\uD83D\\u0041", "\xEF\xBF\xBD"
                                       "A");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_can_be_skipped),
        cmocka_unit_test(what_is_no_json_is_refused),
        cmocka_unit_test(a_value_cut_anywhere_is_refused),
        cmocka_unit_test(levels_are_bounded),
        cmocka_unit_test(members_are_pulled_one_by_one),
        cmocka_unit_test(asking_for_another_type_breaks_the_reader),
        cmocka_unit_test(escapes_are_decoded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
