/*
 * Nothing is allocated per point in steady state: the allocator is counted (the linker's --wrap)
 * while known streams go on reporting, decoding included.
 */
#include "tests/pipeline/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned long calls;

void *__wrap_malloc(size_t size)
{
    calls++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    calls++;
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    calls++;
    return __real_realloc(old, size);
}

enum {
    STREAMS = 2000,
    ROUNDS = 30,
    WARM_ROUNDS = 90
};

static const struct scene_resource SHOP = {.service = "shop"};

/* Every stream reports once; the allocations of decoding and applying are returned. */
static unsigned long report(struct scene *scene, enum scene_kind kind, int round)
{
    static char names[STREAMS][16];
    static struct scene_point points[STREAMS];
    const double bounds[] = {1, 2, 3};
    const uint64_t buckets[] = {(uint64_t)round, (uint64_t)round, 0, 0};
    const struct scene_exponential exponential = {.scale = 3,
                                                  .positive = {-4, buckets, 4}};
    const struct scene_quantile quantiles[] = {{0.5, round}, {0.99, 2 * round}};

    for (int i = 0; i < STREAMS; i++) {
        snprintf(names[i], sizeof(names[i]), "route-%d", i);
        points[i] = (struct scene_point){
            .time_s = 60 + 10 * round,
            .value = 3 * round,
            .key = "http.route",
            .attribute = names[i],
            .count = 2 * (uint64_t)round,
            .buckets = buckets,
            .bounds = bounds,
            .bound_count = 3,
            .exponential = &exponential,
            .quantiles = quantiles,
            .quantile_count = 2,
        };
    }
    scene_prepare(scene, &(struct scene_metric){&SHOP, kind, "requests"}, points,
                  STREAMS);

    unsigned long before = calls;

    scene_apply(scene, 60.1 + 10 * round);
    return calls - before;
}

static void count_allocations(enum scene_kind kind)
{
    struct scene *scene = scene_new(0);
    unsigned long steady = 0;

    for (int round = 1; round <= WARM_ROUNDS; round++)
        report(scene, kind, round);
    for (int round = 1; round <= ROUNDS; round++)
        steady += report(scene, kind, WARM_ROUNDS + round);
    /* A minute may take some memory when it opens; 60,000 points may not. */
    if (steady > ROUNDS)
        fail_msg("%lu allocations for %d points", steady, ROUNDS * STREAMS);
    scene_free(scene);
}

static void counters_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_COUNTER);
}

static void deltas_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_DELTA);
}

static void gauges_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_GAUGE);
}

static void histograms_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_HISTOGRAM);
}

static void exponential_histograms_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_EXPONENTIAL);
}

static void delta_exponential_histograms_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_DELTA_EXPONENTIAL);
}

static void summaries_allocate_nothing_per_point(void **state)
{
    (void)state;
    count_allocations(SCENE_SUMMARY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counters_allocate_nothing_per_point),
        cmocka_unit_test(deltas_allocate_nothing_per_point),
        cmocka_unit_test(gauges_allocate_nothing_per_point),
        cmocka_unit_test(histograms_allocate_nothing_per_point),
        cmocka_unit_test(exponential_histograms_allocate_nothing_per_point),
        cmocka_unit_test(delta_exponential_histograms_allocate_nothing_per_point),
        cmocka_unit_test(summaries_allocate_nothing_per_point),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
