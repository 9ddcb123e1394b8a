/*
 * What a plan makes of a minute of totals. Minutes are filled in by hand; what is wanted is worked out
 * beside it.
 */
#include "pipeline/render.h"

#include "base/memory.h"
#include "pipeline/cell.h"
#include "pipeline/layout.h"
#include "pipeline/minutes.h"
#include "pipeline/pipeline.h"
#include "pipeline/plans.h"
#include "pipeline/suffix.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum {
    MINUTE = 1000
};

static struct pipeline *new_pipeline(void)
{
    return pipeline_new(&(struct pipeline_options){.grace_ns = 15 * NS_PER_S,
                                                   .lateness_ns = 300 * NS_PER_S});
}

static uint32_t open_cell(struct pipeline *p, enum cell_kind kind,
                          const struct plan *plan)
{
    uint32_t shared = plans_take(p, plan);
    uint32_t cell = cell_open(
        p, &(struct cell_key){
               .drawing = POOL_NONE,
               .destination = cell_destination(
                   p, &(struct mackerel_destination){.kind = MACKEREL_SERVICE,
                                                     .name = SLICE("shop")}),
               .plan = shared,
               .kind = kind,
               .name = SLICE("m"),
           });

    plans_give(p, shared);
    return cell;
}

static struct minute *open_minute(struct pipeline *p, uint32_t cell)
{
    return state_minute(p, minutes_open(p, cell, MINUTE));
}

static double value_of(const struct pipeline *p, const char *name)
{
    for (size_t i = 0; i < p->emission_count; i++) {
        const struct emission *emission = &p->emissions[i];

        if (slice_is((struct slice){p->emission_text.ptr + emission->name_at,
                                    emission->name_len},
                     name))
            return emission->value;
    }
    return (double)NAN;
}

static void assert_value(const struct pipeline *p, const char *name, double expected)
{
    double got = value_of(p, name);

    if (!(fabs(got - expected) <= 1e-12 * fabs(expected)))
        fail_msg("%s is %.17g, not %.17g", name, got, expected);
}

static void counters_post_the_statistics_of_their_plan(void **state)
{
    struct pipeline *p = new_pipeline();
    uint32_t cell = open_cell(p, CELL_RATE,
                              &(struct plan){.statistics = STATISTIC_RATE |
                                                           STATISTIC_COUNT |
                                                           STATISTIC_PERCENTAGE,
                                             .scale = 1});
    struct minute *minute = open_minute(p, cell);

    (void)state;
    minute->increase = 90.5;
    minutes_widen_parts(minute, 1);
    minute->part[MINUTE_PART_WHOLE] = 91;
    assert_true(render_minute(p, cell, minute));
    assert_int_equal(p->emission_count, 3);
    assert_value(p, "m.rate", 90.5 / 60);
    assert_value(p, "m.count", 91);
    assert_value(p, "m.percentage", 100 * 90.5 / 60);
    pipeline_free(p);
}

static void scale_turns_values_of_counters(void **state)
{
    struct pipeline *p = new_pipeline();
    uint32_t cell = open_cell(
        p, CELL_RATE, &(struct plan){.statistics = STATISTIC_RATE, .scale = 0.001});
    struct minute *minute = open_minute(p, cell);

    (void)state;
    minute->increase = 120;
    assert_true(render_minute(p, cell, minute));
    assert_int_equal(p->emission_count, 1);
    assert_value(p, "m.rate", 0.002);
    pipeline_free(p);
}

static void a_breakdown_posts_the_total_and_each_label(void **state)
{
    struct pipeline *p = new_pipeline();
    static const char labels[] = "2xx\0error";
    uint32_t cell = open_cell(p, CELL_RATE,
                              &(struct plan){.statistics = STATISTIC_RATE,
                                             .scale = 1,
                                             .labels = (char *)(uintptr_t)labels,
                                             .labels_len = sizeof(labels),
                                             .label_count = 2});
    struct minute *minute = open_minute(p, cell);

    (void)state;
    minute->increase = 120;
    minutes_widen_parts(minute, 3);
    minute->part[MINUTE_PART_LABELS] = 90;
    minute->part[MINUTE_PART_LABELS + 1] = 6;
    assert_true(render_minute(p, cell, minute));
    assert_int_equal(p->emission_count, 3);
    assert_value(p, "m.rate.total", 2);
    assert_value(p, "m.rate.2xx", 1.5);
    assert_value(p, "m.rate.error", 0.1);
    pipeline_free(p);
}

static void labels_of_which_nothing_came_are_zero(void **state)
{
    struct pipeline *p = new_pipeline();
    static const char labels[] = "error";
    uint32_t cell = open_cell(p, CELL_RATE,
                              &(struct plan){.statistics = STATISTIC_RATE,
                                             .scale = 1,
                                             .labels = (char *)(uintptr_t)labels,
                                             .labels_len = sizeof(labels),
                                             .label_count = 1});
    struct minute *minute = open_minute(p, cell);

    (void)state;
    minute->increase = 60;
    assert_true(render_minute(p, cell, minute));
    assert_value(p, "m.rate.error", 0);
    pipeline_free(p);
}

/* 100 observations: 50 up to 10, 30 up to 20, 20 above; they sum up to 1,500 (ms). */
static struct minute *fill_histogram(struct pipeline *p, uint32_t cell)
{
    static const double bounds[] = {10, 20};
    struct minute *minute = open_minute(p, cell);
    uint32_t layout = pool_take(&p->layouts);

    state_layout(p, layout)->users = 1;
    state_layout(p, layout)->bound_count = 2;
    state_layout(p, layout)->bounds = memory_new(2, sizeof(double));
    memcpy(state_layout(p, layout)->bounds, bounds, sizeof(bounds));
    minute->layout = layout;
    minutes_widen(minute, 3);
    minute->component[0] = 50;
    minute->component[1] = 30;
    minute->component[2] = 20;
    minute->bucketed = minute->increase = 100;
    minute->sum = 1500;
    minutes_widen_parts(minute, 1);
    minute->part[MINUTE_PART_WHOLE] = 100;
    return minute;
}

static void histograms_post_the_statistics_of_their_plan(void **state)
{
    struct pipeline *p = new_pipeline();
    uint32_t cell = open_cell(
        p, CELL_HISTOGRAM,
        &(struct plan){.statistics = STATISTIC_RATE | STATISTIC_COUNT | STATISTIC_SUM |
                                     STATISTIC_AVERAGE | STATISTIC_SATURATION |
                                     STATISTIC_TIME,
                       .percentile = {0.5, 0.6, 0.999},
                       .percentile_count = 3,
                       .scale = 0.001});

    (void)state;
    assert_true(render_minute(p, cell, fill_histogram(p, cell)));
    assert_int_equal(p->emission_count, 9);
    assert_value(p, "m.rate", 100.0 / 60); /* observations have no unit */
    assert_value(p, "m.count", 100);
    assert_value(p, "m.sum", 1.5 / 60);
    assert_value(p, "m.avg", 0.015);
    assert_value(p, "m.time.percentage", 100 * 1.5 / 60);
    assert_value(p, "m.saturation", 0.2);
    assert_value(p, "m.p50", 0.01);                   /* the end of the first bucket */
    assert_value(p, "m.p60", (10 + 10 / 3.0) / 1000); /* 10 of 30 into the second */
    assert_value(p, "m.p99_9", 0.02);                 /* the last bound */
    pipeline_free(p);
}

static void a_histogram_without_observations_has_no_average_and_no_share(void **state)
{
    struct pipeline *p = new_pipeline();
    uint32_t cell = open_cell(
        p, CELL_HISTOGRAM,
        &(struct plan){.statistics = STATISTIC_RATE | STATISTIC_AVERAGE |
                                     STATISTIC_SATURATION | STATISTIC_SUM,
                       .percentile = {0.5},
                       .percentile_count = 1,
                       .scale = 1});

    (void)state;
    assert_true(render_minute(p, cell, open_minute(p, cell)));
    assert_int_equal(p->emission_count, 2);
    assert_value(p, "m.rate", 0);
    assert_value(p, "m.sum", 0);
    pipeline_free(p);
}

static void a_plan_knows_how_many_names_it_posts(void **state)
{
    static const char labels[] = "2xx\0error";
    struct plan histogram = {.statistics = STATISTIC_RATE | STATISTIC_AVERAGE,
                             .percentile_count = 3};
    struct plan broken_down = {.statistics = STATISTIC_RATE | STATISTIC_COUNT,
                               .labels = (char *)(uintptr_t)labels,
                               .labels_len = sizeof(labels),
                               .label_count = 2};
    struct plan merged = {.merges = MERGE_AVERAGE | MERGE_MAX};

    (void)state;
    assert_int_equal(suffix_count(&histogram), 5);
    assert_int_equal(suffix_count(&broken_down), 4);
    assert_int_equal(suffix_count(&merged), 2);
}

static void extremes_are_posted_where_all_observations_have_them(void **state)
{
    struct pipeline *p = new_pipeline();
    uint32_t cell = open_cell(
        p, CELL_HISTOGRAM,
        &(struct plan){.statistics = STATISTIC_MIN | STATISTIC_MAX, .scale = 10});
    struct minute *minute = open_minute(p, cell);

    (void)state;
    minute->increase = 4;
    minute->min = -2;
    minute->max = 7;
    minute->has_extremes = true;
    assert_true(render_minute(p, cell, minute));
    assert_int_equal(p->emission_count, 2);
    assert_value(p, "m.min", -20);
    assert_value(p, "m.max", 70);
    minute->extremes_missing = true;
    assert_false(render_minute(p, cell, minute));
    pipeline_free(p);
}

/* Quantiles 0, 0.5, 0.99 and 1 of a summary; the plan asks for two of them. */
static void a_plan_chooses_among_a_summarys_quantiles(void **state)
{
    struct pipeline *p = new_pipeline();
    const struct otlp_quantile said[] = {{0, 1}, {0.5, 3}, {0.99, 8}, {1, 9}};
    uint32_t cell = open_cell(p, CELL_HISTOGRAM,
                              &(struct plan){.statistics = STATISTIC_MAX,
                                             .percentile = {0.9, 0.99},
                                             .percentile_count = 2,
                                             .scale = 0.5});
    struct minute *minute = open_minute(p, cell);
    struct quantiles *quantiles;

    (void)state;
    minute->quantiles = pool_take(&p->quantiles);
    quantiles = state_quantiles(p, minute->quantiles);
    quantiles->len = quantiles->room = 4;
    quantiles->value = memory_new(4, sizeof(said[0]));
    memcpy(quantiles->value, said, sizeof(said));
    assert_true(render_minute(p, cell, minute));
    assert_int_equal(p->emission_count, 2);
    assert_value(p, "m.p99", 4);
    assert_value(p, "m.max", 4.5);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extremes_are_posted_where_all_observations_have_them),
        cmocka_unit_test(a_plan_chooses_among_a_summarys_quantiles),
        cmocka_unit_test(counters_post_the_statistics_of_their_plan),
        cmocka_unit_test(scale_turns_values_of_counters),
        cmocka_unit_test(a_breakdown_posts_the_total_and_each_label),
        cmocka_unit_test(labels_of_which_nothing_came_are_zero),
        cmocka_unit_test(histograms_post_the_statistics_of_their_plan),
        cmocka_unit_test(a_histogram_without_observations_has_no_average_and_no_share),
        cmocka_unit_test(a_plan_knows_how_many_names_it_posts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
