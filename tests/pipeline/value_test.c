/*
 * Gauges, up-down counters and native instants through the whole pipeline.
 */
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct scene_resource SHOP = {.service = "shop"};
static const struct scene_resource SHOP_B = {.service = "shop", .instance = "b"};
static const struct scene_resource HOST = {.host = "web-1", .scope = "memoryscraper"};

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void say(struct scene *scene, const struct scene_resource *resource,
                enum scene_kind kind, double time_s, double value)
{
    struct scene_point point = {.time_s = time_s, .value = value};

    scene_send(scene, time_s + 0.05, &(struct scene_metric){resource, kind, "queue.size"},
               &point, 1);
}

static void gauge_is_the_last_value_of_the_minute(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 12; beat++)
        say(scene, &SHOP, SCENE_GAUGE, 60 + 10 * beat, beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 1), 5);
    assert_near(scene_value(scene, "queue.size", 2), 11);
    assert_true(isnan(scene_value(scene, "queue.size", 3)));
    scene_free(scene);
}

static void point_on_the_boundary_belongs_to_the_minute_that_begins(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    say(scene, &SHOP, SCENE_GAUGE, 119.5, 1);
    say(scene, &SHOP, SCENE_GAUGE, 120, 2);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 1), 1);
    assert_near(scene_value(scene, "queue.size", 2), 2);
    scene_free(scene);
}

static void slow_gauge_is_carried_while_it_is_alive(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 4; beat++)
        say(scene, &SHOP, SCENE_GAUGE, 90 + 300 * beat, beat);
    scene_wait_until(scene, 7200);
    for (uint64_t minute = 6; minute < 11; minute++)
        assert_near(scene_value(scene, "queue.size", minute), 1);
    assert_near(scene_value(scene, "queue.size", 16), 3);
    assert_near(scene_value(scene, "queue.size", 21), 3);
    assert_true(isnan(scene_value(scene, "queue.size", 23)));
    scene_free(scene);
}

static void instances_merge_gauges_by_mean_and_counters_by_sum(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 12; beat++) {
        say(scene, &SHOP, SCENE_GAUGE, 60 + 10 * beat, 4);
        say(scene, &SHOP_B, SCENE_GAUGE, 61 + 10 * beat, 10);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 1), 7);
    scene_free(scene);

    scene = scene_new(0);
    for (int beat = 0; beat < 12; beat++) {
        say(scene, &SHOP, SCENE_UPDOWN, 60 + 10 * beat, 4);
        say(scene, &SHOP_B, SCENE_UPDOWN, 61 + 10 * beat, 10);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 1), 14);
    scene_free(scene);
}

static void restart_does_not_count_old_and_new_together(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 9; beat++) /* until 140 */
        say(scene, &SHOP, SCENE_UPDOWN, 60 + 10 * beat, 4);
    for (int beat = 0; beat < 4; beat++) /* from 145 */
        say(scene, &SHOP_B, SCENE_UPDOWN, 145 + 10 * beat, 9);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 2), 9);
    scene_free(scene);
}

static void stopped_sender_gives_its_last_value_once(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 8; beat++) /* until 130 */
        say(scene, &SHOP, SCENE_UPDOWN, 60 + 10 * beat, beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 2), 7);
    assert_true(isnan(scene_value(scene, "queue.size", 3)));
    scene_free(scene);
}

static void say_late(struct scene *scene, double receive_s, double time_s, double value)
{
    struct scene_point point = {.time_s = time_s, .value = value};

    scene_send(scene, receive_s, &(struct scene_metric){&SHOP, SCENE_GAUGE, "queue.size"},
               &point, 1);
}

static void late_points_of_a_minute_that_closed_empty_are_posted(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    /* A sender that was cut off sends its newest point first, then what it kept. */
    say_late(scene, 306, 305, 5);
    say_late(scene, 400, 65, 1);
    /* By 450 s minute 1 is posted and minute 2, looked at behind it, closed with nothing. */
    for (int beat = 0; beat < 6; beat++)
        say_late(scene, 450 + beat, 125 + 10 * beat, 10 + beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 1), 1);
    assert_near(scene_value(scene, "queue.size", 2), 15);
    assert_near(scene_value(scene, "queue.size", 5), 5);
    assert_int_equal(scene_reason(scene, REASON_PARTIAL), 0);
    scene_free(scene);
}

static void marker_of_no_value_ends_a_gauge(void **state)
{
    struct scene *scene = scene_new(0);
    struct scene_point marker = {.time_s = 125, .flags = 1};

    (void)state;
    say(scene, &SHOP, SCENE_GAUGE, 65, 1);
    scene_send(scene, 126, &(struct scene_metric){&SHOP, SCENE_GAUGE, "queue.size"},
               &marker, 1);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "queue.size", 1), 1);
    assert_true(isnan(scene_value(scene, "queue.size", 2)));
    assert_int_equal(scene_reason(scene, REASON_STALE_MARKER), 1);
    scene_free(scene);
}

static void load_is_read_at_the_minutes_start_between_the_points_around_it(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 10; beat++) {
        struct scene_point point = {.time_s = 45 + 60 * beat, .value = 4 * beat};

        scene_send(
            scene, point.time_s + 1,
            &(struct scene_metric){&HOST, SCENE_GAUGE, "system.cpu.load_average.5m"},
            &point, 1);
    }
    scene_wait_until(scene, 3600);
    /* between 1 x 4 at 105 s and 2 x 4 at 165 s, a quarter of the way at 120 s */
    assert_near(scene_value(scene, "loadavg5", 2), 5);
    assert_near(scene_value(scene, "loadavg5", 3), 9);
    assert_near(scene_value(scene, "loadavg5", 0), 0);
    scene_free(scene);
}

static void second_source_of_a_native_group_waits_until_the_first_is_gone(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_resource sdk = {.host = "web-1", .service = "app", .is_sdk = true};

    (void)state;
    for (int beat = 0; beat < 30; beat++) {
        struct scene_point point = {.time_s = 60 + 10 * beat, .value = 1};

        if (beat < 12)
            scene_send(
                scene, point.time_s,
                &(struct scene_metric){&HOST, SCENE_GAUGE, "system.cpu.load_average.1m"},
                &point, 1);
        point.value = 7;
        scene_send(
            scene, point.time_s,
            &(struct scene_metric){&sdk, SCENE_GAUGE, "system.cpu.load_average.1m"},
            &point, 1);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "loadavg1", 2), 1);
    assert_near(scene_value(scene, "loadavg1", 4), 7);
    assert_in_range(scene_reason(scene, REASON_OTHER_SOURCE), 12, 14);
    scene_free(scene);
}

static void metric_without_service_or_host_says_why(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_resource nobody = {.scope = "x"};
    struct scene_point point = {.time_s = 60, .value = 1};

    (void)state;
    scene_send(scene, 60, &(struct scene_metric){&nobody, SCENE_GAUGE, "queue.size"},
               &point, 1);
    scene_send(scene, 60, &(struct scene_metric){&nobody, SCENE_GAUGE, "system.thing"},
               &point, 1);
    assert_int_equal(scene_reason(scene, REASON_NO_SERVICE), 1);
    assert_int_equal(scene_reason(scene, REASON_NO_IDENTITY), 1);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gauge_is_the_last_value_of_the_minute),
        cmocka_unit_test(point_on_the_boundary_belongs_to_the_minute_that_begins),
        cmocka_unit_test(slow_gauge_is_carried_while_it_is_alive),
        cmocka_unit_test(instances_merge_gauges_by_mean_and_counters_by_sum),
        cmocka_unit_test(restart_does_not_count_old_and_new_together),
        cmocka_unit_test(stopped_sender_gives_its_last_value_once),
        cmocka_unit_test(late_points_of_a_minute_that_closed_empty_are_posted),
        cmocka_unit_test(marker_of_no_value_ends_a_gauge),
        cmocka_unit_test(load_is_read_at_the_minutes_start_between_the_points_around_it),
        cmocka_unit_test(second_source_of_a_native_group_waits_until_the_first_is_gone),
        cmocka_unit_test(metric_without_service_or_host_says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
