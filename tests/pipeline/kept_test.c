/*
 * Names with attributes, through the whole pipeline: kept attributes, templates, collisions, budgets.
 */
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint64_t NS_PER_S = 1000000000;

static const struct scene_resource SHOP = {.service = "shop"};

static struct scene *open_scene(const char *rules, struct pipeline_budgets budgets)
{
    return scene_open(&(struct pipeline_options){
        .watch_start_ns = scene_unix_ns(0),
        .grace_ns = 15 * NS_PER_S,
        .lateness_ns = 300 * NS_PER_S,
        .rules = rules,
        .budgets = budgets,
    });
}

/* One gauge of a queue at that time. */
static void say(struct scene *scene, const char *metric, const char *queue, double time_s,
                double value)
{
    struct scene_point point = {
        .time_s = time_s, .value = value, .key = "queue", .attribute = queue};

    scene_send(scene, time_s + 0.05, &(struct scene_metric){&SHOP, SCENE_GAUGE, metric},
               &point, 1);
}

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void kept_values_are_segments_behind_the_name(void **state)
{
    struct scene *scene = open_scene("[{\"keep\": [\"queue\"]}]",
                                     (struct pipeline_budgets){0});

    (void)state;
    say(scene, "queue.size", "orders", 70, 3);
    say(scene, "queue.size", "mail/out", 71, 5);
    say(scene, "queue.size", NULL, 72, 7);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.orders", 1), 3);
    assert_near(scene_value(scene, "queue.size.mail_out", 1), 5);
    assert_near(scene_value(scene, "queue.size._", 1), 7);
    scene_free(scene);
}

static void values_beyond_the_top_are_other(void **state)
{
    struct scene *scene = open_scene(
        "[{\"keep\": [{\"attribute\": \"queue\", \"top\": 2}], \"merge\": \"sum\"}]",
        (struct pipeline_budgets){0});
    struct pipeline_counts counts;

    (void)state;
    say(scene, "queue.size", "a", 70, 1);
    say(scene, "queue.size", "b", 71, 2);
    say(scene, "queue.size", "c", 72, 4);
    say(scene, "queue.size", "d", 73, 8);
    say(scene, "queue.size", "other", 74, 16);
    say(scene, "queue.room", "c", 75, 32);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.a", 1), 1);
    assert_near(scene_value(scene, "queue.size.b", 1), 2);
    assert_near(scene_value(scene, "queue.size.other", 1), 28);
    assert_near(scene_value(scene, "queue.room.c", 1), 32);
    pipeline_read_counts(scene->pipeline, &counts);
    assert_int_equal(counts.collapsed, 2);
    scene_free(scene);
}

static void the_budget_of_values_bounds_what_rules_allow(void **state)
{
    struct scene *scene = open_scene(
        "[{\"keep\": [{\"attribute\": \"queue\", \"top\": 9}]}]",
        (struct pipeline_budgets){.attribute_values = 1});

    (void)state;
    say(scene, "queue.size", "a", 70, 1);
    say(scene, "queue.size", "b", 71, 2);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.a", 1), 1);
    assert_near(scene_value(scene, "queue.size.other", 1), 2);
    scene_free(scene);
}

static void values_that_look_alike_are_not_merged(void **state)
{
    struct scene *scene = open_scene("[{\"keep\": [\"queue\"]}]",
                                     (struct pipeline_budgets){0});

    (void)state;
    say(scene, "queue.size", "a/b", 70, 1);
    say(scene, "queue.size", "a_b", 71, 2);
    say(scene, "queue.size", "a_b", 131, 2);
    scene_wait_until(scene, 300);
    assert_near(scene_value(scene, "queue.size.a_b", 1), 1);
    assert_int_equal(scene_reason(scene, REASON_NAME_COLLISION), 2);
    scene_free(scene);
}

static void templates_put_attributes_anywhere(void **state)
{
    struct scene *scene = open_scene("[{\"metric\": \"queues.{queue}.size\"}]",
                                     (struct pipeline_budgets){0});

    (void)state;
    say(scene, "q", "orders", 70, 3);
    say(scene, "q", "mail out", 71, 5);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queues.orders.size", 1), 3);
    assert_near(scene_value(scene, "queues.mail_out.size", 1), 5);
    scene_free(scene);
}

static void overflow_of_an_sdk_goes_to_other(void **state)
{
    struct scene *scene = open_scene("[{\"keep\": [\"queue\"]}]",
                                     (struct pipeline_budgets){0});
    struct scene_point point = {
        .time_s = 70, .value = 9, .key = "otel.metric.overflow", .attribute = "true"};

    (void)state;
    scene_send(scene, 70.05, &(struct scene_metric){&SHOP, SCENE_GAUGE, "queue.size"},
               &point, 1);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.other", 1), 9);
    scene_free(scene);
}

static void over_budget_new_values_become_other(void **state)
{
    struct scene *scene = open_scene("[{\"keep\": [\"queue\"], \"merge\": \"sum\"}]",
                                     (struct pipeline_budgets){.service_metrics = 3});

    (void)state;
    for (int i = 0; i < 6; i++) {
        char queue[] = {(char)('a' + i), '\0'};

        say(scene, "queue.size", queue, 70 + i, 1 << i);
    }
    say(scene, "other.metric", "a", 80, 64);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.a", 1), 1);
    assert_near(scene_value(scene, "queue.size.b", 1), 2);
    assert_near(scene_value(scene, "queue.size.other", 1), 4 + 8 + 16 + 32);
    assert_int_equal(scene_reason(scene, REASON_OVER_BUDGET), 1);
    scene_free(scene);
}

static void the_policy_may_be_to_refuse(void **state)
{
    struct scene *scene = open_scene(
        "[{\"keep\": [\"queue\"]}]",
        (struct pipeline_budgets){.service_metrics = 2, .refuses = 1});

    (void)state;
    say(scene, "queue.size", "a", 70, 1);
    say(scene, "queue.size", "b", 71, 2);
    say(scene, "queue.size", "c", 72, 3);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.a", 1), 1);
    assert_true(isnan(scene_value(scene, "queue.size.other", 1)));
    assert_int_equal(scene_reason(scene, REASON_OVER_BUDGET), 2);
    scene_free(scene);
}

/* The flood of the promise: with every default it stays within the budgets. */
static void a_flood_of_values_stays_within_the_budgets(void **state)
{
    struct scene *scene = open_scene(
        "[{\"keep\": [{\"attribute\": \"queue\", \"top\": 1000}]}]",
        (struct pipeline_budgets){.host_metrics = 200,
                                  .service_metrics = 200,
                                  .all_service_metrics = 200,
                                  .hosts = 1000,
                                  .attribute_values = 100});
    struct pipeline_budget_use use;
    struct pipeline_counts counts;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        char queue[16];

        snprintf(queue, sizeof(queue), "queue-%d", i);
        say(scene, "queue.size", queue, 70 + i / 100.0, 1);
    }
    pipeline_read_budget_use(scene->pipeline, &use);
    pipeline_read_counts(scene->pipeline, &counts);
    assert_int_equal(use.service_names, 101);
    assert_int_equal(use.hosts, 0);
    assert_int_equal(counts.collapsed, 1900);
    scene_free(scene);
}

static void long_names_are_cut(void **state)
{
    struct scene *scene = open_scene("[{\"keep\": [\"queue\"]}]",
                                     (struct pipeline_budgets){0});
    char queue[200] = {0};

    (void)state;
    memset(queue, 'x', sizeof(queue) - 1);
    say(scene, "queue.size", queue, 70, 1);
    scene_wait_until(scene, 200);
    assert_int_equal(scene->count, 1);
    assert_true(strlen(scene->values[0].name) <= 127);
    scene_free(scene);
}

/* The queue that has the only place falls silent for over an hour; the other one takes it. */
static void a_place_that_is_free_again_is_taken(void **state)
{
    struct scene *scene = open_scene(
        "[{\"keep\": [\"queue\"]}]",
        (struct pipeline_budgets){.service_metrics = 2, .refuses = 1});

    (void)state;
    say(scene, "queue.size", "a", 70, 1);
    for (int minute = 1; minute < 200; minute++)
        say(scene, "queue.size", "b", 60 * minute + 30, 2);
    assert_true(isnan(scene_value(scene, "queue.size.b", 2)));
    assert_near(scene_value(scene, "queue.size.b", 190), 2);
    scene_free(scene);
}

static void several_merges_are_several_values(void **state)
{
    struct scene *scene = open_scene(
        "[{\"merge\": [\"avg\", \"max\", \"min\", \"sum\"]}]",
        (struct pipeline_budgets){0});

    (void)state;
    say(scene, "queue.size", "a", 70, 1);
    say(scene, "queue.size", "b", 71, 5);
    scene_wait_until(scene, 200);
    assert_near(scene_value(scene, "queue.size.avg", 1), 3);
    assert_near(scene_value(scene, "queue.size.max", 1), 5);
    assert_near(scene_value(scene, "queue.size.min", 1), 1);
    assert_near(scene_value(scene, "queue.size.sum", 1), 6);
    scene_free(scene);
}

static double over_time(const char *how)
{
    char rules[64];
    struct scene *scene;
    double value;

    snprintf(rules, sizeof(rules), "[{\"over_time\": \"%s\", \"scale\": 10}]", how);
    scene = open_scene(rules, (struct pipeline_budgets){0});
    say(scene, "queue.size", "a", 70, 1);
    say(scene, "queue.size", "a", 80, 7);
    say(scene, "queue.size", "a", 90, 4);
    scene_wait_until(scene, 200);
    value = scene_value(scene, "queue.size", 1);
    scene_free(scene);
    return value;
}

static void a_minute_of_a_stream_is_what_the_rule_says(void **state)
{
    (void)state;
    assert_near(over_time("last"), 40);
    assert_near(over_time("avg"), 40);
    assert_near(over_time("min"), 10);
    assert_near(over_time("max"), 70);
}

/* A point a minute for three minutes, then silence: the stream is known for more than an hour. */
static void silent_minutes_are_filled_with_zero(void **state)
{
    struct scene *scene = open_scene("[{\"zero_fill\": true}]",
                                     (struct pipeline_budgets){0});

    (void)state;
    say(scene, "queue.size", "a", 70, 1);
    say(scene, "queue.size", "a", 130, 2);
    scene_wait_until(scene, 1800);
    assert_near(scene_value(scene, "queue.size", 2), 2);
    assert_near(scene_value(scene, "queue.size", 20), 0);
    scene_free(scene);
}

static void count(struct scene *scene, double time_s, double value)
{
    struct scene_point point = {
        .start_s = 30, .time_s = time_s, .value = value, .is_int = true};

    scene_send(scene, time_s + 0.05,
               &(struct scene_metric){&SHOP, SCENE_COUNTER, "orders"}, &point, 1);
}

/* 10 more from 1:30 to 2:30: 5 by the end of minute 1, 5 in minute 2; 7 more until 3:30: 3.5 of them
 * in minute 2, which is 3 whole ones, and 4 in minute 3. */
static void counts_are_whole_and_add_up(void **state)
{
    struct scene *scene = open_scene("[{\"statistics\": [\"count\", \"rate\"]}]",
                                     (struct pipeline_budgets){0});

    (void)state;
    count(scene, 90, 100);
    count(scene, 150, 110);
    count(scene, 210, 117);
    count(scene, 270, 117);
    scene_wait_until(scene, 600);
    assert_near(scene_value(scene, "orders.count", 2), 5 + 3);
    assert_near(scene_value(scene, "orders.rate", 2), (5 + 3.5) / 60);
    assert_near(scene_value(scene, "orders.count", 3), 4);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kept_values_are_segments_behind_the_name),
        cmocka_unit_test(values_beyond_the_top_are_other),
        cmocka_unit_test(the_budget_of_values_bounds_what_rules_allow),
        cmocka_unit_test(values_that_look_alike_are_not_merged),
        cmocka_unit_test(templates_put_attributes_anywhere),
        cmocka_unit_test(overflow_of_an_sdk_goes_to_other),
        cmocka_unit_test(over_budget_new_values_become_other),
        cmocka_unit_test(the_policy_may_be_to_refuse),
        cmocka_unit_test(a_flood_of_values_stays_within_the_budgets),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(a_place_that_is_free_again_is_taken),
        cmocka_unit_test(several_merges_are_several_values),
        cmocka_unit_test(a_minute_of_a_stream_is_what_the_rule_says),
        cmocka_unit_test(silent_minutes_are_filled_with_zero),
        cmocka_unit_test(counts_are_whole_and_add_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
