#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* One row per text: what it reads as, and whether it is well-formed. */
static const struct {
    struct slice text;
    uint32_t codepoints[9]; /* ends with 0 */
    bool is_valid;
} rows[] = {
    {SLICE(""), {0}, true},
    {SLICE("plain ASCII"), {'p', 'l', 'a', 'i', 'n', ' ', 'A', 'S', 'C'}, true},
    {SLICE("\xC3\xA9"), {0xE9}, true},
    {SLICE("\xE3\x81\x82z"), {0x3042, 'z'}, true},
    {SLICE("\xF0\x9F\x98\x80"), {0x1F600}, true},
    {SLICE("\xF4\x8F\xBF\xBF"), {0x10FFFF}, true},
    {SLICE("\xEF\xBF\xBD"), {0xFFFD}, true},
    {SLICE("\xEE\x80\x80"), {0xE000}, true},
    /* Beyond U+10FFFF, overlong, surrogate, lone continuation, never-used bytes. */
    {SLICE("\xF4\x90\x80\x80"), {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD}, false},
    {SLICE("\xC0\xAF"), {0xFFFD, 0xFFFD}, false},
    {SLICE("\xE0\x9F\xBF"), {0xFFFD, 0xFFFD, 0xFFFD}, false},
    {SLICE("\xF0\x8F\xBF\xBF"), {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD}, false},
    {SLICE("\xED\xA0\x80"), {0xFFFD, 0xFFFD, 0xFFFD}, false},
    {SLICE("\x80"), {0xFFFD}, false},
    {SLICE("a\xFF\x62"), {'a', 0xFFFD, 'b'}, false},
    /* Cut short: one replacement for the part that was good (Unicode 15, table 3-8). */
    {SLICE("\xE3\x81"), {0xFFFD}, false},
    {SLICE("\xF0\x9F\x98"), {0xFFFD}, false},
    {SLICE("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"),
     {0xFFFD, 0xFFFD, 0xFFFD, 0xFFFD, 'A'},
     false},
};

static void each_text_reads_as_the_standard_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct slice rest = rows[i].text;
        uint32_t codepoint;

        for (size_t j = 0; j < 9 && rows[i].codepoints[j]; j++) {
            assert_true(utf8_next(&rest, &codepoint));
            assert_int_equal(codepoint, rows[i].codepoints[j]);
        }
        if (rows[i].codepoints[8] == 0)
            assert_false(utf8_next(&rest, &codepoint));
        assert_int_equal(utf8_valid(rows[i].text), rows[i].is_valid);
    }
}

static void a_fault_is_found_wherever_it_is(void **state)
{
    (void)state;
    char text[40];

    for (size_t at = 0; at < sizeof(text); at++) {
        memset(text, 'x', sizeof(text));
        assert_true(utf8_valid((struct slice){text, sizeof(text)}));
        text[at] = (char)0x80;
        assert_false(utf8_valid((struct slice){text, sizeof(text)}));
    }
}

static void sanitizing_keeps_what_is_good(void **state)
{
    (void)state;
    struct buffer out = {0};

    utf8_sanitize((struct slice)SLICE("long ASCII text \xE3\x81\x82\xE3\x81|\xFF\xFF"),
                  &out);
    assert_true(
        slice_is(buffer_slice(&out),
                 "long ASCII text \xE3\x81\x82\xEF\xBF\xBD|\xEF\xBF\xBD\xEF\xBF\xBD"));
    assert_true(utf8_valid(buffer_slice(&out)));
    buffer_release(&out);
}

static void a_zero_byte_is_a_character(void **state)
{
    (void)state;
    struct slice rest = {"\0", 1};
    uint32_t codepoint = 1;

    assert_true(utf8_next(&rest, &codepoint));
    assert_int_equal(codepoint, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_text_reads_as_the_standard_says),
        cmocka_unit_test(a_fault_is_found_wherever_it_is),
        cmocka_unit_test(sanitizing_keeps_what_is_good),
        cmocka_unit_test(a_zero_byte_is_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
