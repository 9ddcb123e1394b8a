#include "base/number.h"

#include <float.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Shortest forms as Python's repr() has the digits. */
static const struct {
    double value;
    const char *text;
} rows[] = {
    {0, "0"},
    {-0.0, "-0"},
    {1, "1"},
    {-1.5, "-1.5"},
    {100, "100"},
    {0.1, "0.1"},
    {0.1 + 0.2, "0.30000000000000004"},
    {1.0 / 3, "0.3333333333333333"},
    {2.0 / 3, "0.6666666666666666"},
    {1e-6, "0.000001"},
    {0.00012345, "0.00012345"},
    {9.999999e-7, "9.999999e-7"},
    {1e-7, "1e-7"},
    {1e15, "1000000000000000"},
    {123456789012345680.0, "123456789012345680"},
    {1e20, "100000000000000000000"},
    {9.99e20, "999000000000000000000"},
    {1e21, "1e21"},
    {1.5e300, "1.5e300"},
    {9007199254740993.0, "9007199254740992"},
    {DBL_MAX, "1.7976931348623157e308"},
    {DBL_MIN, "2.2250738585072014e-308"},
    {4.9406564584124654e-324, "5e-324"},
    {1.2345678901234567e-310, "1.23456789012346e-310"},
    /* Powers of two: 16 digits suffice although the nearest 16 do not read back. */
    {0x1p-44, "5.684341886080802e-14"},
    {0x1p+89, "6.189700196426902e26"},
    {-0.000001234567890123456, "-0.000001234567890123456"},
};

static void check(double value, const char *want)
{
    char text[NUMBER_TEXT_MAX + 1];
    size_t len = number_format(value, text);

    assert_in_range(len, 1, NUMBER_TEXT_MAX);
    text[len] = '\0';
    assert_string_equal(text, want);
}

static void known_numbers_have_their_shortest_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        check(rows[i].value, rows[i].text);
}

static void check_reads_back(double value)
{
    char text[NUMBER_TEXT_MAX + 1];

    text[number_format(value, text)] = '\0';

    double back = strtod(text, NULL);

    if (memcmp(&back, &value, sizeof(value)) != 0)
        fail_msg("%a became %s", value, text);
}

static void any_number_reads_back_the_same(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;

    for (int i = 0; i < 50000; i++) {
        double value;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        memcpy(&value, &random, sizeof(value));
        if (value - value == 0) /* finite */
            check_reads_back(value);
        check_reads_back((double)(random >> 11) / 1e6);
    }
}

/* Runs where a locale with a decimal comma is installed; skipped elsewhere. */
static void the_locale_changes_nothing(void **state)
{
    (void)state;
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE.utf8"};
    const char *set = NULL;

    for (size_t i = 0; i < 3 && !set; i++)
        set = setlocale(LC_NUMERIC, commas[i]);
    if (!set)
        skip();
    check(-1.5, "-1.5");
    check(1.0 / 3, "0.3333333333333333");
    setlocale(LC_NUMERIC, "C");
}

static void whole_numbers_are_digits_that_fit(void **state)
{
    static const char *const wrong[] = {"",
                                        " 1",
                                        "1 ",
                                        "-1",
                                        "+1",
                                        "0x1",
                                        "1.0",
                                        "18446744073709551616",
                                        "1e3",
                                        "a",
                                        "99999999999999999999"};
    uint64_t number = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(number_parse(slice_of(wrong[i]), &number));
    assert_int_equal(number, 7);
    assert_true(number_parse(slice_of("18446744073709551615"), &number));
    assert_true(number == UINT64_MAX);
    assert_true(number_parse(slice_of("007"), &number));
    assert_int_equal(number, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_digits_that_fit),
        cmocka_unit_test(known_numbers_have_their_shortest_form),
        cmocka_unit_test(any_number_reads_back_the_same),
        cmocka_unit_test(the_locale_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
