/*
 * Totals through the whole pipeline: what values.md promises for counters, minute by minute.
 * Expected values are worked out by hand from the linear rise between points.
 */
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct scene_resource SDK = {.service = "shop", .is_sdk = true};
static const struct scene_resource COLLECTOR = {.service = "shop"};

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void send_counter(struct scene *scene, const struct scene_resource *resource,
                         double start_s, double time_s, double value)
{
    struct scene_point point = {.start_s = start_s, .time_s = time_s, .value = value};

    scene_send(scene, time_s + 0.05,
               &(struct scene_metric){resource, SCENE_COUNTER, "requests"}, &point, 1);
}

/* Deterministic jitter of at most 0.2 s around the beat. */
static double jitter(int beat)
{
    static const double steps[] = {0.11, -0.2, 0.03, 0.2, -0.07, 0, -0.13};

    return steps[beat % 7];
}

/* 5 requests a second from second 7 on, sent every interval_s by a sender that ran before us. */
static void constant_rate(double interval_s, bool jitters)
{
    struct scene *scene = scene_new(0);
    int beats = (int)(3600 / interval_s);

    for (int beat = 1; beat <= beats; beat++) {
        double time_s = beat * interval_s + (jitters ? jitter(beat) : 0) + 7 * !jitters;

        send_counter(scene, &COLLECTOR, 0, time_s, 1000000 + 5 * time_s);
    }
    scene_wait_until(scene, 7200);

    uint64_t first = (uint64_t)(interval_s / 60) + 1;

    for (uint64_t minute = first; minute < 58; minute++) {
        assert_near(scene_value(scene, "requests.rate", minute), 5);
        assert_int_equal(scene_posts(scene, "requests.rate", minute), 1);
    }
    assert_true(isnan(scene_value(scene, "requests.rate", 0)));
    scene_free(scene);
}

static void constant_rate_is_a_constant_line_at_1_s(void **state)
{
    (void)state;
    constant_rate(1, false);
}

static void constant_rate_is_a_constant_line_at_10_s(void **state)
{
    (void)state;
    constant_rate(10, false);
}

static void constant_rate_is_a_constant_line_at_15_s(void **state)
{
    (void)state;
    constant_rate(15, false);
}

static void constant_rate_is_a_constant_line_at_30_s(void **state)
{
    (void)state;
    constant_rate(30, false);
}

static void constant_rate_is_a_constant_line_at_60_s_with_jitter(void **state)
{
    (void)state;
    constant_rate(60, true);
}

static void constant_rate_is_a_constant_line_at_300_s(void **state)
{
    (void)state;
    constant_rate(300, false);
}

static void counts_of_a_young_stream_are_conserved(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 1; beat <= 30; beat++)
        send_counter(scene, &SDK, 100, 100 + 13.7 * beat, 17 * beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_total(scene, "requests.rate") * 60, 17 * 30);
    scene_free(scene);
}

static void part_minute_of_the_first_meeting_is_not_posted(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 20; beat++)
        send_counter(scene, &COLLECTOR, 0, 30 + 10 * beat, 100 * beat);
    scene_wait_until(scene, 3600);
    assert_true(isnan(scene_value(scene, "requests.rate", 0)));
    assert_near(scene_value(scene, "requests.rate", 1), 10);
    assert_int_equal(scene_reason(scene, REASON_BASELINE), 1);
    assert_int_equal(scene_reason(scene, REASON_PARTIAL), 3);
    scene_free(scene);
}

static void sender_that_stops_gives_its_last_part_minute(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat <= 14; beat++) /* last point at 150 s: half of minute 2 */
        send_counter(scene, &COLLECTOR, 0, 10 + 10 * beat, 60 * beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "requests.rate", 1), 6);
    assert_near(scene_value(scene, "requests.rate", 2), 3);
    assert_true(isnan(scene_value(scene, "requests.rate", 3)));
    scene_free(scene);
}

static void two_replicas_without_instance_id_are_two_streams(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 1; beat <= 18; beat++) {
        send_counter(scene, &SDK, 60, 60 + 10 * beat, 10 * beat);
        send_counter(scene, &SDK, 63, 63 + 10 * beat, 30 * beat);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_total(scene, "requests.rate") * 60, 18 * 10 + 18 * 30);
    assert_near(scene_value(scene, "requests.rate", 2), 4);
    scene_free(scene);
}

static void restart_counts_from_zero_and_loses_nothing(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 1; beat <= 6; beat++)
        send_counter(scene, &SDK, 60, 60 + 10 * beat, 100 * beat);
    for (int beat = 1; beat <= 6; beat++)
        send_counter(scene, &SDK, 125, 125 + 10 * beat, 100 * beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_total(scene, "requests.rate") * 60, 1200);
    scene_free(scene);
}

static void falling_total_with_a_known_start_is_a_new_baseline(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    send_counter(scene, &SDK, 60, 70, 50);
    send_counter(scene, &SDK, 60, 80, 20);
    send_counter(scene, &SDK, 60, 90, 25);
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_FELL), 1);
    assert_near(scene_total(scene, "requests.rate") * 60, 55);
    scene_free(scene);
}

static void falling_total_without_a_start_counts_from_zero(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    send_counter(scene, &COLLECTOR, 0, 60, 50);
    send_counter(scene, &COLLECTOR, 0, 120, 80);
    send_counter(scene, &COLLECTOR, 0, 180, 12);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "requests.rate", 1), 0.5);
    assert_near(scene_value(scene, "requests.rate", 2), 0.2);
    scene_free(scene);
}

static void since_boot_total_with_a_fresh_start_makes_no_spike(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 0; beat < 20; beat++)
        send_counter(scene, &SDK, 100, 100.02 + 10 * beat, 1316000 + 60 * beat);
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_SINCE_BOOT), 1);
    assert_near(scene_value(scene, "requests.rate", 2), 6);
    assert_near(scene_total(scene, "requests.rate") * 60, 60 * 19);
    scene_free(scene);
}

static void first_error_of_a_long_running_process_counts(void **state)
{
    struct scene *scene = scene_new(5000);
    struct scene_point ok = {.start_s = 10, .key = "status", .attribute = "200"};
    struct scene_point error = {.start_s = 10, .key = "status", .attribute = "500"};

    (void)state;
    for (int beat = 0; beat < 20; beat++) {
        struct scene_point points[2] = {ok, error};

        points[0].time_s = points[1].time_s = 6000 + 10 * beat;
        points[0].value = 70000;
        points[1].value = 3;
        scene_send(scene, 6000.1 + 10 * beat,
                   &(struct scene_metric){&SDK, SCENE_COUNTER, "requests"}, points,
                   beat < 5 ? 1 : 2);
    }
    scene_wait_until(scene, 9000);
    assert_near(scene_total(scene, "requests.rate") * 60, 3);
    scene_free(scene);
}

static void ninth_start_of_one_identity_is_not_taken(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int start = 1; start <= 9; start++)
        send_counter(scene, &SDK, 60 + start, 70.5 + start, 1);
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_START_CHURN), 1);
    scene_free(scene);
}

static void repeated_and_late_points_are_told_apart(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    const struct scene_point again[] = {
        {.start_s = 60, .time_s = 80, .value = 8},
        {.start_s = 60, .time_s = 80, .value = 9},
        {.start_s = 60, .time_s = 70, .value = 5},
    };

    send_counter(scene, &SDK, 60, 70, 5);
    send_counter(scene, &SDK, 60, 80, 8);
    scene_send(scene, 80.1, &(struct scene_metric){&SDK, SCENE_COUNTER, "requests"},
               again, 3);
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_DUPLICATE), 1);
    assert_int_equal(scene_reason(scene, REASON_OUT_OF_ORDER), 2);
    scene_free(scene);
}

static void gap_of_over_an_hour_is_a_new_baseline(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    send_counter(scene, &COLLECTOR, 0, 60, 10);
    send_counter(scene, &COLLECTOR, 0, 120, 20);
    send_counter(scene, &COLLECTOR, 0, 120 + 3601, 5000);
    scene_wait_until(scene, 9000);
    assert_int_equal(scene_reason(scene, REASON_GAP), 1);
    assert_near(scene_total(scene, "requests.rate") * 60, 10);
    scene_free(scene);
}

static void late_point_corrects_a_posted_minute_within_five_minutes(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_resource other = {.service = "shop", .instance = "b"};

    (void)state;
    for (int beat = 0; beat <= 36; beat++) {
        send_counter(scene, &COLLECTOR, 0, 10 * beat + 1, 60 * beat);
        if (beat <= 12)
            send_counter(scene, &other, 0, 10 * beat + 1, 60 * beat);
    }
    /* b was cut off at 121 s and comes back at 361 s with what it counted meanwhile */
    send_counter(scene, &other, 0, 361, 60 * 36);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "requests.rate", 3), 12);
    assert_near(scene_value(scene, "requests.rate", 5), 12);
    assert_int_equal(scene_posts(scene, "requests.rate", 3), 2);
    scene_free(scene);
}

static void delta_window_is_spread_over_its_minutes(void **state)
{
    struct scene *scene = scene_new(0);
    struct scene_point point = {.start_s = 90, .time_s = 210, .value = 120};

    (void)state;
    scene_send(scene, 211, &(struct scene_metric){&SDK, SCENE_DELTA, "requests"}, &point,
               1);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "requests.rate", 1), 0.5);
    assert_near(scene_value(scene, "requests.rate", 2), 1);
    assert_near(scene_value(scene, "requests.rate", 3), 0.5);
    scene_free(scene);
}

static void delta_window_used_twice_is_added_twice(void **state)
{
    struct scene *scene = scene_new(0);
    struct scene_point point = {.start_s = 60, .time_s = 120, .value = 30};

    (void)state;
    scene_send(scene, 121, &(struct scene_metric){&SDK, SCENE_DELTA, "requests"}, &point,
               1);
    point.value = 6;
    scene_send(scene, 122, &(struct scene_metric){&SDK, SCENE_DELTA, "requests"}, &point,
               1);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "requests.rate", 1), 0.6);
    assert_true(isnan(scene_value(scene, "requests.rate", 2)));
    scene_free(scene);
}

static void silent_delta_stream_is_zero_while_its_source_reports(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int beat = 1; beat <= 30; beat++) {
        struct scene_point point = {
            .start_s = 50 + 10 * beat, .time_s = 60 + 10 * beat, .value = 12};

        scene_send(scene, 60.1 + 10 * beat,
                   &(struct scene_metric){&SDK, SCENE_DELTA, "steady"}, &point, 1);
        if (beat == 1 || beat == 30)
            scene_send(scene, 60.2 + 10 * beat,
                       &(struct scene_metric){&SDK, SCENE_DELTA, "rare"}, &point, 1);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "rare.rate", 1), 0.2);
    assert_near(scene_value(scene, "rare.rate", 2), 0);
    assert_near(scene_value(scene, "rare.rate", 4), 0);
    assert_near(scene_total(scene, "rare.rate") * 60, 24);
    scene_free(scene);
}

static void future_and_day_old_points_are_dropped(void **state)
{
    struct scene *scene = scene_new(0);
    struct scene_point points[] = {
        {.time_s = 90061.5, .value = 1},
        {.time_s = 3500, .value = 1},
    };

    (void)state;
    scene_send(scene, 90000,
               &(struct scene_metric){&COLLECTOR, SCENE_GAUGE, "temperature"}, points, 2);
    assert_int_equal(scene_reason(scene, REASON_FUTURE), 1);
    assert_int_equal(scene_reason(scene, REASON_TOO_OLD), 1);
    scene_free(scene);
}

static void histogram_gives_rate_average_and_percentiles(void **state)
{
    struct scene *scene = scene_new(0);
    const double bounds[] = {10, 20};
    const uint64_t none[] = {0, 0, 0}, some[] = {50, 40, 10};
    struct scene_point point = {.start_s = 1, .bounds = bounds, .bound_count = 2};

    (void)state;
    point.time_s = 60;
    point.buckets = none;
    scene_send(scene, 60.1, &(struct scene_metric){&SDK, SCENE_HISTOGRAM, "latency"},
               &point, 1);
    point.time_s = 120;
    point.buckets = some;
    point.count = 100;
    point.value = 1200;
    scene_send(scene, 120.1, &(struct scene_metric){&SDK, SCENE_HISTOGRAM, "latency"},
               &point, 1);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "latency.rate", 1), 100.0 / 60);
    assert_near(scene_value(scene, "latency.avg", 1), 12);
    assert_near(scene_value(scene, "latency.p90", 1), 20);
    assert_near(scene_value(scene, "latency.p99", 1), 20);
    assert_near(scene_value(scene, "latency.rate", 0), 0);
    assert_true(isnan(scene_value(scene, "latency.avg", 0)));
    scene_free(scene);
}

/* OpenTelemetry allows both: no buckets, and one from -Inf to +Inf. */
static void histogram_may_begin_with_no_buckets_and_go_on_with_one(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t all[] = {160};
    struct scene_point point = {.start_s = 1, .time_s = 60, .count = 100, .value = 10};
    const struct scene_metric latency = {&SDK, SCENE_HISTOGRAM, "latency"};

    (void)state;
    scene_send(scene, 60.1, &latency, &point, 1);
    point.time_s = 120;
    point.count = 160;
    point.buckets = all;
    scene_send(scene, 120.1, &latency, &point, 1);
    scene_wait_until(scene, 300);
    assert_near(scene_value(scene, "latency.rate", 1), 1);
    assert_true(isnan(scene_value(scene, "latency.p90", 1)));
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_rate_is_a_constant_line_at_1_s),
        cmocka_unit_test(constant_rate_is_a_constant_line_at_10_s),
        cmocka_unit_test(constant_rate_is_a_constant_line_at_15_s),
        cmocka_unit_test(constant_rate_is_a_constant_line_at_30_s),
        cmocka_unit_test(constant_rate_is_a_constant_line_at_60_s_with_jitter),
        cmocka_unit_test(constant_rate_is_a_constant_line_at_300_s),
        cmocka_unit_test(counts_of_a_young_stream_are_conserved),
        cmocka_unit_test(part_minute_of_the_first_meeting_is_not_posted),
        cmocka_unit_test(sender_that_stops_gives_its_last_part_minute),
        cmocka_unit_test(two_replicas_without_instance_id_are_two_streams),
        cmocka_unit_test(restart_counts_from_zero_and_loses_nothing),
        cmocka_unit_test(falling_total_with_a_known_start_is_a_new_baseline),
        cmocka_unit_test(falling_total_without_a_start_counts_from_zero),
        cmocka_unit_test(since_boot_total_with_a_fresh_start_makes_no_spike),
        cmocka_unit_test(first_error_of_a_long_running_process_counts),
        cmocka_unit_test(ninth_start_of_one_identity_is_not_taken),
        cmocka_unit_test(repeated_and_late_points_are_told_apart),
        cmocka_unit_test(gap_of_over_an_hour_is_a_new_baseline),
        cmocka_unit_test(late_point_corrects_a_posted_minute_within_five_minutes),
        cmocka_unit_test(delta_window_is_spread_over_its_minutes),
        cmocka_unit_test(delta_window_used_twice_is_added_twice),
        cmocka_unit_test(silent_delta_stream_is_zero_while_its_source_reports),
        cmocka_unit_test(future_and_day_old_points_are_dropped),
        cmocka_unit_test(histogram_gives_rate_average_and_percentiles),
        cmocka_unit_test(histogram_may_begin_with_no_buckets_and_go_on_with_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
