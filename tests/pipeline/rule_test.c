/*
 * Rules through the whole pipeline: which metric goes where, under which name, which streams are left
 * out, and what happens when the rules change while streams run.
 */
#include "tests/pipeline/scene.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct scene_resource SHOP = {
    .service = "cart", .namespace_ = "shop", .instance = "a", .host = "web"};

static struct pipeline_options with(const char *rules)
{
    return (struct pipeline_options){
        .grace_ns = 15000000000u, .lateness_ns = 300000000000u, .rules = rules};
}

/* A gauge of SHOP, every 20 s from `from_s` until `until_s`, with an attribute. */
static void say(struct scene *scene, const char *name, const char *route, double from_s,
                double until_s)
{
    struct scene_metric metric = {.resource = &SHOP, .name = name, .kind = SCENE_GAUGE};

    for (double at = from_s; at < until_s; at += 20)
        scene_send(scene, at + 0.5, &metric,
                   &(struct scene_point){
                       .time_s = at, .value = 7, .key = "route", .attribute = route},
                   1);
}

static struct scene *play(const char *rules, const char *name, const char *route)
{
    struct pipeline_options options = with(rules);
    struct scene *scene = scene_open(&options);

    say(scene, name, route, 65, 200);
    scene_wait_until(scene, 400);
    return scene;
}

static void assert_posted(const char *rules, const char *name, const char *destination,
                          const char *posted)
{
    struct scene *scene = play(rules, name, "x");
    double value = scene_value_of(scene, destination, posted, 2);

    if (!(fabs(value - 7) < 1e-9))
        fail_msg("%s: %s %s is %g", rules, destination, posted, value);
    scene_free(scene);
}

static void assert_refused(const char *rules, const char *route, enum reason reason)
{
    struct scene *scene = play(rules, "m", route);

    assert_int_equal(scene->count, 0);
    assert_int_equal(scene_reason(scene, reason), 7);
    scene_free(scene);
}

static void the_first_rule_that_matches_decides(void **state)
{
    (void)state;
    assert_posted("[{match: {metric: 'a.*'}, metric: first}, {metric: second}]", "a.b",
                  "service shop", "cart.first");
    assert_posted("[{match: {metric: 'a.*'}, metric: first}, {metric: second}]", "b.a",
                  "service shop", "cart.second");
    assert_posted("[{match: {metric: '/^[bc]/', kind: [counter, gauge]}}]", "b",
                  "service shop", "cart.b");
    assert_posted("[{match: {resource: {service.namespace: shop, x: false}}}]", "b",
                  "service shop", "cart.b");
}

static void rules_choose_the_destination(void **state)
{
    (void)state;
    assert_posted("[{destination: host}]", "m", "host web", "custom.m");
    assert_posted("[{service: '{service.name}'}]", "m", "service cart", "m");
    assert_posted("[{service: '{team|service.name}-x'}]", "m", "service cart-x",
                  "cart.m");
    assert_posted("[{service: '{team}'}]", "m", "service shop", "cart.m");
    assert_posted("[{destination: host, host: {name: '{service.name}.{host.name}'}}]",
                  "m", "host cart.web", "custom.m");
    assert_posted("[{destination: host, host: {id: '{team}'}, otherwise: service}]", "m",
                  "service shop", "cart.m");
}

static void rules_name_metrics(void **state)
{
    (void)state;
    assert_posted("[{prefix: false}]", "m.n", "service shop", "m.n");
    assert_posted("[{rename: {old: 'a.*.z', new: 'b.*'}}]", "a.m.n.z", "service shop",
                  "cart.b.m.n");
    assert_posted("[{rename: {old: 'a.*', new: 'b.*'}}]", "c", "service shop", "cart.c");
    assert_posted("[{metric: 'x.{metric}.y'}]", "m.n", "service shop", "cart.x.m.n.y");
}

static void what_rules_leave_out_is_filtered(void **state)
{
    (void)state;
    assert_refused("[{destination: drop}]", "x", REASON_FILTERED);
    assert_refused("[{where: {route: '/api/*'}}]", "/static", REASON_FILTERED);
    assert_refused("[{where: {route: false}}]", "/static", REASON_FILTERED);
    assert_refused("[{match: {metric: other}}]", "x", REASON_NO_RULE);
    assert_refused("[{destination: host, host: {id: '{team}'}}]", "x",
                   REASON_NO_IDENTITY);
}

static void where_takes_the_streams_that_match(void **state)
{
    struct pipeline_options options = with("[{where: {route: '/api/*'}}]");
    struct scene *scene = scene_open(&options);

    (void)state;
    say(scene, "m", "/api/a", 65, 200);
    say(scene, "m", "/static", 205, 300);
    scene_wait_until(scene, 600);
    assert_float_equal(scene_value(scene, "cart.m", 2), 7, 1e-9);
    assert_int_equal(scene_reason(scene, REASON_FILTERED), 5);
    scene_free(scene);
}

static void changed_rules_hold_from_the_next_minute_on(void **state)
{
    struct pipeline_options before = with("[{metric: old}]"),
                            after = with("[{metric: new}]");
    struct scene *scene = scene_open(&before);

    (void)state;
    say(scene, "m", "x", 65, 200);
    scene_configure(scene, 200, &after); /* in minute 3 */
    say(scene, "m", "x", 205, 400);
    scene_wait_until(scene, 600);
    assert_float_equal(scene_value(scene, "cart.old", 3), 7, 1e-9);
    assert_true(isnan(scene_value(scene, "cart.new", 3)));
    assert_float_equal(scene_value(scene, "cart.new", 4), 7, 1e-9);
    assert_true(isnan(scene_value(scene, "cart.old", 4)));
    scene_free(scene);
}

static void a_stream_that_is_left_out_later_ends_and_comes_back(void **state)
{
    struct pipeline_options all = with("[{}]"), none = with("[{where: {route: y}}]");
    struct scene *scene = scene_open(&all);

    (void)state;
    say(scene, "m", "x", 65, 200);
    scene_configure(scene, 200, &none); /* from minute 4 on */
    say(scene, "m", "x", 205, 400);
    scene_configure(scene, 400, &all); /* from minute 7 on */
    say(scene, "m", "x", 405, 600);
    scene_wait_until(scene, 900);
    assert_float_equal(scene_value(scene, "cart.m", 3), 7, 1e-9);
    assert_true(isnan(scene_value(scene, "cart.m", 5)));
    assert_float_equal(scene_value(scene, "cart.m", 8), 7, 1e-9);
    assert_true(scene_reason(scene, REASON_FILTERED) > 0);
    scene_free(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_rule_that_matches_decides),
        cmocka_unit_test(rules_choose_the_destination),
        cmocka_unit_test(rules_name_metrics),
        cmocka_unit_test(what_rules_leave_out_is_filtered),
        cmocka_unit_test(where_takes_the_streams_that_match),
        cmocka_unit_test(changed_rules_hold_from_the_next_minute_on),
        cmocka_unit_test(a_stream_that_is_left_out_later_ends_and_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
