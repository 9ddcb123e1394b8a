/*
 * The keys `rules` and `packs`: what is wrong is said where it stands, what is right becomes one text.
 */
#include "app/config_rules.h"

#include "app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *yaml;

static char *read_variable(const char *name)
{
    if (strcmp(name, "TEST_CONFIG") == 0)
        return (char *)(uintptr_t)yaml;
    return strcmp(name, "TEAM") == 0 ? (char *)(uintptr_t) "shop" : NULL;
}

static struct problems load(struct config *config, const char *text, const char *set)
{
    const char *files[] = {"env:TEST_CONFIG"}, *sets[] = {set};
    struct problems problems = {0};

    yaml = text;
    config_load(config,
                &(struct config_sources){
                    .files = files,
                    .file_count = 1,
                    .sets = sets,
                    .set_count = set != NULL,
                    .environment = read_variable,
                },
                &problems);
    return problems;
}

static void assert_says(const char *text, const char *expected)
{
    struct config config;
    struct problems problems = load(&config, text, NULL);

    buffer_append_char(&problems.text, '\0');
    assert_string_equal(problems.text.ptr, expected);
    problems_release(&problems);
    config_release(&config);
}

static void assert_in_force(const char *text, const char *set, const char *expected)
{
    struct config config;
    struct problems problems = load(&config, text, set);

    assert_int_equal(problems.count, 0);
    assert_string_equal(config.rules_in_force, expected);
    problems_release(&problems);
    config_release(&config);
}

static void what_is_wrong_is_said_where_it_stands(void **state)
{
    (void)state;
    assert_says(
        "rules:\n"
        "  - mach: {metric: a}\n"
        "  - destination: hots\n"
        "    native: true\n",
        "env:TEST_CONFIG:2:5: rules: unknown key 'mach', did you mean 'match'?\n"
        "env:TEST_CONFIG:3:18: rules: unknown value 'hots', did you mean 'host'?\n"
        "env:TEST_CONFIG:3:5: rules: native: only with destination: host\n");
    assert_says("rules: [{match: {metric: /(/}}]\n",
                "env:TEST_CONFIG:1:26: rules: '/(/' is no regular expression: missing "
                "closing parenthesis (at byte 1)\n");
    assert_says(
        "rules: [{metric: 'a b'}]\n",
        "env:TEST_CONFIG:1:18: rules: 'a b': names of metrics are made of A-Z a-z "
        "0-9 _ - and dots\n");
    assert_says("rules: [{statistics: [p50, p100]}]\n",
                "env:TEST_CONFIG:1:28: rules: unknown statistic 'p100'\n");
    assert_says("rules: [{destination: labeled}]\n",
                "env:TEST_CONFIG:1:23: rules: 'labeled' is reserved; service, host and "
                "drop work\n");
    assert_says("rules: [{scale: 0}]\n",
                "env:TEST_CONFIG:1:17: rules: '0' is no number other than 0\n");
}

static void a_pack_that_is_none_is_said(void **state)
{
    (void)state;
    assert_says("packs: [generic, natve]\n",
                "env:TEST_CONFIG:1:18: packs: there is no 'natve'\n");
}

static void rules_come_before_the_packs_that_are_on(void **state)
{
    (void)state;
    assert_in_force(
        "rules:\n"
        "  - {name: mine, match: {metric: [a, 'b*'], resource: {x: true, y: 'true'}}}\n"
        "  - {scale: 0.5, service: '${env:TEAM}'}\n"
        "packs: [generic]\n",
        NULL,
        "[{\"name\": \"mine\", \"match\": {\"metric\": [\"a\", \"b*\"], \"resource\": "
        "{\"x\": true, \"y\": \"true\"}}}, {\"name\": \"rules[1]\", \"scale\": 0.5, "
        "\"service\": \"shop\"}, {\"name\": \"everything else\", \"destination\": "
        "\"service\"}]");
    assert_in_force("packs: []\n", NULL, "[]");
    assert_in_force("packs: []\n", "packs=generic",
                    "[{\"name\": \"everything else\", \"destination\": \"service\"}]");
    assert_in_force("packs: []\n", "rules=[{destination: drop}]",
                    "[{\"name\": \"rules[0]\", \"destination\": \"drop\"}]");
}

static void the_rules_are_printed(void **state)
{
    struct config config;
    struct problems problems = load(&config, "packs: [generic]\n", NULL);
    struct buffer out = {0};

    (void)state;
    config_rules_print(&config, &out);
    buffer_append_char(&out, '\0');
    assert_non_null(strstr(out.ptr, "pack native-host (off)\n"));
    assert_non_null(strstr(out.ptr, "pack generic\n"));
    assert_non_null(strstr(out.ptr, "  native: true\n"));
    buffer_release(&out);
    problems_release(&problems);
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wrong_is_said_where_it_stands),
        cmocka_unit_test(a_pack_that_is_none_is_said),
        cmocka_unit_test(rules_come_before_the_packs_that_are_on),
        cmocka_unit_test(the_rules_are_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
