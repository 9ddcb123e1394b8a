/* What `explain` and `test` say, and that it is what happens. */
#include "app/explain.h"

#include "app/mapping_test.h"
#include "base/memory.h"
#include "pipeline/explain.h"
#include "tests/pipeline/scene_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const struct pipeline_options OPTIONS = {.grace_ns = 15000000000,
                                                .lateness_ns = 300000000000};
static const struct scene_resource SHOP = {.service = "shop", .unit = "s"};
static const struct scene_resource WEB = {.host = "web-1"};
static const struct scene_resource NOBODY = {.scope = "nobody"};

/* Everything that was posted, a name a line. */
static void keep(void *self, const struct mackerel_row *rows, size_t count)
{
    struct buffer *names = self;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].count; k++) {
            buffer_append_char(names, '\n');
            buffer_append(names, rows[i].values[k].name);
            buffer_append_char(names, '\n');
        }
}

static void add(struct buffer *body, const struct scene_resource *resource,
                enum scene_kind kind, const char *name, struct scene_point point)
{
    scene_body_append(body, &(struct scene_metric){resource, kind, name}, &point, 1);
}

/* A minute after the other: a counter, a histogram, a gauge and two kinds of host metrics. */
static void write_request(struct buffer *body, int minute)
{
    static const uint64_t buckets[][2] = {{1, 0}, {3, 1}, {5, 2}, {7, 3}};
    static const double bound = 1;
    double time_s = 600 + 60.0 * minute;

    add(body, &SHOP, SCENE_COUNTER, "calls",
        (struct scene_point){.time_s = time_s, .value = minute * 6});
    add(body, &SHOP, SCENE_HISTOGRAM, "wait",
        (struct scene_point){.time_s = time_s,
                             .value = minute,
                             .count = buckets[minute][0] + buckets[minute][1],
                             .buckets = buckets[minute],
                             .bounds = &bound,
                             .bound_count = 1});
    add(body, &SHOP, SCENE_GAUGE, "depth",
        (struct scene_point){
            .time_s = time_s, .value = 7, .key = "queue", .attribute = "mail"});
    add(body, &WEB, SCENE_GAUGE, "system.cpu.load_average.5m",
        (struct scene_point){.time_s = time_s, .value = 0.5});
    add(body, &WEB, SCENE_GAUGE, "system.fan.speed",
        (struct scene_point){.time_s = time_s, .value = 900});
    add(body, &NOBODY, SCENE_GAUGE, "lost",
        (struct scene_point){.time_s = time_s, .value = 1});
}

static struct rehearsal *rehearse(pipeline_emit *emit, void *self, int minutes)
{
    struct rehearsal *rehearsal = rehearsal_new(&OPTIONS, emit, self);

    for (int minute = 0; minute < minutes; minute++) {
        struct buffer body = {0};
        struct error err;

        write_request(&body, minute);
        assert_true(rehearsal_take(rehearsal, buffer_slice(&body), &err));
        buffer_release(&body);
    }
    return rehearsal;
}

static void assert_says(struct buffer *text, const char *words)
{
    buffer_append_char(text, '\0');
    text->len--;
    if (!strstr(text->ptr, words))
        fail_msg("\"%s\" is not in:\n%s", words, text->ptr);
}

static struct buffer explain_with(const char *rules, struct buffer *cost)
{
    struct pipeline_options options = OPTIONS;
    struct rehearsal *rehearsal;
    struct buffer body = {0}, text = {0};
    struct error err;

    options.rules = rules;
    rehearsal = rehearsal_new(&options, NULL, NULL);
    write_request(&body, 0);
    assert_true(rehearsal_take(rehearsal, buffer_slice(&body), &err));
    explain_request(rehearsal, &text);
    if (cost)
        explain_cost(rehearsal_pipeline(rehearsal), cost);
    rehearsal_free(rehearsal);
    buffer_release(&body);
    return text;
}

static struct buffer explain(struct buffer *cost)
{
    return explain_with(NULL, cost);
}

static void a_stream_is_told_its_destination_and_its_names(void **state)
{
    struct buffer text = explain(NULL);

    (void)state;
    assert_says(&text, "resource {service.name=shop}\n");
    assert_says(&text, "  calls  (counter, cumulative, unit s)\n");
    assert_says(&text, "    rule everything else (");
    assert_says(&text, "    to service shop\n      calls.rate\n    <- {}\n");
    assert_says(&text, "      wait.rate\n      wait.avg\n      wait.p90\n      wait.p95\n"
                       "      wait.p99\n");
    assert_says(&text, "      depth\n    <- {queue=mail}\n");
    assert_says(&text, "    to host name=web-1\n      loadavg5\n");
    assert_says(&text, "      custom.system.fan.speed\n");
    buffer_release(&text);
}

static void a_stream_without_a_destination_is_told_why(void **state)
{
    struct buffer text = explain(NULL);

    (void)state;
    assert_says(&text, "  lost  (gauge)\n    rule everything else (");
    assert_says(&text, "    not posted: no_service (");
    buffer_release(&text);
}

/* One that a rule leaves out, one that a rule drops, one that no rule matches, one with a plan of its own. */
static void rules_are_told_by_name_and_place(void **state)
{
    struct buffer text = explain_with(
        "[{\"name\":\"chats\",\"match\":{\"metric\":\"depth\"},\"where\":{\"queue\":\"chat\"}},"
        "{\"name\":\"no fans\",\"match\":{\"metric\":\"system.fan.*\"},"
        "\"destination\":\"drop\"},"
        "{\"name\":\"slow\",\"match\":{\"metric\":\"wait\"},\"statistics\":[\"p99.9\"]}]",
        NULL);

    (void)state;
    assert_says(&text, "  depth  (gauge, unit s)\n    rule chats (1 of 3)\n"
                       "    not posted: filtered (");
    assert_says(&text, "    rule no fans (2 of 3)\n    not posted: filtered (");
    assert_says(&text, "    rule slow (3 of 3)\n    to service shop\n      wait.p99_9\n"
                       "    <- {}\n");
    assert_says(&text,
                "  calls  (counter, cumulative, unit s)\n    not posted: no_rule (");
    buffer_release(&text);
}

/* 1 + 5 + 1 names of the service; loadavg5 and a custom one of the host. */
static void names_are_counted_by_destination(void **state)
{
    struct buffer cost = {0}, text = explain(&cost);

    (void)state;
    assert_says(&cost, "  service shop: 7 metric names\n");
    assert_says(&cost, "  host name=web-1: 2 metric names of 200 included\n");
    assert_says(&cost, "  in all: hosts 1 with 2 metric names, services 1 with 7\n");
    buffer_release(&text);
    buffer_release(&cost);
}

struct comparing {
    struct buffer *posted;
    size_t names;
};

static void expect_posted(void *self, struct slice name)
{
    struct comparing *comparing = self;
    char line[128];

    comparing->names++;
    snprintf(line, sizeof(line), "\n%.*s\n", SLICE_ARG(name));
    assert_says(comparing->posted, line);
}

static void what_is_explained_is_what_is_posted(void **state)
{
    struct buffer posted = {0};
    struct comparing comparing = {.posted = &posted};
    struct rehearsal *rehearsal = rehearse(keep, &posted, 4);
    struct pipeline *p = rehearsal_pipeline(rehearsal);

    (void)state;
    rehearsal_finish(rehearsal);
    for (uint32_t cell = 0; cell < p->cells.used; cell++)
        if (explain_is_cell(p, cell))
            explain_names(p, cell, expect_posted, &comparing);
    assert_int_equal(comparing.names, 9);
    rehearsal_free(rehearsal);
    buffer_release(&posted);
}

/* ---- tests of users ------------------------------------------------------------------------- */

static char directory[] = "/tmp/explain-test-XXXXXX";

static void write_file(const char *name, struct slice content, char path[128])
{
    FILE *file;

    snprintf(path, 128, "%s/%s", directory, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content.ptr, 1, content.len, file), content.len);
    assert_int_equal(fclose(file), 0);
}

static int make_files(void **state)
{
    char path[128], name[32];

    (void)state;
    assert_non_null(mkdtemp(directory));
    for (int minute = 0; minute < 4; minute++) {
        struct buffer body = {0};

        write_request(&body, minute);
        snprintf(name, sizeof(name), "%d.bin", minute);
        write_file(name, buffer_slice(&body), path);
        buffer_release(&body);
    }
    return 0;
}

static int remove_files(void **state)
{
    static const char *const names[] = {"0.bin", "1.bin", "2.bin", "3.bin", "t.yaml"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        unlink(path);
    }
    return rmdir(directory);
}

static bool run(const char *yaml, struct mapping_results *results, struct buffer *out,
                struct error *err)
{
    char path[128];

    write_file("t.yaml", slice_of(yaml), path);
    return mapping_test_run(path, &OPTIONS, results, out, err);
}

/* 6 calls a minute are 0.1 per second; minutes by UTC: 600 s after midnight is minute 10. */
static void a_test_that_holds_passes(void **state)
{
    struct mapping_results results = {0};
    struct buffer out = {0};
    struct error err;

    (void)state;
    assert_true(run("- name: calls\n"
                    "  input: [0.bin, 1.bin, 2.bin, 3.bin]\n"
                    "  expect:\n"
                    "    - {service: shop, name: wait.p99}\n"
                    "    - {service: shop, name: calls.rate, value: 0.1}\n"
                    "    - {service: shop, name: depth, value: 7, minute: 1795479000}\n"
                    "    - {host: web-1, name: \"custom.*.speed\", value: 900}\n"
                    "  absent:\n"
                    "    - {host: web-1, name: depth}\n",
                    &results, &out, &err));
    assert_int_equal(results.passed, 1);
    assert_int_equal(results.failed, 0);
    assert_says(&out, "ok      calls\n");
    buffer_release(&out);
}

static void a_test_that_does_not_hold_says_where(void **state)
{
    struct mapping_results results = {0};
    struct buffer out = {0};
    struct error err;

    (void)state;
    assert_true(run("- input: 0.bin\n"
                    "  expect:\n"
                    "    - {service: shop, name: depth, value: 8}\n"
                    "- name: second\n"
                    "  input: 0.bin\n"
                    "  absent:\n"
                    "    - {service: shop, name: \"w?it.*\"}\n",
                    &results, &out, &err));
    assert_int_equal(results.failed, 2);
    assert_says(&out, "t.yaml:3: not posted: service shop, depth\n"
                      "    minute 1795479000 is 7\n");
    assert_says(&out, "FAILED  second\n");
    assert_says(&out, "t.yaml:7: posted: service shop, w?it.* is wait.rate\n");
    buffer_release(&out);
}

static void a_file_that_makes_no_sense_is_refused(void **state)
{
    static const struct {
        const char *yaml, *where;
    } cases[] = {
        {"name: x\n", "a list of tests is wanted"},
        {"- inputs: 0.bin\n", "t.yaml:1:3: keys are name, input, expect, absent"},
        {"- input: missing.bin\n", "t.yaml:1:10: "},
        {"- input: t.yaml\n", "t.yaml:1:10: "},
        {"- expect: []\n", "a test needs input"},
        {"- input: 0.bin\n  expect:\n    - {service: shop}\n", "t.yaml:3:7: "},
        {"- input: 0.bin\n  expect:\n    - {service: a, name: b, value: x}\n",
         "t.yaml:3:36: a value is a number"},
        {"- input: 0.bin\n  expect:\n    - {service: a, name: b, minute: 61}\n",
         "t.yaml:3:37: a minute"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mapping_results results = {0};
        struct buffer out = {0};
        struct error err;

        assert_false(run(cases[i].yaml, &results, &out, &err));
        if (!strstr(err.text, cases[i].where))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].where, err.text);
        buffer_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_told_its_destination_and_its_names),
        cmocka_unit_test(a_stream_without_a_destination_is_told_why),
        cmocka_unit_test(rules_are_told_by_name_and_place),
        cmocka_unit_test(names_are_counted_by_destination),
        cmocka_unit_test(what_is_explained_is_what_is_posted),
        cmocka_unit_test(a_test_that_holds_passes),
        cmocka_unit_test(a_test_that_does_not_hold_says_where),
        cmocka_unit_test(a_file_that_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
