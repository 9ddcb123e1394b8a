/*
 * Units: conversions by UCUM and Mackerel's units for graphs. Factors are those of the definitions
 * (SI prefixes, IEC 80000-13, 8 bits a byte).
 */
#include "pipeline/unit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_factor(const char *from, const char *to, double factor)
{
    struct unit_conversion conversion;

    assert_true(unit_convert(slice_of(from), slice_of(to), &conversion));
    assert_true(fabs(conversion.factor - factor) <= factor * 1e-15);
    assert_string_equal(conversion.suffix, "");
}

static void assert_percentage(const char *from, double factor)
{
    struct unit_conversion conversion;

    assert_true(unit_convert(slice_of(from), slice_of("%"), &conversion));
    assert_true(fabs(conversion.factor - factor) <= factor * 1e-15);
    assert_string_equal(conversion.suffix, ".percentage");
}

static void assert_differ(const char *from, const char *to)
{
    struct unit_conversion conversion = {42, "untouched"};

    assert_false(unit_convert(slice_of(from), slice_of(to), &conversion));
    assert_string_equal(conversion.suffix, "untouched");
}

static void times_convert_to_each_other(void **state)
{
    (void)state;
    assert_factor("ms", "s", 1e-3);
    assert_factor("us", "s", 1e-6);
    assert_factor("ns", "s", 1e-9);
    assert_factor("s", "ms", 1e3);
    assert_factor("min", "s", 60);
    assert_factor("h", "min", 60);
    assert_factor("d", "h", 24);
    assert_factor("wk", "d", 7);
    assert_factor("ns", "ms", 1e-6);
    assert_factor("ms", "min", 1.0 / 60000);
}

static void bytes_convert_by_powers_of_ten_and_of_two(void **state)
{
    (void)state;
    assert_factor("By", "kBy", 1e-3);
    assert_factor("By", "KiBy", 1.0 / 1024);
    assert_factor("MiBy", "By", 1048576);
    assert_factor("GiBy", "MiBy", 1024);
    assert_factor("MBy", "By", 1e6);
    assert_factor("GBy", "TiBy", 1e9 / 1099511627776.0);
    assert_factor("By", "bit", 8);
    assert_factor("kbit/s", "By/s", 125);
    assert_factor("KiBy/min", "By/s", 1024.0 / 60);
}

static void ratios_become_percentages_by_name_too(void **state)
{
    (void)state;
    assert_percentage("1", 100);
    assert_percentage("", 100);
    assert_percentage("{cpu}", 100);
    assert_percentage("ratio", 100);
    assert_percentage("ms/s", 0.1);
    assert_factor("%", "%", 1);
    assert_factor("percent", "%", 1);
    assert_factor("%", "1", 0.01);
}

static void comments_count_nothing(void **state)
{
    (void)state;
    assert_factor("{request}", "1", 1);
    assert_factor("{request}/s", "Hz", 1);
    assert_factor("By{transmitted}", "KiBy", 1.0 / 1024);
    assert_factor("ms{wait}/{request}", "s", 1e-3);
    assert_factor("{never closed", "1", 1);
}

static void products_quotients_and_powers_are_read(void **state)
{
    (void)state;
    assert_factor("km/h", "m/s", 1000.0 / 3600);
    assert_factor("mm2", "m2", 1e-6);
    assert_factor("By.s", "KiBy.ms", 1000.0 / 1024);
    assert_factor("1/s", "1/min", 60);
    assert_factor("MHz", "Hz", 1e6);
    assert_factor("kW", "W", 1e3);
}

static void words_of_older_senders_are_known(void **state)
{
    (void)state;
    assert_factor("milliseconds", "s", 1e-3);
    assert_factor("bytes", "MiBy", 1.0 / 1048576);
    assert_factor("\xC2\xB5s", "ns", 1000);
}

static void the_same_text_always_converts(void **state)
{
    (void)state;
    assert_factor("Cel", "Cel", 1);
    assert_factor("quux", "quux", 1);
}

static void what_measures_something_else_does_not_convert(void **state)
{
    (void)state;
    assert_differ("s", "By");
    assert_differ("By/s", "By");
    assert_differ("Cel", "K");
    assert_differ("1", "s");
    assert_differ("quux", "s");
    assert_differ("s", "quux");
    assert_differ("Kis", "s");
    assert_differ("S", "s");
    assert_differ("s}", "s");
    assert_differ("kmin", "s");
}

static void assert_graph(const char *unit, bool per_second, const char *expected)
{
    assert_string_equal(unit_graph(slice_of(unit), per_second), expected);
}

static void graphs_have_the_very_unit_or_float(void **state)
{
    (void)state;
    assert_graph("%", false, "percentage");
    assert_graph("s", false, "seconds");
    assert_graph("ms", false, "milliseconds");
    assert_graph("By", false, "bytes");
    assert_graph("bytes", false, "bytes");
    assert_graph("By/s", false, "bytes/sec");
    assert_graph("bit/s", false, "bits/sec");
    assert_graph("{operation}/s", false, "iops");
    assert_graph("us", false, "float");
    assert_graph("KiBy", false, "float");
    assert_graph("1", false, "float");
    assert_graph("", false, "float");
    assert_graph("quux", false, "float");
}

static void graphs_of_rates_are_per_second(void **state)
{
    (void)state;
    assert_graph("By", true, "bytes/sec");
    assert_graph("bit", true, "bits/sec");
    assert_graph("{operation}", true, "iops");
    assert_graph("{operation}/s", true, "float");
    assert_graph("{request}", true, "float");
    assert_graph("s", true, "float");
    assert_graph("By/s", true, "float");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_convert_to_each_other),
        cmocka_unit_test(bytes_convert_by_powers_of_ten_and_of_two),
        cmocka_unit_test(ratios_become_percentages_by_name_too),
        cmocka_unit_test(comments_count_nothing),
        cmocka_unit_test(products_quotients_and_powers_are_read),
        cmocka_unit_test(words_of_older_senders_are_known),
        cmocka_unit_test(the_same_text_always_converts),
        cmocka_unit_test(what_measures_something_else_does_not_convert),
        cmocka_unit_test(graphs_have_the_very_unit_or_float),
        cmocka_unit_test(graphs_of_rates_are_per_second),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
