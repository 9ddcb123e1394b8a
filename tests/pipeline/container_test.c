/*
 * Where a container's metrics go. Identifiers of pods are mackerel-container-agent's (pod uid +
 * ".kubernetes"); names of cells are its names.
 */
#include "pipeline/container.h"

#include "pipeline/container_place.h"
#include "pipeline/name.h"
#include "tests/pipeline/attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pair {
    const char *key, *value;
};

/* The place of a metric of a resource with these attributes (the list ends with an empty pair). */
static struct container_place find_place(const struct pair *pairs, const char *metric,
                                         enum container_mode mode)
{
    struct buffer message = {0};
    struct container_place place;

    for (; pairs->key; pairs++)
        attributes_add_text(&message, RESOURCE_ATTRIBUTES, pairs->key, pairs->value);
    container_place_init(&place,
                         &(struct otlp_resource){.message = buffer_slice(&message)},
                         container_find(slice_of(metric)), mode);
    buffer_release(&message);
    return place;
}

static void assert_text(struct slice text, const char *expected)
{
    if (!slice_is(text, expected))
        fail_msg("'%.*s' is not '%s'", SLICE_ARG(text), expected);
}

static const struct pair pod[] = {
    {"k8s.namespace.name", "shop"},
    {"k8s.pod.name", "web-5d78c9869d-x7k2p"},
    {"k8s.pod.uid", "30ea5cbd-1111-4222-8333-000000a54d28"},
    {"k8s.container.name", "app.1"},
    {"service.name", "checkout"},
    {0},
};

static void a_pod_is_the_host_that_mackerel_container_agent_makes(void **state)
{
    struct container_place place = find_place(pod, "container.cpu.time",
                                              CONTAINERS_POD_HOST);

    (void)state;
    assert_true(place.has_host);
    assert_int_equal(place.host.kind, MACKEREL_HOST);
    assert_text(place.host.custom_identifier,
                "30ea5cbd-1111-4222-8333-000000a54d28.kubernetes");
    assert_text(place.host.name, "web-5d78c9869d-x7k2p");
    assert_text(place.host.host_id, "");
    assert_text(place.base, "container.cpu.app_1");
    assert_text(place.host.meta,
                "\"agent-name\":\"mackerel-otel-gateway\",\"cloud\":{\"provider\":"
                "\"kubernetes\",\"metadata\":{\"namespace\":\"shop\",\"name\":"
                "\"web-5d78c9869d-x7k2p\",\"uid\":"
                "\"30ea5cbd-1111-4222-8333-000000a54d28\"}}");
    container_place_release(&place);
}

static void a_task_is_registered_with_its_arn(void **state)
{
    struct container_place place = find_place(
        (struct pair[]){{"aws.ecs.task.arn", "arn:aws:ecs:eu-west-1:1:task/prod/0a\"b"},
                        {"aws.ecs.launchtype", "fargate"},
                        {"container.name", "app"},
                        {0}},
        "container.cpu.usage.total", CONTAINERS_POD_HOST);

    (void)state;
    assert_text(place.host.meta,
                "\"agent-name\":\"mackerel-otel-gateway\",\"cloud\":{\"provider\":"
                "\"fargate\",\"metadata\":{\"task\":\"0a\\\"b\",\"task_arn\":"
                "\"arn:aws:ecs:eu-west-1:1:task/prod/0a\\\"b\"}}");
    container_place_release(&place);
}

static void roles_follow_from_the_service_unless_they_are_given(void **state)
{
    struct container_place place = find_place(pod, "container.cpu.time",
                                              CONTAINERS_POD_HOST);

    (void)state;
    assert_text(place.host.roles, "shop:checkout");
    container_place_release(&place);
    place = find_place((struct pair[]){{"k8s.namespace.name", "ns"},
                                       {"k8s.pod.name", "web-0"},
                                       {"service.namespace", "shop"},
                                       {"service.name", "x"},
                                       {0}},
                       "container.cpu.time", CONTAINERS_WORKLOAD);
    assert_text(place.host.roles, "shop:s-x");
    container_place_release(&place);
    place = find_place((struct pair[]){{"k8s.namespace.name", "ns"},
                                       {"k8s.pod.name", "web-0"},
                                       {"service.name", "x"},
                                       {"mackerel.roles", "front:web"},
                                       {0}},
                       "container.cpu.time", CONTAINERS_WORKLOAD);
    assert_text(place.host.roles, "front:web");
    container_place_release(&place);
    place = find_place((struct pair[]){{"k8s.namespace.name", "ns"},
                                       {"k8s.pod.name", "web-0"},
                                       {"service.name", "unknown_service:java"},
                                       {0}},
                       "container.cpu.time", CONTAINERS_WORKLOAD);
    assert_text(place.host.roles, "");
    container_place_release(&place);
}

static void the_node_shows_a_container_by_its_workload(void **state)
{
    struct container_place place = find_place(pod, "container.memory.working_set",
                                              CONTAINERS_NODE);

    (void)state;
    assert_false(place.has_host);
    assert_text(place.base, "custom.k8s.container.memory.shop_web_app_1");
    container_place_release(&place);
}

static void a_container_that_was_started_anew_is_the_same(void **state)
{
    struct pair first[] = {{"k8s.namespace.name", "shop"},
                           {"k8s.pod.name", "web-0"},
                           {"k8s.container.name", "app"},
                           {"container.id", "aaaa"},
                           {0}};
    struct container_place a = find_place(first, "container.cpu.time", CONTAINERS_NODE);
    struct container_place b, other;

    (void)state;
    first[3].value = "bbbb";
    b = find_place(first, "container.cpu.usage", CONTAINERS_NODE);
    first[1].value = "web-1";
    other = find_place(first, "container.cpu.usage", CONTAINERS_NODE);
    assert_true(a.instance == b.instance);
    assert_true(a.instance != other.instance);
    container_place_release(&a);
    container_place_release(&b);
    container_place_release(&other);
}

static void what_names_no_container_is_refused(void **state)
{
    struct container_place place = find_place(
        (struct pair[]){{"k8s.pod.name", "web-0"}, {0}}, "container.cpu.time",
        CONTAINERS_NODE);

    (void)state;
    assert_true(place.is_refused);
    assert_int_equal(place.refusal, REASON_NO_DEVICE);
    container_place_release(&place);
    place = find_place(pod, "container.cpu.utilization", CONTAINERS_NODE);
    assert_true(place.is_refused);
    assert_int_equal(place.refusal, REASON_NATIVE_ALTERNATIVE);
    container_place_release(&place);
}

static void labels_as_resource_attributes_name_the_pod(void **state)
{
    struct container_place place = find_place(
        (struct pair[]){{"service.name", "cadvisor"},
                        {"k8s.pod.name", "collector-x7k2p"},
                        {"k8s.pod.uid", "0f-9"},
                        {"namespace", "shop"},
                        {"pod", "web-0"},
                        {"container", "app"},
                        {0}},
        "container_memory_working_set_bytes", CONTAINERS_POD_HOST);

    (void)state;
    assert_text(place.host.custom_identifier, "web-0.shop.kubernetes");
    assert_text(place.base, "container.memory.app");
    assert_false(place.reads_labels);
    container_place_release(&place);
}

static void interfaces_are_shown_for_pods_and_workloads_only(void **state)
{
    const struct container_row *row = container_find(slice_of("k8s.pod.network.io"));

    (void)state;
    assert_true(container_row_is_on(row, CONTAINERS_POD_HOST));
    assert_true(container_row_is_on(row, CONTAINERS_WORKLOAD));
    assert_false(container_row_is_on(row, CONTAINERS_NODE));
    assert_false(container_row_is_on(container_find(slice_of("container.cpu.time")),
                                     CONTAINERS_OFF));
    assert_false(container_row_is_on(container_find(slice_of("container.uptime")),
                                     CONTAINERS_POD_HOST));
}

static void a_long_name_is_cut_to_what_may_be_posted(void **state)
{
    struct buffer base = {0}, text = {0};
    const struct otlp_metric metric = {.name = SLICE("container.cpu.time"),
                                       .kind = OTLP_SUM};
    const struct otlp_point point = {.message = SLICE("")};
    struct native_input input;
    enum reason why;
    struct slice first;

    (void)state;
    for (int i = 0; i < 300; i++)
        buffer_append_char(&base, 'a');
    assert_int_equal(
        container_classify(&(struct container_stream){.metric = &metric,
                                                      .point = &point,
                                                      .base = buffer_slice(&base)},
                           &input, &text, &why),
        NATIVE_TAKEN);
    first = buffer_slice(&text);
    assert_int_equal(first.len + strlen(".rxBytes.delta"), NAME_MAX_POSTED);
    assert_true(slice_equal(first, input.device));
    buffer_release(&base);
    buffer_release(&text);
}

static void modes_have_names(void **state)
{
    (void)state;
    for (int mode = 0; mode <= CONTAINERS_OFF; mode++)
        assert_int_equal(
            container_mode_of(slice_of(container_mode_name((enum container_mode)mode))),
            mode);
    assert_int_equal(container_mode_of(slice_of("pods")), CONTAINERS_NODE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pod_is_the_host_that_mackerel_container_agent_makes),
        cmocka_unit_test(a_task_is_registered_with_its_arn),
        cmocka_unit_test(roles_follow_from_the_service_unless_they_are_given),
        cmocka_unit_test(the_node_shows_a_container_by_its_workload),
        cmocka_unit_test(a_container_that_was_started_anew_is_the_same),
        cmocka_unit_test(what_names_no_container_is_refused),
        cmocka_unit_test(labels_as_resource_attributes_name_the_pod),
        cmocka_unit_test(interfaces_are_shown_for_pods_and_workloads_only),
        cmocka_unit_test(a_long_name_is_cut_to_what_may_be_posted),
        cmocka_unit_test(modes_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
