/*
 * A configuration that changes while streams run: where values go, and that nothing is lost or
 * doubled on the way. The change comes 20 s into minute 5, so it holds from minute 6 on.
 */
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Names no service: the default decides. */
static const struct scene_resource ANY = {.instance = "a"};
static const struct scene_resource OTHER = {.instance = "b"};
/* Names the service that others come to by default. */
static const struct scene_resource NAMED = {.service = "new"};

static const double CHANGE_S = 320;

enum {
    FIRST_NEW = 6
};

static struct pipeline_options with_default(const char *service)
{
    return (struct pipeline_options){
        .grace_ns = 15000000000u,
        .lateness_ns = 300000000000u,
        .default_service = service,
    };
}

static struct scene *open_scene(const char *service)
{
    struct pipeline_options options = with_default(service);

    return scene_open(&options);
}

static void change(struct scene *scene, double time_s, const char *service)
{
    struct pipeline_options options = with_default(service);

    scene_configure(scene, time_s, &options);
}

static void say(struct scene *scene, const struct scene_metric *metric, double time_s,
                double value)
{
    struct scene_point point = {.time_s = time_s, .value = value};

    scene_send(scene, time_s + 0.05, metric, &point, 1);
}

static void assert_is(const struct scene *scene, const char *destination,
                      const char *name, uint64_t minute, double expected)
{
    double value = scene_value_of(scene, destination, name, minute);

    if (!(fabs(value - expected) <= 1e-9 * fmax(1, fabs(expected))))
        fail_msg("%s %s of minute %u: %.17g, not %.17g", destination, name,
                 (unsigned)minute, value, expected);
}

static void assert_none(const struct scene *scene, const char *destination,
                        const char *name, uint64_t minute)
{
    double value = scene_value_of(scene, destination, name, minute);

    if (!isnan(value))
        fail_msg("%s %s of minute %u: %.17g, not none", destination, name,
                 (unsigned)minute, value);
}

/* A counter at 5 a second, every 10 s from second 7 on until `end_s`; the change in between. */
static void count_through_a_change(struct scene *scene, const char *service, double end_s)
{
    const struct scene_metric requests = {&ANY, SCENE_COUNTER, "requests"};

    for (double time_s = 7; time_s < end_s; time_s += 10) {
        if (time_s - 10 < CHANGE_S && time_s > CHANGE_S)
            change(scene, CHANGE_S, service);
        say(scene, &requests, time_s, 1000 + 5 * time_s);
    }
    scene_wait_until(scene, end_s + 600);
}

/* ---- totals ------------------------------------------------------------------------------ */

static void counter_is_split_at_the_minute_and_loses_nothing(void **state)
{
    struct scene *scene = open_scene("old");

    (void)state;
    count_through_a_change(scene, "new", 900);
    for (uint64_t minute = 1; minute < FIRST_NEW; minute++) {
        assert_is(scene, "service old", "requests.rate", minute, 5);
        assert_none(scene, "service new", "requests.rate", minute);
    }
    for (uint64_t minute = FIRST_NEW; minute < 14; minute++) {
        assert_is(scene, "service new", "requests.rate", minute, 5);
        assert_none(scene, "service old", "requests.rate", minute);
        assert_int_equal(scene_posts(scene, "requests.rate", minute), 1);
    }
    scene_free(scene);
}

/* Every 250 s: one increase covers minutes of both. */
static void counter_of_a_slow_sender_is_split_too(void **state)
{
    const struct scene_metric requests = {&ANY, SCENE_COUNTER, "requests"};
    struct scene *scene = open_scene("old");

    (void)state;
    say(scene, &requests, 10, 100);
    say(scene, &requests, 260, 100 + 250 * 2);
    change(scene, CHANGE_S, "new");
    say(scene, &requests, 510, 100 + 250 * 2 + 250 * 7);
    say(scene, &requests, 760, 100 + 250 * 2 + 250 * 7 + 250);
    scene_wait_until(scene, 3000);
    assert_is(scene, "service old", "requests.rate", 3, 2);
    assert_is(scene, "service old", "requests.rate", 4, (20 * 2 + 40 * 7) / 60.0);
    assert_is(scene, "service old", "requests.rate", 5, 7);
    assert_is(scene, "service new", "requests.rate", 6, 7);
    assert_is(scene, "service new", "requests.rate", 7, 7);
    assert_is(scene, "service new", "requests.rate", 8, (30 * 7 + 30) / 60.0);
    assert_none(scene, "service old", "requests.rate", 6);
    assert_none(scene, "service new", "requests.rate", 5);
    scene_free(scene);
}

static void delta_window_over_the_change_is_split(void **state)
{
    const struct scene_metric jobs = {&ANY, SCENE_DELTA, "jobs"};
    struct scene *scene = open_scene("old");
    struct scene_point point = {.start_s = 240, .time_s = 300, .value = 60};

    (void)state;
    scene_send(scene, 300.05, &jobs, &point, 1);
    change(scene, CHANGE_S, "new");
    point = (struct scene_point){.start_s = 300, .time_s = 420, .value = 600};
    scene_send(scene, 420.05, &jobs, &point, 1);
    scene_wait_until(scene, 2000);
    assert_is(scene, "service old", "jobs.rate", 5, 5);
    assert_is(scene, "service new", "jobs.rate", 6, 5);
    scene_free(scene);
}

static void silent_delta_stream_goes_on_as_zero_in_the_new_place(void **state)
{
    const struct scene_metric jobs = {&ANY, SCENE_DELTA, "jobs"};
    const struct scene_metric beats = {&ANY, SCENE_DELTA, "beats"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 60; time_s <= 900; time_s += 60) {
        struct scene_point point = {
            .start_s = time_s - 60, .time_s = time_s, .value = 60};

        if (time_s > CHANGE_S && time_s < CHANGE_S + 60)
            change(scene, CHANGE_S, "new");
        scene_send(scene, time_s + 0.05, &beats, &point, 1);
        if (time_s <= 240)
            scene_send(scene, time_s + 0.06, &jobs, &point, 1);
    }
    scene_wait_until(scene, 2000);
    assert_is(scene, "service old", "jobs.rate", 3, 1);
    assert_is(scene, "service old", "jobs.rate", 5, 0);
    assert_is(scene, "service new", "jobs.rate", 6, 0);
    assert_is(scene, "service new", "jobs.rate", 10, 0);
    assert_none(scene, "service old", "jobs.rate", 6);
    scene_free(scene);
}

static void histogram_has_its_percentiles_on_both_sides(void **state)
{
    const struct scene_metric latency = {&ANY, SCENE_HISTOGRAM, "latency"};
    const double bounds[] = {10, 20};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 60; time_s <= 720; time_s += 60) {
        uint64_t count = (uint64_t)(time_s / 60) * 120;
        const uint64_t buckets[] = {0, count, 0};
        struct scene_point point = {.time_s = time_s,
                                    .value = (double)count * 15,
                                    .count = count,
                                    .buckets = buckets,
                                    .bounds = bounds,
                                    .bound_count = 2};

        if (time_s > CHANGE_S && time_s < CHANGE_S + 60)
            change(scene, CHANGE_S, "new");
        scene_send(scene, time_s + 0.05, &latency, &point, 1);
    }
    scene_wait_until(scene, 2000);
    for (uint64_t minute = 4; minute <= 7; minute++) {
        const char *place = minute < FIRST_NEW ? "service old" : "service new";

        assert_is(scene, place, "latency.rate", minute, 2);
        assert_is(scene, place, "latency.avg", minute, 15);
        assert_is(scene, place, "latency.p90", minute, 19);
    }
    scene_free(scene);
}

/* ---- values ------------------------------------------------------------------------------ */

static void gauge_carries_on_in_the_new_place(void **state)
{
    const struct scene_metric queue = {&ANY, SCENE_GAUGE, "queue"};
    struct scene *scene = open_scene("old");

    (void)state;
    /* Every 5 min: minutes 6 to 8 have no point of their own. */
    say(scene, &queue, 10, 3);
    say(scene, &queue, 245, 4);
    change(scene, CHANGE_S, "new");
    say(scene, &queue, 545, 8);
    scene_wait_until(scene, 580);
    assert_is(scene, "service old", "queue", 4, 4);
    assert_is(scene, "service old", "queue", 5, 4);
    assert_is(scene, "service new", "queue", 6, 4);
    assert_is(scene, "service new", "queue", 7, 4);
    assert_none(scene, "service old", "queue", 6);
    assert_none(scene, "service new", "queue", 5);
    scene_wait_until(scene, 2000);
    assert_is(scene, "service new", "queue", 9, 8);
    scene_free(scene);
}

static void late_value_corrects_the_minute_where_it_was_posted(void **state)
{
    const struct scene_metric queue = {&ANY, SCENE_GAUGE, "queue"};
    struct scene *scene = open_scene("old");
    struct scene_point late = {.time_s = 350, .value = 70};

    (void)state;
    for (double time_s = 245; time_s < 500; time_s += 60) {
        say(scene, &queue, time_s, 7);
        if (time_s > 300 && time_s < 310)
            change(scene, CHANGE_S, "new");
    }
    assert_is(scene, "service old", "queue", 5, 7);
    scene_send(scene, 500, &queue, &late, 1);
    scene_wait_until(scene, 700);
    assert_is(scene, "service old", "queue", 5, 70);
    assert_is(scene, "service new", "queue", 6, 7);
    assert_none(scene, "service new", "queue", 5);
    scene_free(scene);
}

static void late_window_fills_the_minute_of_the_old_place(void **state)
{
    const struct scene_metric jobs = {&ANY, SCENE_DELTA, "jobs"};
    struct scene *scene = open_scene("old");
    struct scene_point point = {.start_s = 240, .time_s = 300, .value = 60};

    (void)state;
    scene_send(scene, 300.05, &jobs, &point, 1);
    change(scene, CHANGE_S, "new");
    /* The queue of a sender that was cut off, hours later. */
    point = (struct scene_point){.start_s = 300, .time_s = 360, .value = 120};
    scene_send(scene, 9000, &jobs, &point, 1);
    point = (struct scene_point){.start_s = 360, .time_s = 420, .value = 180};
    scene_send(scene, 9001, &jobs, &point, 1);
    scene_wait_until(scene, 9200);
    assert_is(scene, "service old", "jobs.rate", 5, 2);
    assert_is(scene, "service new", "jobs.rate", 6, 3);
    scene_free(scene);
}

/* A minute that closed in the backfill may be corrected for 24 h: its values are kept as long. */
static void values_stay_for_late_corrections_of_the_old_place(void **state)
{
    const struct scene_metric queue = {&ANY, SCENE_GAUGE, "queue"};
    struct scene *scene = open_scene("old");
    struct scene_point one = {.time_s = 130, .value = 7, .key = "kind", .attribute = "a"};
    struct scene_point two = {.time_s = 131, .value = 9, .key = "kind", .attribute = "b"};

    (void)state;
    for (double time_s = 245; time_s < 6000; time_s += 60) {
        struct scene_point points[] = {
            {.time_s = time_s, .value = 1, .key = "kind", .attribute = "a"},
            {.time_s = time_s, .value = 1, .key = "kind", .attribute = "b"}};

        if (time_s > CHANGE_S && time_s - 60 < CHANGE_S)
            change(scene, CHANGE_S, "new");
        scene_send(scene, time_s + 0.05, &queue, points, 2);
        if (time_s > 2000 && time_s < 2060)
            scene_send(scene, time_s + 1, &queue, &one, 1);
    }
    assert_is(scene, "service old", "queue", 2, 7);
    scene_send(scene, 6000, &queue, &two, 1);
    scene_wait_until(scene, 6200);
    assert_is(scene, "service old", "queue", 2, 8);
    assert_is(scene, "service new", "queue", 90, 1);
    scene_free(scene);
}

/* ---- cells that come together and part ---------------------------------------------------- */

static void stream_joins_a_series_that_is_there(void **state)
{
    const struct scene_metric mine = {&ANY, SCENE_UPDOWN, "open"};
    const struct scene_metric theirs = {&NAMED, SCENE_UPDOWN, "open"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 5; time_s < 900; time_s += 30) {
        if (time_s > CHANGE_S && time_s - 30 < CHANGE_S)
            change(scene, CHANGE_S, "new");
        say(scene, &mine, time_s, 10);
        say(scene, &theirs, time_s + 1, 1);
    }
    scene_wait_until(scene, 2000);
    for (uint64_t minute = 1; minute < 14; minute++) {
        if (minute < FIRST_NEW)
            assert_is(scene, "service old", "open", minute, 10);
        else
            assert_none(scene, "service old", "open", minute);
        assert_is(scene, "service new", "open", minute, minute < FIRST_NEW ? 1 : 11);
    }
    scene_free(scene);
}

static void stream_leaves_a_series_that_goes_on(void **state)
{
    const struct scene_metric mine = {&ANY, SCENE_COUNTER, "requests"};
    const struct scene_metric theirs = {&NAMED, SCENE_COUNTER, "requests"};
    struct scene *scene = open_scene("new");

    (void)state;
    for (double time_s = 5; time_s < 900; time_s += 30) {
        if (time_s > CHANGE_S && time_s - 30 < CHANGE_S)
            change(scene, CHANGE_S, "third");
        say(scene, &mine, time_s, 10 * time_s);
        say(scene, &theirs, time_s + 1, time_s);
    }
    scene_wait_until(scene, 2000);
    for (uint64_t minute = 1; minute < 14; minute++) {
        assert_is(scene, "service new", "requests.rate", minute,
                  minute < FIRST_NEW ? 11 : 1);
        if (minute < FIRST_NEW)
            assert_none(scene, "service third", "requests.rate", minute);
        else
            assert_is(scene, "service third", "requests.rate", minute, 10);
    }
    scene_free(scene);
}

static void two_replicas_move_together(void **state)
{
    const struct scene_metric one = {&ANY, SCENE_COUNTER, "requests"};
    const struct scene_metric two = {&OTHER, SCENE_COUNTER, "requests"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 5; time_s < 900; time_s += 20) {
        if (time_s > CHANGE_S && time_s - 20 < CHANGE_S)
            change(scene, CHANGE_S, "new");
        say(scene, &one, time_s, 3 * time_s);
        say(scene, &two, time_s + 7, 4 * (time_s + 7));
    }
    scene_wait_until(scene, 2000);
    for (uint64_t minute = 1; minute < 14; minute++)
        assert_is(scene, minute < FIRST_NEW ? "service old" : "service new",
                  "requests.rate", minute, 7);
    scene_free(scene);
}

static void stream_that_is_new_in_the_minute_of_the_change_begins_in_the_old_place(
    void **state)
{
    const struct scene_metric open = {&ANY, SCENE_UPDOWN, "open"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 305; time_s < 600; time_s += 20) {
        struct scene_point points[] = {
            {.time_s = time_s, .value = 10},
            {.time_s = time_s, .value = 1, .key = "kind", .attribute = "idle"}};

        if (time_s > CHANGE_S && time_s - 20 < CHANGE_S)
            change(scene, CHANGE_S, "new");
        scene_send(scene, time_s + 0.05, &open, points, time_s > CHANGE_S ? 2 : 1);
    }
    scene_wait_until(scene, 1000);
    assert_is(scene, "service old", "open", 5, 11);
    assert_none(scene, "service new", "open", 5);
    assert_is(scene, "service new", "open", 6, 11);
    assert_none(scene, "service old", "open", 6);
    scene_free(scene);
}

/* ---- nowhere ----------------------------------------------------------------------------- */

static void what_was_refused_is_routed(void **state)
{
    struct scene *scene = open_scene("");

    (void)state;
    count_through_a_change(scene, "new", 900);
    assert_int_equal(scene_reason(scene, REASON_NO_SERVICE), 32);
    for (uint64_t minute = FIRST_NEW; minute < 14; minute++)
        assert_is(scene, "service new", "requests.rate", minute, 5);
    assert_none(scene, "service new", "requests.rate", 5);
    scene_free(scene);
}

static void what_was_routed_is_refused_from_the_next_minute_on(void **state)
{
    struct scene *scene = open_scene("old");

    (void)state;
    count_through_a_change(scene, "", 900);
    for (uint64_t minute = 1; minute < FIRST_NEW; minute++)
        assert_is(scene, "service old", "requests.rate", minute, 5);
    for (uint64_t minute = FIRST_NEW; minute < 15; minute++)
        assert_none(scene, "service old", "requests.rate", minute);
    /* Points at 367, 377, ..., 897: the first of them completed minute 5 before it was refused. */
    assert_int_equal(scene_reason(scene, REASON_NO_SERVICE), 54);
    scene_free(scene);
}

static void refused_gauge_is_counted_and_comes_back(void **state)
{
    const struct scene_metric queue = {&ANY, SCENE_GAUGE, "queue"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 5; time_s < 1500; time_s += 20) {
        if (time_s > CHANGE_S && time_s - 20 < CHANGE_S)
            change(scene, CHANGE_S, "");
        if (time_s > 920 && time_s - 20 < 920)
            change(scene, 920, "old");
        say(scene, &queue, time_s, time_s);
    }
    scene_wait_until(scene, 3000);
    assert_is(scene, "service old", "queue", 5, 345);
    assert_none(scene, "service old", "queue", 6);
    assert_none(scene, "service old", "queue", 15);
    assert_is(scene, "service old", "queue", 16, 1005);
    /* Minutes 6 to 15, three points each. */
    assert_int_equal(scene_reason(scene, REASON_NO_SERVICE), 30);
    scene_free(scene);
}

/* ---- what changes nothing ---------------------------------------------------------------- */

static void same_options_change_nothing(void **state)
{
    struct scene *scene = open_scene("old");

    (void)state;
    count_through_a_change(scene, "old", 900);
    for (uint64_t minute = 1; minute < 14; minute++) {
        assert_is(scene, "service old", "requests.rate", minute, 5);
        assert_int_equal(scene_posts(scene, "requests.rate", minute), 1);
    }
    scene_free(scene);
}

static void change_that_is_taken_back_within_the_minute_changes_nothing(void **state)
{
    const struct scene_metric requests = {&ANY, SCENE_COUNTER, "requests"};
    struct scene *scene = open_scene("old");
    struct pipeline_counts counts;

    (void)state;
    for (double time_s = 7; time_s < 900; time_s += 10) {
        if (time_s > 320 && time_s < 330)
            change(scene, 320, "new");
        if (time_s > 340 && time_s < 350)
            change(scene, 340, "old");
        say(scene, &requests, time_s, 5 * time_s);
    }
    scene_wait_until(scene, 1500);
    for (uint64_t minute = 1; minute < 14; minute++) {
        assert_is(scene, "service old", "requests.rate", minute, 5);
        assert_none(scene, "service new", "requests.rate", minute);
        assert_int_equal(scene_posts(scene, "requests.rate", minute), 1);
    }
    pipeline_read_counts(scene->pipeline, &counts);
    assert_int_equal(counts.streams, 1);
    scene_free(scene);
}

static void resource_that_names_its_service_stays(void **state)
{
    const struct scene_metric requests = {&NAMED, SCENE_COUNTER, "requests"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 7; time_s < 900; time_s += 10) {
        if (time_s > 320 && time_s < 330)
            change(scene, CHANGE_S, "third");
        say(scene, &requests, time_s, 5 * time_s);
    }
    scene_wait_until(scene, 1500);
    for (uint64_t minute = 1; minute < 14; minute++)
        assert_is(scene, "service new", "requests.rate", minute, 5);
    scene_free(scene);
}

static void host_metrics_stay_with_their_host(void **state)
{
    const struct scene_resource host = {.host = "web-1"};
    const struct scene_metric load = {&host, SCENE_GAUGE, "system.cpu.load_average.5m"};
    struct scene *scene = open_scene("old");

    (void)state;
    for (double time_s = 5; time_s < 900; time_s += 30) {
        if (time_s > CHANGE_S && time_s - 30 < CHANGE_S)
            change(scene, CHANGE_S, "new");
        say(scene, &load, time_s, 2);
    }
    scene_wait_until(scene, 1500);
    for (uint64_t minute = 1; minute < 14; minute++)
        assert_is(scene, "host web-1", "loadavg5", minute, 2);
    scene_free(scene);
}

static void new_grace_holds_at_once(void **state)
{
    struct pipeline_options options = with_default("old");
    const struct scene_metric queue = {&ANY, SCENE_GAUGE, "queue"};
    struct scene *scene = open_scene("old");

    (void)state;
    say(scene, &queue, 10, 1);
    options.grace_ns = 2000000000u;
    scene_configure(scene, 70, &options);
    say(scene, &queue, 130, 1);
    scene_wait_until(scene, 181.5);
    assert_none(scene, "service old", "queue", 2);
    scene_wait_until(scene, 182.5);
    assert_is(scene, "service old", "queue", 2, 1);
    scene_free(scene);
}

/* ---- the beginning of our watching ------------------------------------------------------- */

static double young_counter(struct scene *scene, double start_s)
{
    const struct scene_resource sdk = {.service = "shop", .is_sdk = true};
    const struct scene_metric requests = {&sdk, SCENE_COUNTER, "requests"};
    struct scene_point point = {.start_s = start_s, .time_s = start_s + 60, .value = 60};

    scene_send(scene, point.time_s + 0.05, &requests, &point, 1);
    scene_wait_until(scene, point.time_s + 600);
    return scene_total(scene, "requests.rate") * 60;
}

static void first_configuration_begins_the_watching(void **state)
{
    struct pipeline_options nothing = {0};

    (void)state;
    for (double start_s = 90; start_s <= 110; start_s += 20) {
        struct scene *scene = scene_open(&nothing);

        change(scene, 100, "old");
        /* Only what began after it is known from its beginning. */
        assert_true(fabs(young_counter(scene, start_s) - (start_s > 100 ? 60 : 0)) <
                    1e-9);
        scene_free(scene);
    }
}

static void later_configurations_keep_it(void **state)
{
    struct pipeline_options nothing = {0};
    struct scene *scene = scene_open(&nothing);

    (void)state;
    change(scene, 100, "old");
    change(scene, 300, "new");
    assert_true(fabs(young_counter(scene, 250) - 60) < 1e-9);
    scene_free(scene);
}

/* ---- leaving ----------------------------------------------------------------------------- */

/* A counter for two days, with the change at its beginning. */
static struct scene *two_days(const char *service)
{
    const struct scene_metric requests = {&ANY, SCENE_COUNTER, "requests"};
    struct scene *scene = open_scene("old");

    for (double time_s = 7; time_s < 172800; time_s += 60) {
        if (time_s > CHANGE_S && time_s - 60 < CHANGE_S)
            change(scene, CHANGE_S, service);
        say(scene, &requests, time_s, 5 * time_s);
    }
    return scene;
}

static void nothing_of_the_old_place_is_left_after_two_days(void **state)
{
    struct scene *scene = two_days("new");
    struct pipeline_counts counts;

    (void)state;
    pipeline_read_counts(scene->pipeline, &counts);
    assert_int_equal(counts.cells, 1);
    assert_int_equal(counts.streams, 1);
    assert_is(scene, "service new", "requests.rate", 2000, 5);
    scene_free(scene);
}

static void streams_that_lead_nowhere_are_gone_after_two_days(void **state)
{
    struct scene *scene = two_days("");
    struct pipeline_counts counts;

    (void)state;
    scene_wait_until(scene, 172900);
    pipeline_read_counts(scene->pipeline, &counts);
    assert_int_equal(counts.cells, 0);
    assert_int_equal(counts.streams, 0);
    scene_free(scene);
}

/* ---- containers -------------------------------------------------------------------------- */

static void set_container_mode(struct scene *scene, double time_s,
                               enum container_mode mode)
{
    struct pipeline_options options = with_default("");

    options.container_mode = (uint8_t)mode;
    scene_configure(scene, time_s, &options);
}

static void containers_begin_anew_where_another_mode_shows_them(void **state)
{
    const struct scene_resource app = {
        .host = "node", .pod = "web-0", .container = "app"};
    const struct scene_metric cpu = {&app, SCENE_COUNTER, "container.cpu.time"};
    struct scene *scene = open_scene("");

    (void)state;
    for (double time_s = 7; time_s <= 607; time_s += 10) {
        if (time_s - 10 < CHANGE_S && time_s > CHANGE_S)
            set_container_mode(scene, CHANGE_S, CONTAINERS_POD_HOST);
        say(scene, &cpu, time_s, 1000 + 0.25 * time_s);
    }
    scene_wait_until(scene, 1200);
    assert_is(scene, "host node", "custom.k8s.container.cpu.web_app.usage", 4, 25);
    assert_none(scene, "host node", "custom.k8s.container.cpu.web_app.usage", 6);
    assert_none(scene, "host web-0", "container.cpu.app.usage", 4);
    assert_is(scene, "host web-0", "container.cpu.app.usage", 6, 25);
    assert_is(scene, "host web-0", "container.cpu.app.usage", 9, 25);
    scene_free(scene);
}

static void containers_go_to_services_where_no_mode_shows_them(void **state)
{
    const struct scene_resource app = {
        .host = "node", .service = "shop", .pod = "web-0", .container = "app"};
    const struct scene_metric memory = {&app, SCENE_GAUGE,
                                        "container.memory.working_set"};
    struct scene *scene = open_scene("");

    (void)state;
    set_container_mode(scene, 0, CONTAINERS_OFF);
    say(scene, &memory, 70, 100);
    set_container_mode(scene, CHANGE_S, CONTAINERS_NODE);
    say(scene, &memory, 370, 101);
    scene_wait_until(scene, 1200);
    assert_is(scene, "service shop", "container.memory.working_set", 1, 100);
    assert_is(scene, "host node", "custom.k8s.container.memory.web_app.usage", 6, 101);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_begin_anew_where_another_mode_shows_them),
        cmocka_unit_test(containers_go_to_services_where_no_mode_shows_them),
        cmocka_unit_test(counter_is_split_at_the_minute_and_loses_nothing),
        cmocka_unit_test(counter_of_a_slow_sender_is_split_too),
        cmocka_unit_test(delta_window_over_the_change_is_split),
        cmocka_unit_test(silent_delta_stream_goes_on_as_zero_in_the_new_place),
        cmocka_unit_test(histogram_has_its_percentiles_on_both_sides),
        cmocka_unit_test(gauge_carries_on_in_the_new_place),
        cmocka_unit_test(late_value_corrects_the_minute_where_it_was_posted),
        cmocka_unit_test(late_window_fills_the_minute_of_the_old_place),
        cmocka_unit_test(values_stay_for_late_corrections_of_the_old_place),
        cmocka_unit_test(stream_joins_a_series_that_is_there),
        cmocka_unit_test(stream_leaves_a_series_that_goes_on),
        cmocka_unit_test(two_replicas_move_together),
        cmocka_unit_test(
            stream_that_is_new_in_the_minute_of_the_change_begins_in_the_old_place),
        cmocka_unit_test(what_was_refused_is_routed),
        cmocka_unit_test(what_was_routed_is_refused_from_the_next_minute_on),
        cmocka_unit_test(refused_gauge_is_counted_and_comes_back),
        cmocka_unit_test(same_options_change_nothing),
        cmocka_unit_test(change_that_is_taken_back_within_the_minute_changes_nothing),
        cmocka_unit_test(resource_that_names_its_service_stays),
        cmocka_unit_test(host_metrics_stay_with_their_host),
        cmocka_unit_test(new_grace_holds_at_once),
        cmocka_unit_test(first_configuration_begins_the_watching),
        cmocka_unit_test(later_configurations_keep_it),
        cmocka_unit_test(nothing_of_the_old_place_is_left_after_two_days),
        cmocka_unit_test(streams_that_lead_nowhere_are_gone_after_two_days),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
