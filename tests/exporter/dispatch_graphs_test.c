/* Definitions of graphs go behind values, and neither their failures nor their number hold values back. */
#include "dispatch_rig.h"

static struct rig *make(void)
{
    return rig_new(false, NATIVE_MODE_OFF);
}

/* A minute later, one value of web-1 with the definition. */
static void put_and_pass(struct rig *rig, const char *graph, const char *title,
                         uint64_t seconds)
{
    rig_put_graph(rig, rig->now_s / 60 * 60 - 60, graph, "b", title);
    rig_pass(rig, seconds);
}

static void run_minutes(struct rig *rig, const char *graph, const char *title,
                        unsigned minutes)
{
    for (unsigned i = 0; i < minutes; i++)
        put_and_pass(rig, graph, title, 60);
}

static void a_definition_is_posted_once(void **state)
{
    struct rig *rig = make();

    (void)state;
    run_minutes(rig, "custom.a", "A", 12 * 60);
    assert_int_equal(rig->graph_requests, 1);
    assert_int_equal(rig_count_graphs(rig,
                                      "[{\"name\":\"custom.a\",\"displayName\":\"A\","
                                      "\"unit\":\"seconds\",\"metrics\":["
                                      "{\"name\":\"custom.a.b\",\"isStacked\":false"
                                      "}]}]"),
                     1);
    rig_free(rig);
}

static void lines_of_one_graph_share_a_post(void **state)
{
    struct rig *rig = make();

    (void)state;
    rig_put_graph(rig, MINUTE_S, "custom.a", "min", "A");
    rig_pass(rig, 30);
    rig_put_graph(rig, MINUTE_S, "custom.a", "max", "A");
    rig_pass(rig, 200);
    assert_int_equal(rig->graph_requests, 1);
    assert_int_equal(rig_count_graphs(rig, "custom.a.min"), 1);
    assert_int_equal(rig_count_graphs(rig, "custom.a.max"), 1);
    rig_free(rig);
}

static void nothing_is_defined_while_no_value_of_a_host_arrives(void **state)
{
    struct rig *rig = make();

    (void)state;
    rig->hosts = "{\"hosts\":[]}";
    run_minutes(rig, "custom.a", "A", 30);
    assert_int_equal(rig->graph_requests, 0);
    rig->hosts = RIG_WEB_FOUND;
    run_minutes(rig, "custom.a", "A", 30);
    assert_int_equal(rig->graph_requests, 1);
    rig_free(rig);
}

static void a_failure_is_tried_again_and_holds_no_value_back(void **state)
{
    struct rig *rig = make();

    (void)state;
    rig->graphs_status = 503;
    run_minutes(rig, "custom.a", "A", 60);
    /* After 1, 2, 4, 8 and then every 10 min: 8 or 9 in an hour. */
    assert_in_range(rig->graph_requests, 7, 9);
    assert_int_equal(rig->posts, 60);
    assert_int_equal(rig_queued(rig), 0);
    rig->graphs_status = 0;
    run_minutes(rig, "custom.a", "A", 15);
    assert_int_equal(rig_count_graphs(rig, "custom.a.b"), 1);
    rig_free(rig);
}

static void a_refused_key_for_graphs_does_not_stop_values(void **state)
{
    struct rig *rig = make();

    (void)state;
    rig->graphs_status = 403;
    run_minutes(rig, "custom.a", "A", 10);
    assert_true(rig->graph_requests > 0);
    assert_int_equal(rig->posts, 10);
    assert_false(dispatch_is_paused(rig->dispatch));
    rig_free(rig);
}

static void a_refused_definition_is_found_and_left_alone(void **state)
{
    struct rig *rig = make();
    char name[32];

    (void)state;
    rig->graphs_poison = "custom.g13.";
    for (int minute = 0; minute < 60; minute++) {
        for (int i = 0; i < 30; i++) {
            snprintf(name, sizeof(name), "custom.g%d", i);
            rig_put_graph(rig, rig->now_s / 60 * 60 - 60, name, "b", "");
        }
        rig_pass(rig, 60);
    }
    for (int i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "\"custom.g%d.b\"", i);
        assert_int_equal(rig_count_graphs(rig, name), i == 13 ? 0 : 1);
    }
    /* 30 in portions of at most 20: halvings of one, at most log2(20) of them, and what was left. */
    assert_in_range(rig->graph_requests, 3, 16);
    rig_free(rig);
}

static void a_definition_that_changes_is_posted_once_more(void **state)
{
    struct rig *rig = make();

    (void)state;
    run_minutes(rig, "custom.a", "A", 10);
    run_minutes(rig, "custom.a", "B", 60);
    assert_int_equal(rig->graph_requests, 2);
    assert_int_equal(rig_count_graphs(rig, "\"displayName\":\"B\""), 1);
    rig_free(rig);
}

static void contradicting_senders_do_not_flap(void **state)
{
    struct rig *rig = make();

    (void)state;
    for (int i = 0; i < 120; i++) {
        put_and_pass(rig, "custom.a", "A", 30);
        put_and_pass(rig, "custom.a", "B", 30);
    }
    assert_int_equal(rig->graph_requests, 1);
    assert_int_equal(rig_count_graphs(rig, "\"displayName\":\"A\""), 1);
    rig_free(rig);
}

static void a_wildcard_is_posted_again_after_a_long_silence_only(void **state)
{
    struct rig *rig = make();

    (void)state;
    run_minutes(rig, "custom.#", "A", 7 * 60);
    assert_int_equal(rig->graph_requests, 1);
    run_minutes(rig, "custom.plain", "P", 4 * 60);
    run_minutes(rig, "custom.#", "A", 5);
    assert_int_equal(rig_count_graphs(rig, "\"custom.#\""), 1);
    run_minutes(rig, "custom.plain", "P", 6 * 60);
    assert_int_equal(rig_count_graphs(rig, "\"custom.#\""), 1);
    run_minutes(rig, "custom.#", "A", 5);
    assert_int_equal(rig_count_graphs(rig, "\"custom.#\""), 2);
    assert_int_equal(rig_count_graphs(rig, "\"custom.plain\""), 1);
    rig_free(rig);
}

static void a_stop_does_not_wait_for_definitions(void **state)
{
    struct rig *rig = make();

    (void)state;
    put_and_pass(rig, "custom.a", "A", 10);
    dispatch_drain(rig->dispatch);
    rig_settle(rig);
    assert_true(dispatch_is_drained(rig->dispatch, rig_now(rig)));
    rig_pass(rig, 300);
    assert_int_equal(rig->graph_requests, 0);
    rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_is_posted_once),
        cmocka_unit_test(lines_of_one_graph_share_a_post),
        cmocka_unit_test(nothing_is_defined_while_no_value_of_a_host_arrives),
        cmocka_unit_test(a_failure_is_tried_again_and_holds_no_value_back),
        cmocka_unit_test(a_refused_key_for_graphs_does_not_stop_values),
        cmocka_unit_test(a_refused_definition_is_found_and_left_alone),
        cmocka_unit_test(a_definition_that_changes_is_posted_once_more),
        cmocka_unit_test(contradicting_senders_do_not_flap),
        cmocka_unit_test(a_wildcard_is_posted_again_after_a_long_silence_only),
        cmocka_unit_test(a_stop_does_not_wait_for_definitions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
