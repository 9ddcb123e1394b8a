/*
 * Late data, repeats and the budget of open minutes, through the whole pipeline (values.md, "Late
 * data, repeats, time"). Expected values follow from constant rates and from the rule's own words.
 */
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    HOUR = 3600
};

static const struct scene_resource A = {.service = "shop", .instance = "a"};
static const struct scene_resource B = {.service = "shop", .instance = "b"};

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void send(struct scene *scene, double receive_s, const struct scene_metric *metric,
                 double time_s, double value)
{
    struct scene_point point = {.time_s = time_s, .value = value};

    scene_send(scene, receive_s, metric, &point, 1);
}

/* A counter that rises by one a second, every 10 s, sent at once. */
static void count_from_to(struct scene *scene, const struct scene_metric *metric,
                          int from_s, int to_s)
{
    for (int time_s = from_s; time_s < to_s; time_s += 10)
        send(scene, time_s + 0.1, metric, time_s + 1, time_s + 1);
}

/* The same, kept back and sent in order from `receive_s` on, ten requests a second. */
static void replay_from_to(struct scene *scene, const struct scene_metric *metric,
                           int from_s, int to_s, double receive_s)
{
    for (int time_s = from_s; time_s < to_s; time_s += 10)
        send(scene, receive_s + (time_s - from_s) / 100.0, metric, time_s + 1,
             time_s + 1);
}

static const struct scene_metric COUNTER_A = {&A, SCENE_COUNTER, "ticks"};
static const struct scene_metric COUNTER_B = {&B, SCENE_COUNTER, "ticks"};
static const struct scene_metric GAUGE_A = {&A, SCENE_GAUGE, "depth"};
static const struct scene_metric GAUGE_B = {&B, SCENE_GAUGE, "depth"};

static enum mackerel_lane last_lane(const struct scene *scene, uint64_t minute)
{
    for (size_t i = scene->count; i-- > 0;)
        if (scene->values[i].minute == minute)
            return scene->values[i].lane;
    fail_msg("minute %d was not posted", (int)minute);
    return MACKEREL_LIVE;
}

static void queue_of_a_collector_that_was_cut_off_is_taken_in_full(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    count_from_to(scene, &COUNTER_A, 0, 600);
    replay_from_to(scene, &COUNTER_A, 600, 6 * HOUR, 6 * HOUR + 0.5);
    count_from_to(scene, &COUNTER_A, 6 * HOUR + 230, 7 * HOUR);
    scene_wait_until(scene, 8 * HOUR);
    /* Minute 0 holds the first point; minute 10 closed with its first second alone. */
    for (uint64_t minute = 1; minute < 6 * 60; minute++)
        assert_near(scene_value(scene, "ticks.rate", minute), 1);
    assert_int_equal(last_lane(scene, 5), MACKEREL_LIVE);
    assert_int_equal(last_lane(scene, 10), MACKEREL_BACKFILL);
    assert_int_equal(last_lane(scene, 100), MACKEREL_BACKFILL);
    assert_int_equal(scene_posts(scene, "ticks.rate", 100), 1);
    assert_int_equal(scene_reason(scene, REASON_LATE), 0);
    scene_free(scene);
}

static void live_minute_does_not_wait_for_a_queue_that_is_replayed(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    count_from_to(scene, &COUNTER_A, 0, 2 * HOUR);
    /* b replays two hours, one request a second, while a goes on. */
    for (int second = 0; second < 720; second++) {
        double now_s = 2 * HOUR + second;

        if (second % 10 == 0)
            send(scene, now_s + 0.1, &COUNTER_A, now_s + 1, now_s + 1);
        send(scene, now_s + 0.5, &COUNTER_B, 10 * second + 1, 10 * second + 1);
        if (second > 200 && second % 60 == 45)
            assert_true(
                scene_posts(scene, "ticks.rate", 120 + (uint64_t)second / 60 - 1) >= 1);
    }
    scene_free(scene);
}

static void minute_that_all_streams_reached_is_final_after_lateness(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_metric delta = {&A, SCENE_DELTA, "jobs"};

    (void)state;
    for (int beat = 1; beat <= 90; beat++) {
        struct scene_point point = {
            .start_s = 10.0 * beat - 10, .time_s = 10.0 * beat, .value = 10};

        scene_send(scene, 10 * beat + 0.1, &delta, &point, 1);
    }

    struct scene_point late = {.start_s = 250, .time_s = 260, .value = 600};

    /* Minute 4 was posted at 315 s. */
    scene_send(scene, 910, &delta, &late, 1);
    scene_wait_until(scene, 2 * HOUR);
    assert_int_equal(scene_reason(scene, REASON_LATE), 1);
    assert_near(scene_value(scene, "jobs.rate", 4), 1);
    scene_free(scene);
}

static void part_of_a_window_in_a_final_minute_goes_into_the_next_one(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_metric delta = {&A, SCENE_DELTA, "jobs"};
    struct scene_point late = {.start_s = 235, .time_s = 245, .value = 600};

    (void)state;
    for (int beat = 1; beat <= 57; beat++) {
        struct scene_point point = {
            .start_s = 10.0 * beat - 5, .time_s = 10.0 * beat + 5, .value = 10};

        scene_send(scene, 10 * beat + 5.1, &delta, &point, 1);
    }
    /* Minute 3 was posted at 255 s and is final, minute 4 was posted at 315 s and is not. */
    scene_send(scene, 580, &delta, &late, 1);
    scene_wait_until(scene, HOUR);
    assert_near(scene_value(scene, "jobs.rate", 3), 1);
    assert_near(scene_value(scene, "jobs.rate", 4), 1 + 600.0 / 60);
    scene_free(scene);
}

/* Cut off a few minutes after it began, it is forgotten before its queue comes. */
static void young_stream_that_was_forgotten_does_not_count_twice(void **state)
{
    static const struct scene_resource young = {
        .service = "shop", .instance = "young", .is_sdk = true};
    const struct scene_metric ticks = {&young, SCENE_COUNTER, "ticks"};
    struct scene *scene = scene_new(0);

    (void)state;
    for (int time_s = 60; time_s <= 300; time_s += 60) {
        struct scene_point point = {
            .start_s = 30, .time_s = time_s, .value = time_s - 30};

        scene_send(scene, time_s + 0.1, &ticks, &point, 1);
    }
    for (int time_s = 60; time_s <= 2 * HOUR; time_s += 60)
        send(scene, time_s + 0.2, &GAUGE_B, time_s, 1);
    assert_near(60 * scene_total(scene, "ticks.rate"), 270);
    for (int time_s = 360; time_s <= 7200; time_s += 60) {
        struct scene_point point = {
            .start_s = 30, .time_s = time_s, .value = time_s - 30};

        scene_send(scene, 2 * HOUR + time_s / 1000.0, &ticks, &point, 1);
    }
    scene_wait_until(scene, 3 * HOUR);
    /* The increase between the two points around the gap is the price. */
    assert_int_equal(scene_reason(scene, REASON_BASELINE), 1);
    assert_near(60 * scene_total(scene, "ticks.rate"), 7200 - 30 - 60);
    scene_free(scene);
}

/* After a silence the window reaches back into a minute that was posted long ago. */
static void window_of_an_export_in_parts_counts_from_its_beginning(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_metric jobs = {&A, SCENE_DELTA, "jobs"};
    const struct scene_metric other = {&A, SCENE_DELTA, "other"};
    double total = 0;

    (void)state;
    for (int beat = 1; beat <= 58; beat++) {
        struct scene_point point = {.start_s = 10.0 * beat - 10,
                                    .time_s = beat < 58 ? 10.0 * beat : 2370,
                                    .value = beat < 58 ? 10 : 1800};

        /* The last export comes 30 min late. */
        scene_send(scene, point.time_s + 0.1, &other, &point, 1);
        scene_send(scene, point.time_s + 0.2, &jobs, &point, 1);
    }
    scene_wait_until(scene, 2 * HOUR);
    total = scene_total(scene, "jobs.rate") * 60;
    assert_near(total, 570 + 1800);
    assert_near(scene_total(scene, "other.rate") * 60, total);
    scene_free(scene);
}

static void minute_that_closed_incomplete_is_corrected_long_after(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    count_from_to(scene, &COUNTER_A, 0, 300);
    for (int time_s = 0; time_s < 300; time_s += 10)
        send(scene, 300.0 + time_s / 1000.0, &COUNTER_B, time_s + 1, time_s + 1);
    count_from_to(scene, &COUNTER_A, 300, 1800);
    assert_near(scene_value(scene, "ticks.rate", 10), 1);
    replay_from_to(scene, &COUNTER_B, 300, 1800, 1800.5);
    scene_wait_until(scene, HOUR);
    for (uint64_t minute = 6; minute < 29; minute++)
        assert_near(scene_value(scene, "ticks.rate", minute), 2);
    scene_free(scene);
}

static void minute_that_was_never_posted_opens_for_a_day_and_no_longer(void **state)
{
    struct scene *scene = scene_new(0);
    struct scene_point point = {.time_s = 600, .value = 4};

    (void)state;
    send(scene, 1.5, &GAUGE_A, 1, 1);
    send(scene, 3 * HOUR, &GAUGE_A, 3 * HOUR, 2);
    send(scene, 3 * HOUR + 1, &GAUGE_A, 600, 3);
    scene_wait_until(scene, 4 * HOUR);
    assert_near(scene_value(scene, "depth", 10), 3);
    assert_int_equal(last_lane(scene, 10), MACKEREL_BACKFILL);
    scene_send(scene, 24 * HOUR + 601, &GAUGE_B, &point, 1);
    assert_int_equal(scene_reason(scene, REASON_TOO_OLD), 1);
    scene_free(scene);
}

static void final_minute_of_a_series_that_vanished_stays_as_it_is(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_metric other = {&B, SCENE_GAUGE, "width"};

    (void)state;
    send(scene, 61, &GAUGE_A, 60.5, 5);
    send(scene, 71, &GAUGE_A, 70, 7);
    /* a is evicted while another goes on; its cell knows that minute 1 was posted. */
    for (int minute = 2; minute < 3 * 60; minute++)
        send(scene, 60 * minute + 1, &other, 60 * minute, minute);
    send(scene, 3 * HOUR + 2, &GAUGE_B, 62, 100);
    scene_wait_until(scene, 4 * HOUR);
    assert_near(scene_value(scene, "depth", 1), 7);
    assert_int_equal(scene_reason(scene, REASON_LATE), 1);
    scene_free(scene);
}

static void gauges_that_are_replayed_one_after_the_other_are_merged(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (int minute = 1; minute < 120; minute++)
        send(scene, 2 * HOUR + minute / 100.0, &GAUGE_A, 60 * minute + 30, minute);
    for (int minute = 1; minute < 120; minute++)
        send(scene, 2 * HOUR + 5 + minute / 100.0, &GAUGE_B, 60 * minute + 31,
             3 * minute);
    scene_wait_until(scene, 3 * HOUR);
    for (uint64_t minute = 1; minute < 120; minute++)
        assert_near(scene_value(scene, "depth", minute), 2 * (double)minute);
    scene_free(scene);
}

static void queue_that_is_replayed_is_not_idle_beside_live_senders(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_metric live = {&B, SCENE_GAUGE, "width"};

    (void)state;
    for (int i = 0; i < 60; i++) {
        send(scene, 3 * HOUR + 4 * i, &live, 3 * HOUR + 4 * i, i);
        send(scene, 3 * HOUR + 4 * i + 1, &COUNTER_A, 60 + 10 * i, 60 + 10 * i);
    }
    scene_wait_until(scene, 4 * HOUR);
    assert_int_equal(scene_reason(scene, REASON_BASELINE), 1);
    for (uint64_t minute = 1; minute < 10; minute++)
        assert_near(scene_value(scene, "ticks.rate", minute), 1);
    scene_free(scene);
}

static void body_that_came_before_counts_once(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_metric delta = {&A, SCENE_DELTA, "jobs"};
    struct scene_point points[] = {{.start_s = 60, .time_s = 70, .value = 30},
                                   {.start_s = 70, .time_s = 80, .value = 30}};

    (void)state;
    scene_send(scene, 80, &delta, points, 2);
    scene_send(scene, 85, &delta, points, 2);
    /* Each repeat renews the ten minutes. */
    scene_send(scene, 85 + 599, &delta, points, 2);
    scene_send(scene, 85 + 599 + 600, &delta, points, 2);
    assert_int_equal(scene_reason(scene, REASON_REPEAT), 6);
    scene_wait_until(scene, HOUR);
    assert_near(scene_value(scene, "jobs.rate", 1), 1);
    scene_free(scene);
}

static void body_that_comes_again_after_ten_minutes_is_looked_at_anew(void **state)
{
    struct scene *scene = scene_new(0);
    struct scene_point point = {.time_s = 60, .value = 1};

    (void)state;
    scene_send(scene, 80, &GAUGE_A, &point, 1);
    scene_send(scene, 80 + 601, &GAUGE_A, &point, 1);
    assert_int_equal(scene_reason(scene, REASON_REPEAT), 0);
    assert_int_equal(scene_reason(scene, REASON_DUPLICATE), 1);
    scene_free(scene);
}

static void oldest_late_minutes_give_way_when_there_are_too_many(void **state)
{
    struct scene *scene = scene_open(&(struct pipeline_options){
        .grace_ns = 15000000000u,
        .lateness_ns = 300000000000u,
        .max_late_minutes = 200,
    });
    struct pipeline_counts counts;

    (void)state;
    for (int minute = 0; minute < 600; minute++)
        send(scene, 11 * HOUR + 20.0 * minute, &GAUGE_A, 60 * minute + 30, minute);
    pipeline_read_counts(scene->pipeline, &counts);
    assert_true(counts.open_minutes <= 200);
    scene_wait_until(scene, 16 * HOUR);
    /* What gave way was posted first. */
    for (uint64_t minute = 0; minute < 600; minute++)
        assert_near(scene_value(scene, "depth", minute), (double)minute);
    /* And is final. */
    send(scene, 16 * HOUR, &GAUGE_B, 31, 1000);
    assert_int_equal(scene_reason(scene, REASON_LATE), 1);
    scene_free(scene);
}

static void late_minutes_beyond_the_budget_are_refused_between_ticks(void **state)
{
    struct scene *scene = scene_open(&(struct pipeline_options){
        .grace_ns = 15000000000u,
        .lateness_ns = 300000000000u,
        .max_late_minutes = 100,
    });

    (void)state;
    for (int minute = 0; minute < 300; minute++)
        send(scene, 11 * HOUR + minute / 1000.0, &GAUGE_A, 60 * minute + 30, minute);
    assert_true(scene_reason(scene, REASON_LATE) > 100);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_of_a_collector_that_was_cut_off_is_taken_in_full),
        cmocka_unit_test(live_minute_does_not_wait_for_a_queue_that_is_replayed),
        cmocka_unit_test(minute_that_all_streams_reached_is_final_after_lateness),
        cmocka_unit_test(young_stream_that_was_forgotten_does_not_count_twice),
        cmocka_unit_test(part_of_a_window_in_a_final_minute_goes_into_the_next_one),
        cmocka_unit_test(window_of_an_export_in_parts_counts_from_its_beginning),
        cmocka_unit_test(minute_that_closed_incomplete_is_corrected_long_after),
        cmocka_unit_test(minute_that_was_never_posted_opens_for_a_day_and_no_longer),
        cmocka_unit_test(final_minute_of_a_series_that_vanished_stays_as_it_is),
        cmocka_unit_test(gauges_that_are_replayed_one_after_the_other_are_merged),
        cmocka_unit_test(queue_that_is_replayed_is_not_idle_beside_live_senders),
        cmocka_unit_test(body_that_came_before_counts_once),
        cmocka_unit_test(body_that_comes_again_after_ten_minutes_is_looked_at_anew),
        cmocka_unit_test(oldest_late_minutes_give_way_when_there_are_too_many),
        cmocka_unit_test(late_minutes_beyond_the_budget_are_refused_between_ticks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
