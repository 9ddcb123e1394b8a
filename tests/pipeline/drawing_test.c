/*
 * Which definitions of graphs come with values of hosts.
 */
#include "pipeline/drawing.h"

#include "base/memory.h"
#include "pipeline/cell.h"
#include "tests/pipeline/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct scene_resource host(const char *description, const char *unit)
{
    return (struct scene_resource){
        .host = "web-1", .description = description, .unit = unit};
}

static void say(struct scene *scene, const struct scene_metric *metric, double time_s,
                double value)
{
    struct scene_point point = {.time_s = time_s, .value = value};

    scene_send(scene, time_s + 0.05, metric, &point, 1);
}

static void run(struct scene *scene, struct scene_resource resource, enum scene_kind kind,
                const char *name)
{
    for (int beat = 0; beat < 30; beat++)
        say(scene, &(struct scene_metric){&resource, kind, name}, 60 + 10 * beat, beat);
    scene_wait_until(scene, 400);
}

static void assert_graphs(struct scene *scene, const char *wanted)
{
    buffer_append_char(&scene->graphs, '\0');
    assert_string_equal(scene->graphs.ptr, wanted);
    scene_free(scene);
}

static void a_counter_is_drawn_per_second(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    run(scene, host("Bytes that passed. And more.", "By"), SCENE_COUNTER,
        "system.fan.io");
    assert_graphs(scene, "{\"name\":\"custom.system.fan.io\","
                         "\"displayName\":\"Bytes that passed\",\"unit\":\"bytes/sec\","
                         "\"metrics\":[{\"name\":\"custom.system.fan.io.rate\","
                         "\"isStacked\":false}]}\n");
}

static void a_gauge_shares_the_graph_of_its_siblings(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    run(scene, host("Delay", "ms"), SCENE_GAUGE, "system.fan.delay");
    assert_graphs(scene, "{\"name\":\"custom.system.fan\",\"unit\":\"milliseconds\","
                         "\"metrics\":[{\"name\":\"custom.system.fan.delay\","
                         "\"isStacked\":false}]}\n");
}

static void observations_and_not_their_number_say_the_unit(void **state)
{
    static const uint64_t counts[][2] = {{1, 0}, {2, 1}, {3, 5}};
    static const double bound = 1;
    const struct scene_resource resource = host(NULL, "s");
    struct scene *scene = scene_new(0);

    (void)state;
    for (size_t i = 0; i < 3; i++)
        scene_send(scene, 60.05 + 60.0 * (double)i,
                   &(struct scene_metric){&resource, SCENE_HISTOGRAM, "system.fan.wait"},
                   &(struct scene_point){.time_s = 60 + 60.0 * (double)i,
                                         .value = (double)i,
                                         .count = counts[i][0] + counts[i][1],
                                         .buckets = counts[i],
                                         .bounds = &bound,
                                         .bound_count = 1},
                   1);
    scene_wait_until(scene, 230);
    buffer_append_char(&scene->graphs, '\0');
    assert_non_null(strstr(scene->graphs.ptr, "\"unit\":\"\",\"metrics\":[{\"name\":"
                                              "\"custom.system.fan.wait.rate\""));
    assert_non_null(strstr(scene->graphs.ptr,
                           "\"unit\":\"seconds\",\"metrics\":[{\"name\":"
                           "\"custom.system.fan.wait.avg\""));
    assert_non_null(strstr(scene->graphs.ptr,
                           "\"unit\":\"seconds\",\"metrics\":[{\"name\":"
                           "\"custom.system.fan.wait.p99\""));
    scene_free(scene);
}

static void services_and_native_metrics_have_no_definitions(void **state)
{
    struct scene *scene = scene_new(0);

    (void)state;
    run(scene,
        (struct scene_resource){.service = "shop", .description = "Q", .unit = "By"},
        SCENE_GAUGE, "queue.size");
    assert_graphs(scene, "");
    scene = scene_new(0);
    run(scene, host("Load", "1"), SCENE_GAUGE, "system.cpu.load_average.5m");
    assert_true(scene->count > 0);
    assert_graphs(scene, "");
}

static void a_title_is_the_first_sentence_and_not_too_long(void **state)
{
    char text[200];

    (void)state;
    assert_true(slice_is(drawing_title(slice_of("  Time of v1.2 calls. More.")),
                         "Time of v1.2 calls"));
    assert_true(slice_is(drawing_title(slice_of("One\ntwo")), "One"));
    assert_true(slice_is(drawing_title(slice_of("")), ""));
    /* 79 letters and a character of three bytes, which would end at 82. */
    snprintf(text, sizeof(text), "%079d\xE6\x97\xA5", 0);
    assert_int_equal(drawing_title(slice_of(text)).len, 79);
}

/* ---- wildcards ----------------------------------------------------------------------------- */

/* Values of cells of that metric, each name's first `base` bytes the cell's. */
static size_t list(struct pipeline *p, const struct drawing_seed *seed,
                   const char *const *names, size_t base,
                   const struct mackerel_graph **graphs)
{
    uint32_t drawing = drawing_take(p, seed);

    p->emission_count = 0;
    buffer_reset(&p->emission_text);
    for (; *names; names++) {
        p->emissions = memory_grow(p->emissions, p->emission_count + 1, &p->emission_room,
                                   sizeof(*p->emissions));
        p->emissions[p->emission_count++] = (struct emission){
            .name_at = (uint32_t)p->emission_text.len,
            .name_len = (uint32_t)strlen(*names),
            .drawing = drawing,
            .base_len = (uint32_t)base,
        };
        buffer_append_text(&p->emission_text, *names);
    }
    return drawing_list(p, graphs);
}

static void kept_attributes_make_one_definition_of_a_family(void **state)
{
    static const char *const names[] = {"custom.http.get.rate", "custom.http.put.rate",
                                        "custom.http.get.p99", NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;

    (void)state;
    assert_int_equal(list(p,
                          &(struct drawing_seed){.kind = CELL_RATE,
                                                 .name = slice_of("custom.http"),
                                                 .title = slice_of("HTTP")},
                          names, strlen("custom.http.get"), &graphs),
                     2);
    assert_true(slice_is(graphs[0].name, "custom.http.#"));
    assert_true(slice_is(graphs[0].lines[0].segment, "rate"));
    assert_true(slice_is(graphs[0].display_name, "HTTP"));
    assert_true(slice_is(graphs[1].lines[0].segment, "p99"));
    pipeline_free(p);
}

static void a_kept_attribute_at_the_end_names_the_lines(void **state)
{
    static const char *const names[] = {"custom.memory.heap", "custom.memory.code", NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;

    (void)state;
    assert_int_equal(list(p,
                          &(struct drawing_seed){.kind = CELL_SUM,
                                                 .name = slice_of("custom.memory"),
                                                 .title = slice_of("Memory"),
                                                 .unit = slice_of("By"),
                                                 .is_stacked = true},
                          names, strlen("custom.memory.heap"), &graphs),
                     2);
    assert_true(slice_is(graphs[0].name, "custom.memory"));
    assert_true(slice_is(graphs[0].display_name, "Memory"));
    assert_true(slice_is(graphs[0].unit, "bytes"));
    assert_true(slice_is(graphs[0].lines[0].segment, "heap"));
    assert_true(graphs[0].lines[0].is_stacked);
    assert_true(slice_is(graphs[1].lines[0].segment, "code"));
    pipeline_free(p);
}

static void a_wildcard_of_lines_needs_one_in_the_graph(void **state)
{
    static const char *const names[] = {"custom.memory.heap.old",
                                        "custom.memory.heap.new",
                                        "custom.memory.code.new", NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;

    (void)state;
    assert_int_equal(
        list(p,
             &(struct drawing_seed){.kind = CELL_SUM, .name = slice_of("custom.memory")},
             names, strlen("custom.memory.heap.old"), &graphs),
        1);
    assert_true(slice_is(graphs[0].name, "custom.memory.#"));
    assert_true(slice_is(graphs[0].lines[0].segment, "*"));
    pipeline_free(p);
}

static bool is_stacked(const struct drawing_seed *seed, const char *name, size_t base)
{
    const char *const names[] = {name, NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;
    bool is_stacked;

    assert_int_equal(list(p, seed, names, base, &graphs), 1);
    is_stacked = graphs[0].lines[0].is_stacked;
    pipeline_free(p);
    return is_stacked;
}

static void parts_of_a_sum_are_stacked_unless_a_rule_says_otherwise(void **state)
{
    struct drawing_seed seed = {.kind = CELL_SUM, .name = slice_of("custom.a")};
    const char *part = "custom.a.idle", *merged = "custom.a.idle.max";

    (void)state;
    assert_true(is_stacked(&seed, part, strlen(part)));
    assert_false(is_stacked(&seed, merged, strlen(part)));
    seed.has_stacked = true;
    assert_false(is_stacked(&seed, part, strlen(part)));
    seed = (struct drawing_seed){.kind = CELL_MEAN, .name = slice_of("custom.a")};
    assert_false(is_stacked(&seed, part, strlen(part)));
}

/* "http.{http.route}.{http.request.method}" of a metric that knows no point, and of one that does. */
static void attributes_in_a_template_are_wildcards(void **state)
{
    static const char *const names[] = {"custom.http.api.GET.rate", NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;

    (void)state;
    assert_int_equal(list(p,
                          &(struct drawing_seed){.kind = CELL_RATE,
                                                 .name = slice_of("custom.http._._")},
                          names, strlen("custom.http.api.GET"), &graphs),
                     1);
    assert_true(slice_is(graphs[0].name, "custom.http.#.*"));
    assert_true(slice_is(graphs[0].lines[0].segment, "rate"));
    pipeline_free(p);
}

/* One graph each for cpu and memory, whatever containers there are. */
static void containers_share_one_definition(void **state)
{
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    uint32_t a = drawing_take_container(p, NATIVE_CONTAINER_MEMORY,
                                        slice_of("custom.k8s.container.memory.shop_a"));
    uint32_t b = drawing_take_container(p, NATIVE_CONTAINER_MEMORY,
                                        slice_of("custom.k8s.container.memory.shop_b"));

    (void)state;
    assert_int_equal(a, b);
    assert_true(slice_is(state_drawing(p, a)->name, "custom.k8s.container.memory.#"));
    assert_true(slice_is(state_drawing(p, a)->graph_unit, "bytes"));
    assert_int_equal(drawing_take_container(p, NATIVE_CONTAINER_MEMORY,
                                            slice_of("container.memory.app")),
                     POOL_NONE);
    pipeline_free(p);
}

static struct pipeline_options ruled(const char *rules)
{
    return (struct pipeline_options){
        .watch_start_ns = scene_unix_ns(0),
        .grace_ns = 15000000000,
        .lateness_ns = 300000000000,
        .rules = rules,
    };
}

#define FAN_RULE(graph)                                                              \
    "[{\"match\":{\"metric\":\"system.fan.io\"},\"destination\":\"host\",\"graph\":" \
    "{" graph "}}]"

static void a_changed_rule_changes_the_definition(void **state)
{
    const struct pipeline_options first = ruled(
        FAN_RULE("\"display_name\":\"Air\",\"unit\":\"iops\",\"stacked\":true"));
    const struct pipeline_options second = ruled(FAN_RULE("\"display_name\":\"Wind\""));
    const struct scene_resource resource = host("Bytes that passed.", "By");
    const struct scene_metric metric = {&resource, SCENE_COUNTER, "system.fan.io"};
    struct scene *scene = scene_open(&first);

    (void)state;
    for (int beat = 0; beat < 30; beat++)
        say(scene, &metric, 60 + 10 * beat, beat);
    buffer_append_char(&scene->graphs, '\0');
    assert_string_equal(scene->graphs.ptr,
                        "{\"name\":\"custom.system.fan.io\",\"displayName\":\"Air\","
                        "\"unit\":\"iops\",\"metrics\":[{\"name\":"
                        "\"custom.system.fan.io.rate\",\"isStacked\":true}]}\n");
    scene_configure(scene, 360, &second);
    for (int beat = 30; beat < 60; beat++)
        say(scene, &metric, 60 + 10 * beat, beat);
    assert_graphs(scene, "{\"name\":\"custom.system.fan.io\",\"displayName\":\"Wind\","
                         "\"unit\":\"bytes/sec\",\"metrics\":[{\"name\":"
                         "\"custom.system.fan.io.rate\",\"isStacked\":false}]}\n");
}

static void a_kept_attribute_of_a_rule_is_a_wildcard(void **state)
{
    const struct pipeline_options options = ruled(
        "[{\"match\":{\"metric\":\"system.fan.io\"},\"destination\":\"host\","
        "\"keep\":[\"way\"]}]");
    static const char *const ways[] = {"in", "out"};
    const struct scene_resource resource = host("Air", "By");
    const struct scene_metric metric = {&resource, SCENE_COUNTER, "system.fan.io"};
    struct scene *scene = scene_open(&options);

    (void)state;
    for (int beat = 0; beat < 60; beat++) {
        struct scene_point point = {.time_s = 60 + 5 * beat,
                                    .value = beat,
                                    .key = "way",
                                    .attribute = ways[beat % 2]};

        scene_send(scene, point.time_s + 0.05, &metric, &point, 1);
    }
    scene_wait_until(scene, 380);
    assert_true(scene_posts(scene, "custom.system.fan.io.in.rate", 3) == 1);
    assert_graphs(scene, "{\"name\":\"custom.system.fan.io.#\",\"displayName\":\"Air\","
                         "\"unit\":\"bytes/sec\",\"metrics\":[{\"name\":"
                         "\"custom.system.fan.io.#.rate\",\"isStacked\":false}]}\n");
}

static void the_unit_by_rule_wins(void **state)
{
    static const char *const names[] = {"custom.a.rate", NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;

    (void)state;
    assert_int_equal(list(p,
                          &(struct drawing_seed){.kind = CELL_RATE,
                                                 .name = slice_of("custom.a"),
                                                 .unit = slice_of("By"),
                                                 .graph_unit = slice_of("iops")},
                          names, strlen("custom.a"), &graphs),
                     1);
    assert_true(slice_is(graphs[0].unit, "iops"));
    pipeline_free(p);
}

static void a_name_without_a_graph_has_no_definition(void **state)
{
    static const char *const names[] = {"custom.requests", NULL};
    struct pipeline *p = pipeline_new(&(struct pipeline_options){0});
    const struct mackerel_graph *graphs;

    (void)state;
    assert_int_equal(list(p,
                          &(struct drawing_seed){.kind = CELL_MEAN,
                                                 .name = slice_of("custom.requests")},
                          names, strlen("custom.requests"), &graphs),
                     0);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_is_drawn_per_second),
        cmocka_unit_test(a_gauge_shares_the_graph_of_its_siblings),
        cmocka_unit_test(observations_and_not_their_number_say_the_unit),
        cmocka_unit_test(services_and_native_metrics_have_no_definitions),
        cmocka_unit_test(a_title_is_the_first_sentence_and_not_too_long),
        cmocka_unit_test(kept_attributes_make_one_definition_of_a_family),
        cmocka_unit_test(a_kept_attribute_at_the_end_names_the_lines),
        cmocka_unit_test(a_wildcard_of_lines_needs_one_in_the_graph),
        cmocka_unit_test(attributes_in_a_template_are_wildcards),
        cmocka_unit_test(parts_of_a_sum_are_stacked_unless_a_rule_says_otherwise),
        cmocka_unit_test(containers_share_one_definition),
        cmocka_unit_test(a_changed_rule_changes_the_definition),
        cmocka_unit_test(a_kept_attribute_of_a_rule_is_a_wildcard),
        cmocka_unit_test(the_unit_by_rule_wins),
        cmocka_unit_test(a_name_without_a_graph_has_no_definition),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
