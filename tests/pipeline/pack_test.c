/*
 * Every pack is read, and what it says of a name that two conventions have.
 */
#include "pipeline/pack.h"

#include "pipeline/rule_read.h"
#include "pipeline/rule_text.h"
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void every_pack_is_read(void **state)
{
    struct error err;

    (void)state;
    for (const struct pack *pack = packs; pack->name; pack++) {
        struct rules *rules = rule_read_text(pack->text, pack->name, &err);

        if (!rules)
            fail_msg("%s", err.text);
        rules_free(rules);
    }
}

static const struct scene_resource SHOP = {.service = "shop", .instance = "a"};

static const uint64_t buckets[] = {0, 0};
static const double bounds[] = {1};

/* Both names in one request every 30 s, the older one first; `count` in all by then. */
static void say_both(struct scene *scene, double at_s, uint64_t count, bool newer)
{
    const struct scene_metric old = {&SHOP, SCENE_HISTOGRAM, "http.server.duration"},
                              new = {&SHOP, SCENE_HISTOGRAM,
                                     "http.server.request.duration"};
    uint64_t counts[] = {count, buckets[1]};
    struct scene_point point = {
        .time_s = at_s,
        .start_s = 1,
        .count = count,
        .value = (double)count,
        .buckets = counts,
        .bounds = bounds,
        .bound_count = 1,
        .key = "http.response.status_code",
        .attribute = "204",
    };

    scene_prepare(scene, &old, &point, 1);
    if (newer)
        scene_body_append(&scene->request, &new, &point, 1);
    scene_apply(scene, at_s + 0.5);
}

static struct scene *open_runtime(struct buffer *text)
{
    struct pipeline_options options = {.grace_ns = 15000000000u,
                                       .lateness_ns = 300000000000u};

    rule_text_begin(text);
    assert_true(rule_text_add_pack(text, "runtime"));
    assert_true(rule_text_add_pack(text, "generic"));
    rule_text_end(text);
    buffer_append_char(text, '\0');
    options.rules = text->ptr;
    return scene_open(&options);
}

static void of_two_names_the_newer_one_counts(void **state)
{
    struct buffer text = {0};
    struct scene *scene = open_runtime(&text);

    (void)state;
    for (int i = 1; i <= 20; i++)
        say_both(scene, 30 * i, (uint64_t)(60 * i), true);
    scene_wait_until(scene, 900);
    /* 60 in 30 s: 2 a second, not 4. */
    assert_float_equal(scene_value(scene, "http.server.request.duration.rate.total", 5),
                       2, 1e-9);
    assert_float_equal(scene_value(scene, "http.server.request.duration.rate.2xx", 5), 2,
                       1e-9);
    assert_int_equal(scene_reason(scene, REASON_SUPERSEDED), 20);
    scene_free(scene);
    buffer_release(&text);
}

static void the_older_name_alone_is_posted_under_the_newer(void **state)
{
    struct buffer text = {0};
    struct scene *scene = open_runtime(&text);

    (void)state;
    for (int i = 1; i <= 20; i++)
        say_both(scene, 30 * i, (uint64_t)(60 * i), false);
    scene_wait_until(scene, 900);
    assert_float_equal(scene_value(scene, "http.server.request.duration.rate.total", 5),
                       2, 1e-9);
    assert_int_equal(scene_reason(scene, REASON_SUPERSEDED), 0);
    scene_free(scene);
    buffer_release(&text);
}

static void the_older_name_goes_on_when_the_newer_one_ends(void **state)
{
    struct buffer text = {0};
    struct scene *scene = open_runtime(&text);

    (void)state;
    for (int i = 1; i <= 60; i++)
        say_both(scene, 30 * i, (uint64_t)(60 * i), i <= 20);
    scene_wait_until(scene, 2400);
    /* The newer one came last at 10:00; until 20:00 the older one is skipped. */
    assert_true(isnan(scene_value(scene, "http.server.request.duration.rate.total", 15)));
    assert_float_equal(scene_value(scene, "http.server.request.duration.rate.total", 25),
                       2, 1e-9);
    scene_free(scene);
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pack_is_read),
        cmocka_unit_test(of_two_names_the_newer_one_counts),
        cmocka_unit_test(the_older_name_alone_is_posted_under_the_newer),
        cmocka_unit_test(the_older_name_goes_on_when_the_newer_one_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
