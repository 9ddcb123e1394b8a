/*
 * Distributions through the whole pipeline: exponential histograms, summaries, histograms without
 * buckets, several layouts at once. Expected values are worked out by hand from the linear rise
 * between points and the data model's formulas.
 */
#include "pipeline/state.h"
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct scene_resource COLLECTOR = {.service = "shop"};
static const struct scene_resource SDK = {.service = "shop", .is_sdk = true};
static const struct scene_resource OTHER = {.service = "shop", .instance = "2"};

static void assert_near(double value, double expected)
{
    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%.17g is not %.17g", value, expected);
}

static void assert_absent(const struct scene *scene, const char *name, uint64_t minute)
{
    if (!isnan(scene_value(scene, name, minute)))
        fail_msg("%s has a value", name);
}

static void send_as(struct scene *scene, const struct scene_resource *resource,
                    enum scene_kind kind, const struct scene_point *point)
{
    scene_send(scene, point->time_s + 0.05,
               &(struct scene_metric){resource, kind, "size"}, point, 1);
}

static void send(struct scene *scene, enum scene_kind kind,
                 const struct scene_point *point)
{
    send_as(scene, &COLLECTOR, kind, point);
}

/* ---- exponential histograms --------------------------------------------------------------- */

/* `counts` are the buckets from index 0 on; sum and count follow: every value counts 1. */
static struct scene_point point_of(const struct scene_exponential *exponential,
                                   double time_s)
{
    struct scene_point point = {.time_s = time_s, .exponential = exponential};

    point.count = exponential->zero_count;
    for (size_t i = 0; i < exponential->positive.count; i++)
        point.count += exponential->positive.counts[i];
    for (size_t i = 0; i < exponential->negative.count; i++)
        point.count += exponential->negative.counts[i];
    point.value = (double)point.count;
    return point;
}

static void send_exponential(struct scene *scene, const struct scene_resource *resource,
                             double time_s, int scale, const uint64_t counts[static 3])
{
    const struct scene_exponential exponential = {.scale = scale,
                                                  .positive = {0, counts, 3}};
    struct scene_point point = point_of(&exponential, time_s);

    send_as(scene, resource, SCENE_EXPONENTIAL, &point);
}

/* Every 30 s at second 10 and 40, (1, 2] rises by 2, (2, 4] by 4, (4, 8] by 4. */
static void cumulative_buckets_rise_linearly(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 10; beat++) {
        const uint64_t counts[] = {7 + 2 * beat, 9 + 4 * beat, 4 * beat};

        send_exponential(scene, &COLLECTOR, 10 + 30 * (double)beat, 0, counts);
    }
    scene_wait_until(scene, 3600);
    for (uint64_t minute = 1; minute < 5; minute++) {
        assert_near(scene_value(scene, "size.rate", minute), 20.0 / 60);
        assert_near(scene_value(scene, "size.avg", minute), 1);
        assert_near(scene_value(scene, "size.p90", minute), exp2(2.75));
        assert_near(scene_value(scene, "size.p95", minute), exp2(2.875));
        assert_near(scene_value(scene, "size.p99", minute), exp2(2.975));
    }
    assert_int_equal(scene_reason(scene, REASON_BASELINE), 1);
    scene_free(scene);
}

/* The sender goes from scale 1 to scale 0 on the way: indices 0 and 1 become 0, 2 becomes 1. */
static void a_falling_scale_is_no_reset(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t fine[] = {1, 2, 3}, coarse[] = {13, 13, 0};

    (void)state;
    send_exponential(scene, &COLLECTOR, 60, 1, fine);
    send_exponential(scene, &COLLECTOR, 120, 0, coarse);
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_FELL), 0);
    assert_near(scene_value(scene, "size.rate", 1), 20.0 / 60);
    /* (1, 2] rose by 10, (2, 4] by 10: rank 18 is 8/10 into the latter. */
    assert_near(scene_value(scene, "size.p90", 1), exp2(1.8));
    scene_free(scene);
}

/* Start 0: the new value counts from the last point on. */
static void a_fallen_bucket_without_start_counts_anew(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t first[] = {1, 2, 3}, second[] = {9, 1, 2};

    (void)state;
    send_exponential(scene, &COLLECTOR, 60, 0, first);
    send_exponential(scene, &COLLECTOR, 120, 0, second);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 12.0 / 60);
    scene_free(scene);
}

static void a_fallen_bucket_with_a_start_is_a_new_baseline(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t counts[][3] = {{1, 2, 3}, {9, 1, 2}, {9, 1, 8}};

    (void)state;
    for (int i = 0; i < 3; i++) {
        const struct scene_exponential exponential = {.positive = {0, counts[i], 3}};
        struct scene_point point = point_of(&exponential, 60 + 60 * i);

        point.start_s = 30;
        send_as(scene, &SDK, SCENE_EXPONENTIAL, &point);
    }
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_FELL), 1);
    assert_near(scene_value(scene, "size.rate", 2), 6.0 / 60);
    scene_free(scene);
}

static void repeated_and_older_points_change_nothing(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t first[] = {1, 2, 3}, second[] = {1, 2, 9}, third[] = {1, 2, 12};

    (void)state;
    send_exponential(scene, &COLLECTOR, 60, 0, first);
    send_exponential(scene, &COLLECTOR, 120, 0, second);
    send_exponential(scene, &SDK, 121, 0, second); /* another body in between */
    send_exponential(scene, &COLLECTOR, 90, 0, third);
    send_exponential(scene, &COLLECTOR, 119, 0, second);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 6.0 / 60);
    assert_int_equal(scene_reason(scene, REASON_DUPLICATE), 1);
    assert_int_equal(scene_reason(scene, REASON_OUT_OF_ORDER), 1);
    scene_free(scene);
}

/* One stream at scale 1 in (2, 2^1.5], one at scale 0 in (4, 8]. */
static void streams_are_merged_before_percentiles(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 3; beat++) {
        const uint64_t fine[] = {0, 0, 30 * beat}, coarse[] = {0, 0, 10 * beat};

        send_exponential(scene, &COLLECTOR, 60 * (double)beat + 1, 1, fine);
        send_exponential(scene, &OTHER, 60 * (double)beat + 1, 0, coarse);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 40.0 / 60);
    /* (2, 4] has 30, (4, 8] 10: rank 36 is 6/10 into the latter. */
    assert_near(scene_value(scene, "size.p90", 1), exp2(2.6));
    scene_free(scene);
}

/* A window of two minutes: each gets half of it. */
static void a_delta_window_is_spread(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t counts[] = {2, 4, 4};
    const struct scene_exponential exponential = {.zero_count = 2,
                                                  .negative = {0, counts, 3}};
    struct scene_point point = point_of(&exponential, 180);

    (void)state;
    point.start_s = 60;
    send(scene, SCENE_DELTA_EXPONENTIAL, &point);
    scene_wait_until(scene, 3600);
    for (uint64_t minute = 1; minute < 3; minute++) {
        assert_near(scene_value(scene, "size.rate", minute), 0.1);
        assert_near(scene_value(scene, "size.p90", minute), 0);
    }
    scene_free(scene);
}

/* Counts beyond 2^53 differ by 6: a double could not tell. */
static void large_counts_are_subtracted_exactly(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t large = (UINT64_C(1) << 60) + 1;
    const uint64_t first[] = {large, 0, 0}, second[] = {large + 6, 0, 0};

    (void)state;
    send_exponential(scene, &COLLECTOR, 60, 0, first);
    send_exponential(scene, &COLLECTOR, 120, 0, second);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 0.1);
    assert_near(scene_value(scene, "size.p90", 1), exp2(0.9));
    scene_free(scene);
}

static void a_marker_ends_the_stream(void **state)
{
    struct scene *scene = scene_new(0);
    const uint64_t first[] = {1, 2, 3}, second[] = {9, 9, 9};
    const struct scene_exponential nothing = {0};
    struct scene_point marker = point_of(&nothing, 120);

    (void)state;
    marker.flags = 1;
    send_exponential(scene, &COLLECTOR, 60, 0, first);
    send(scene, SCENE_EXPONENTIAL, &marker);
    send_exponential(scene, &COLLECTOR, 180, 0, second);
    scene_wait_until(scene, 3600);
    assert_int_equal(scene_reason(scene, REASON_STALE_MARKER), 1);
    assert_int_equal(scene_reason(scene, REASON_BASELINE), 2);
    assert_absent(scene, "size.rate", 2);
    scene_free(scene);
}

/* ---- several layouts at once -------------------------------------------------------------- */

static void send_explicit(struct scene *scene, const struct scene_resource *resource,
                          double time_s, double bound, uint64_t count)
{
    const uint64_t buckets[] = {count, 0};
    const struct scene_point point = {.time_s = time_s,
                                      .value = 3 * (double)count,
                                      .count = count,
                                      .buckets = buckets,
                                      .bounds = &bound,
                                      .bound_count = 1};

    send_as(scene, resource, SCENE_HISTOGRAM, &point);
}

static void explicit_and_exponential_buckets_give_no_percentiles(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 2; beat++) {
        const uint64_t counts[] = {0, 0, 6 * beat};

        send_exponential(scene, &COLLECTOR, 60 * (double)beat + 1, 0, counts);
        send_explicit(scene, &OTHER, 60 * (double)beat + 1, 5, 12 * beat);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 18.0 / 60);
    assert_near(scene_value(scene, "size.avg", 1), (6 + 3 * 12) / 18.0);
    assert_absent(scene, "size.p90", 1);
    scene_free(scene);
}

static void two_sets_of_bounds_give_no_percentiles(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 2; beat++) {
        send_explicit(scene, &COLLECTOR, 60 * (double)beat + 1, 5, 6 * beat);
        send_explicit(scene, &OTHER, 60 * (double)beat + 1, 10, 12 * beat);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 18.0 / 60);
    assert_near(scene_value(scene, "size.avg", 1), 3);
    assert_absent(scene, "size.p90", 1);
    scene_free(scene);
}

static void a_histogram_without_buckets_has_rate_and_average(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 3; beat++)
        send(scene, SCENE_HISTOGRAM,
             &(struct scene_point){.time_s = 60 * (double)beat + 1,
                                   .count = 5 + 6 * beat,
                                   .value = 100 + 15 * (double)beat});
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 0.1);
    assert_near(scene_value(scene, "size.avg", 1), 2.5);
    assert_absent(scene, "size.p90", 1);
    scene_free(scene);
}

/* ---- minimum and maximum ------------------------------------------------------------------ */

static const struct minute *minute_of(const struct scene *scene, uint64_t number)
{
    for (uint32_t i = 0; i < scene->pipeline->minutes.used; i++) {
        const struct minute *minute = state_minute(scene->pipeline, i);

        if (minute->number == SCENE_MIDNIGHT_S / 60 + number)
            return minute;
    }
    fail_msg("no minute %u", (unsigned)number);
    abort();
}

static void send_extremes(struct scene *scene, const struct scene_resource *resource,
                          double start_s, double min, double max)
{
    send_as(scene, resource, SCENE_DELTA_HISTOGRAM,
            &(struct scene_point){.start_s = start_s,
                                  .time_s = start_s + 60,
                                  .count = 4,
                                  .value = 8,
                                  .min = min,
                                  .max = max});
}

/* Windows from second 30 on: each says something about two minutes. */
static void extremes_hold_for_all_minutes_of_their_window(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    send_extremes(scene, &COLLECTOR, 30, 2, 3);
    send_extremes(scene, &COLLECTOR, 90, -1, 2.5);
    assert_true(minute_of(scene, 0)->has_extremes);
    assert_near(minute_of(scene, 0)->min, 2);
    assert_near(minute_of(scene, 0)->max, 3);
    assert_near(minute_of(scene, 1)->min, -1);
    assert_near(minute_of(scene, 1)->max, 3);
    assert_near(minute_of(scene, 2)->max, 2.5);
    assert_false(minute_of(scene, 1)->extremes_missing);
    scene_free(scene);
}

static void extremes_of_some_observations_are_none(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    send_extremes(scene, &COLLECTOR, 60, 2, 3);
    send_extremes(scene, &OTHER, 60, 0, 0); /* says nothing about them */
    assert_true(minute_of(scene, 1)->extremes_missing);
    scene_free(scene);
}

/* ---- summaries ---------------------------------------------------------------------------- */

static void send_summary(struct scene *scene, const struct scene_resource *resource,
                         double time_s, uint64_t count, double p99)
{
    const struct scene_quantile quantiles[] = {
        {0, p99 / 100}, {0.5, p99 / 2}, {0.99, p99}, {0.999, p99 + 1}, {1, p99 + 2}};

    send_as(scene, resource, SCENE_SUMMARY,
            &(struct scene_point){.time_s = time_s,
                                  .count = count,
                                  .value = 2 * (double)count,
                                  .quantiles = quantiles,
                                  .quantile_count = 5});
}

static void a_summary_has_rate_average_and_its_own_quantiles(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 12; beat++)
        send_summary(scene, &COLLECTOR, 15 + 30 * (double)beat, 100 + 3 * beat,
                     10 + (double)beat);
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 1), 0.1);
    assert_near(scene_value(scene, "size.avg", 1), 2);
    /* The points at 75 and 105 are beats 2 and 3: the last counts. */
    assert_near(scene_value(scene, "size.p99", 1), 13);
    assert_near(scene_value(scene, "size.p50", 1), 6.5);
    assert_near(scene_value(scene, "size.p99_9", 1), 14);
    assert_near(scene_value(scene, "size.min", 1), 0.13);
    assert_near(scene_value(scene, "size.max", 1), 15);
    assert_absent(scene, "size.p90", 1);
    scene_free(scene);
}

/* Points every two minutes: the minute between carries the one before. */
static void quantiles_are_carried_to_the_next_point(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 5; beat++)
        send_summary(scene, &COLLECTOR, 30 + 120 * (double)beat, 60 * beat,
                     10 + (double)beat);
    scene_wait_until(scene, 7200);
    for (uint64_t minute = 2; minute < 10; minute++)
        assert_near(scene_value(scene, "size.p99", minute), 10 + (double)(minute / 2));
    scene_free(scene);
}

static void quantiles_of_several_streams_are_not_merged(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 6; beat++) {
        send_summary(scene, &COLLECTOR, 30 + 60 * (double)beat, 6 * beat, 10);
        if (beat < 4)
            send_summary(scene, &OTHER, 31 + 60 * (double)beat, 12 * beat, 20);
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.rate", 2), 0.3);
    assert_near(scene_value(scene, "size.avg", 2), 2);
    assert_absent(scene, "size.p99", 2);
    assert_near(scene_value(scene, "size.p99", 5), 10);
    scene_free(scene);
}

/* A new start after the last point of the old one takes over; the quantiles are its own. */
static void quantiles_go_on_over_a_restart(void **state)
{
    struct scene *scene = scene_new(0);
    const struct scene_quantile before = {0.99, 4}, after = {0.99, 7};

    (void)state;
    for (int beat = 0; beat < 12; beat++) {
        bool is_new = beat >= 6;

        send_as(scene, &SDK, SCENE_SUMMARY,
                &(struct scene_point){.start_s = is_new ? 81 : 5,
                                      .time_s = 20 + 10 * beat,
                                      .count = (uint64_t)(beat % 6) + 1,
                                      .quantiles = is_new ? &after : &before,
                                      .quantile_count = 1});
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.p99", 1), 7);
    scene_free(scene);
}

static void an_unknown_quantile_is_not_posted(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    for (uint64_t beat = 0; beat <= 3; beat++) {
        const struct scene_quantile quantiles[] = {{0.5, 3}, {0.99, (double)NAN}};

        send(scene, SCENE_SUMMARY,
             &(struct scene_point){.time_s = 60 * (double)beat + 1,
                                   .count = beat,
                                   .value = (double)beat,
                                   .quantiles = quantiles,
                                   .quantile_count = 2});
    }
    scene_wait_until(scene, 3600);
    assert_near(scene_value(scene, "size.p50", 1), 3);
    assert_absent(scene, "size.p99", 1);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cumulative_buckets_rise_linearly),
        cmocka_unit_test(a_falling_scale_is_no_reset),
        cmocka_unit_test(a_fallen_bucket_without_start_counts_anew),
        cmocka_unit_test(a_fallen_bucket_with_a_start_is_a_new_baseline),
        cmocka_unit_test(repeated_and_older_points_change_nothing),
        cmocka_unit_test(streams_are_merged_before_percentiles),
        cmocka_unit_test(a_delta_window_is_spread),
        cmocka_unit_test(large_counts_are_subtracted_exactly),
        cmocka_unit_test(a_marker_ends_the_stream),
        cmocka_unit_test(explicit_and_exponential_buckets_give_no_percentiles),
        cmocka_unit_test(two_sets_of_bounds_give_no_percentiles),
        cmocka_unit_test(a_histogram_without_buckets_has_rate_and_average),
        cmocka_unit_test(extremes_hold_for_all_minutes_of_their_window),
        cmocka_unit_test(extremes_of_some_observations_are_none),
        cmocka_unit_test(a_summary_has_rate_average_and_its_own_quantiles),
        cmocka_unit_test(quantiles_are_carried_to_the_next_point),
        cmocka_unit_test(quantiles_of_several_streams_are_not_merged),
        cmocka_unit_test(quantiles_go_on_over_a_restart),
        cmocka_unit_test(an_unknown_quantile_is_not_posted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
