/*
 * Where a resource's metrics belong. Identifiers are the forms of mackerel-agent, Mackerel's cloud
 * integrations and values.md.
 */
#include "pipeline/identity.h"

#include "tests/pipeline/attributes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct pair {
    const char *key, *value;
};

/* The identity of a resource with these attributes (the list ends with an empty pair). */
static struct identity identify(const struct pair *pairs, const char *default_service)
{
    struct buffer message = {0};
    struct identity identity;

    for (; pairs->key; pairs++)
        attributes_add_text(&message, RESOURCE_ATTRIBUTES, pairs->key, pairs->value);
    identity_init(&identity, &(struct otlp_resource){.message = buffer_slice(&message)},
                  slice_of(default_service));
    buffer_release(&message);
    return identity;
}

static void assert_text(struct slice text, const char *expected)
{
    if (!slice_is(text, expected))
        fail_msg("'%.*s' is not '%s'", SLICE_ARG(text), expected);
}

static void assert_custom_identifier(const struct pair *pairs, const char *expected)
{
    struct identity identity = identify(pairs, "");

    assert_text(identity.custom_identifier, expected);
    identity_release(&identity);
}

static void assert_service(const struct pair *pairs, const char *default_service,
                           const char *service, const char *prefix)
{
    struct identity identity = identify(pairs, default_service);

    assert_int_equal(identity.has_service, service[0] != '\0');
    assert_text(identity.service, service);
    assert_text(identity.prefix, prefix);
    identity_release(&identity);
}

static void an_empty_resource_belongs_nowhere(void **state)
{
    struct identity identity = identify((struct pair[]){{0}}, "");

    (void)state;
    assert_false(identity.has_host);
    assert_false(identity.has_service);
    assert_false(identity.is_sdk);
    assert_text(identity.host_name, "");
    identity_release(&identity);
}

static void a_host_name_alone_identifies_a_host(void **state)
{
    struct identity identity = identify(
        (struct pair[]){{"host.name", "vm"}, {"os.type", "linux"}, {0}}, "");

    (void)state;
    assert_true(identity.has_host);
    assert_text(identity.host_name, "vm");
    assert_text(identity.custom_identifier, "");
    assert_false(identity.has_service);
    identity_release(&identity);
}

static void the_node_names_the_host_before_the_host_name(void **state)
{
    struct identity identity = identify(
        (struct pair[]){{"host.name", "pod-x"}, {"k8s.node.name", "node-a1"}, {0}}, "");

    (void)state;
    assert_text(identity.host_name, "node-a1");
    assert_text(identity.custom_identifier, "");
    identity_release(&identity);
}

static void overrides_come_first(void **state)
{
    struct identity identity = identify(
        (struct pair[]){{"mackerel.host.id", "2u4PP3TJqbu"},
                        {"mackerel.host.custom_identifier", "mine"},
                        {"mackerel.service", "front"},
                        {"mackerel.roles", "front: web, front:api"},
                        {"host.id", "0123"},
                        {"service.namespace", "shop"},
                        {0}},
        "misc");

    (void)state;
    assert_text(identity.host_id, "2u4PP3TJqbu");
    assert_text(identity.custom_identifier, "mine");
    assert_text(identity.service, "front");
    assert_text(identity.roles, "front:web,front:api");
    identity_release(&identity);
}

static void cloud_instances_are_identified_as_the_agent_does(void **state)
{
    (void)state;
    assert_custom_identifier((struct pair[]){{"cloud.provider", "aws"},
                                             {"cloud.platform", "aws_ec2"},
                                             {"host.id", "i-0abc"},
                                             {0}},
                             "i-0abc.ec2.amazonaws.com");
    assert_custom_identifier((struct pair[]){{"cloud.provider", "aws"},
                                             {"cloud.platform", "aws_eks"},
                                             {"host.id", "i-0abc"},
                                             {"k8s.node.uid", "u-1"},
                                             {0}},
                             "i-0abc.ec2.amazonaws.com");
    assert_custom_identifier((struct pair[]){{"cloud.provider", "gcp"},
                                             {"host.id", "4520031799277581759"},
                                             {0}},
                             "4520031799277581759.gce.cloud.google.com");
    assert_custom_identifier(
        (struct pair[]){{"cloud.provider", "azure"}, {"host.id", "02aab8a4"}, {0}},
        "02aab8a4.virtual_machine.azure.microsoft.com");
}

static void what_is_no_instance_id_is_a_plain_host_id(void **state)
{
    (void)state;
    assert_custom_identifier((struct pair[]){{"cloud.provider", "aws"},
                                             {"cloud.platform", "aws_ec2"},
                                             {"host.id", "ec2abc"},
                                             {0}},
                             "ec2abc");
    assert_custom_identifier((struct pair[]){{"cloud.provider", "aws"},
                                             {"cloud.platform", "aws_lambda"},
                                             {"host.id", "i-0abc"},
                                             {0}},
                             "i-0abc");
    assert_custom_identifier(
        (struct pair[]){{"cloud.provider", "gcp"}, {"host.id", "vm-4520"}, {0}},
        "vm-4520");
    assert_custom_identifier((struct pair[]){{"cloud.provider", "gcp"}, {0}}, "");
}

static void assert_host_name(const struct pair *pairs, const char *expected)
{
    struct identity identity = identify(pairs, "");

    assert_text(identity.host_name, expected);
    identity_release(&identity);
}

static void assert_roles(const char *list, const char *expected)
{
    struct identity identity = identify(
        (struct pair[]){{"mackerel.roles", list}, {"host.name", "vm"}, {0}}, "");

    assert_text(identity.roles, expected);
    identity_release(&identity);
}

static void a_task_without_an_instance_is_its_own_machine(void **state)
{
    static const char arn[] = "arn:aws:ecs:ap-northeast-1:123456789012:task/prod/0a1b2c";

    (void)state;
    assert_custom_identifier((struct pair[]){{"cloud.provider", "aws"},
                                             {"cloud.platform", "aws_ecs"},
                                             {"aws.ecs.task.arn", arn},
                                             {"aws.ecs.launchtype", "fargate"},
                                             {0}},
                             "0a1b2c.prod.ecs");
    assert_custom_identifier(
        (struct pair[]){{"aws.ecs.task.arn", "arn:aws:ecs:eu-west-1:1:task/0a1b2c"},
                        {"aws.ecs.cluster.arn", "arn:aws:ecs:eu-west-1:1:cluster/dev"},
                        {0}},
        "0a1b2c.dev.ecs");
    assert_custom_identifier(
        (struct pair[]){{"aws.ecs.task.arn", "arn:aws:ecs:eu-west-1:1:task/0a1b2c"}, {0}},
        "0a1b2c.ecs");
    assert_host_name(
        (struct pair[]){{"aws.ecs.task.arn", arn}, {"host.name", "ip-10-0-0-7"}, {0}},
        "0a1b2c");
}

static void a_task_on_an_instance_is_not_the_machine(void **state)
{
    const struct pair pairs[] = {
        {"cloud.provider", "aws"},
        {"cloud.platform", "aws_ecs"},
        {"aws.ecs.launchtype", "ec2"},
        {"aws.ecs.task.arn", "arn:aws:ecs:eu-west-1:1:task/prod/0a1b2c"},
        {"host.id", "i-0abc"},
        {"host.name", "ip-10-0-0-7"},
        {0},
    };

    (void)state;
    assert_custom_identifier(pairs, "i-0abc.ec2.amazonaws.com");
    assert_host_name(pairs, "ip-10-0-0-7");
}

static void a_pod_or_container_does_not_name_the_machine_that_it_runs_on(void **state)
{
    struct identity identity = identify(
        (struct pair[]){{"k8s.pod.name", "collector-x7k2p"},
                        {"k8s.pod.uid", "0f-1"},
                        {"host.name", "collector-x7k2p"},
                        {0}},
        "");

    (void)state;
    assert_false(identity.has_host);
    identity_release(&identity);
    assert_host_name((struct pair[]){{"container.id", "4b7d0c12ab34ff00ff00ff00"},
                                     {"host.name", "4b7d0c12ab34"},
                                     {"host.id", "machine-1"},
                                     {0}},
                     "machine-1");
    assert_host_name((struct pair[]){{"k8s.pod.name", "collector-x7k2p"},
                                     {"host.name", "collector-x7k2p"},
                                     {"k8s.node.name", "node-a"},
                                     {0}},
                     "node-a");
    assert_host_name(
        (struct pair[]){{"k8s.pod.name", "web-0"}, {"host.name", "node-a"}, {0}},
        "node-a");
}

static void a_service_instance_is_no_host(void **state)
{
    struct identity identity = identify(
        (struct pair[]){{"service.instance.id", "627cc493-f310-47de-96bd-71410b7dec09"},
                        {"service.name", "cart"},
                        {0}},
        "");

    (void)state;
    assert_false(identity.has_host);
    identity_release(&identity);
}

/* Mackerel API, "Services": 2 to 63 of [A-Za-z0-9_-], first a letter or a digit; roles likewise. */
static void roles_are_made_to_fit(void **state)
{
    (void)state;
    assert_roles("shop:web", "shop:web");
    assert_roles("[\"shop:web\",\"shop: api\"]", "shop:web,shop:api");
    assert_roles("my shop:x, _a:web.front", "my_shop:s-x,s-a:web_front");
    assert_roles("web", "");
    assert_roles(":web,shop:,,shop:db", "shop:db");
}

static void nodes_are_identified_by_uid_else_by_cluster_and_name(void **state)
{
    (void)state;
    assert_custom_identifier(
        (struct pair[]){{"k8s.node.uid", "u-1"}, {"host.id", "0123"}, {0}},
        "u-1.node.kubernetes");
    assert_custom_identifier((struct pair[]){{"k8s.cluster.uid", "c-1"},
                                             {"k8s.cluster.name", "prod"},
                                             {"k8s.node.name", "node-a1"},
                                             {0}},
                             "node-a1.c-1.node.kubernetes");
    assert_custom_identifier(
        (struct pair[]){{"k8s.cluster.name", "prod"}, {"k8s.node.name", "node-a1"}, {0}},
        "node-a1.prod.node.kubernetes");
    assert_custom_identifier((struct pair[]){{"k8s.node.name", "node-a1"}, {0}}, "");
}

static void the_namespace_is_the_service_and_the_name_goes_before_metrics(void **state)
{
    (void)state;
    assert_service(
        (struct pair[]){{"service.namespace", "shop"}, {"service.name", "cart.api"}, {0}},
        "", "shop", "cart_api");
    assert_service((struct pair[]){{"service.name", "cart"}, {0}}, "misc", "cart", "");
    assert_service(
        (struct pair[]){{"mackerel.service", "front"}, {"service.name", "cart"}, {0}}, "",
        "front", "cart");
    assert_service(
        (struct pair[]){{"service.namespace", "shop"}, {"service.name", "shop"}, {0}}, "",
        "shop", "");
}

static void a_name_changed_to_fit_is_no_prefix_of_itself(void **state)
{
    (void)state;
    assert_service((struct pair[]){{"service.name", "my.app"}, {0}}, "", "my_app", "");
    assert_service((struct pair[]){{"service.name", "x"}, {0}}, "", "s-x", "");
    assert_service(
        (struct pair[]){{"service.namespace", "my/app"}, {"service.name", "my.app"}, {0}},
        "", "my_app", "");
}

static void a_prefix_is_not_reserved(void **state)
{
    (void)state;
    assert_service(
        (struct pair[]){{"service.namespace", "shop"}, {"service.name", "__cart"}, {0}},
        "", "shop", "_cart");
}

static void an_unknown_service_is_none(void **state)
{
    (void)state;
    assert_service((struct pair[]){{"service.name", "unknown_service:node"}, {0}}, "misc",
                   "misc", "");
    assert_service((struct pair[]){{"service.name", "unknown_service"}, {0}}, "", "", "");
    assert_service((struct pair[]){{"service.namespace", "shop"},
                                   {"service.name", "unknown_service:go"},
                                   {0}},
                   "", "shop", "");
    assert_service((struct pair[]){{"service.namespace", ""}, {"service.name", ""}, {0}},
                   "misc", "misc", "");
}

static void an_sdk_is_known_by_its_language(void **state)
{
    struct identity identity = identify(
        (struct pair[]){{"telemetry.sdk.language", "python"}, {0}}, "");

    (void)state;
    assert_true(identity.is_sdk);
    identity_release(&identity);
}

static void values_that_are_no_strings_count_as_their_text(void **state)
{
    struct buffer message = {0};
    struct identity identity;

    (void)state;
    attributes_add_int(&message, RESOURCE_ATTRIBUTES, "host.id", 42);
    attributes_add_array(&message, RESOURCE_ATTRIBUTES, "mackerel.roles", "shop:web");
    identity_init(&identity, &(struct otlp_resource){.message = buffer_slice(&message)},
                  slice_of(""));
    assert_text(identity.custom_identifier, "42");
    assert_text(identity.roles, "shop:web");
    identity_release(&identity);
    buffer_release(&message);
}

static void of_duplicate_attributes_the_last_counts(void **state)
{
    (void)state;
    assert_service((struct pair[]){{"service.name", "old"}, {"service.name", "new"}, {0}},
                   "", "new", "");
}

static void host_families_are_named_by_their_prefix(void **state)
{
    (void)state;
    assert_true(identity_is_host_family(slice_of("system.cpu.time")));
    assert_true(identity_is_host_family(slice_of("k8s.node.cpu.usage")));
    assert_true(identity_is_host_family(slice_of("hw.temperature")));
    assert_false(identity_is_host_family(slice_of("k8s.pod.cpu.usage")));
    assert_false(identity_is_host_family(slice_of("process.cpu.time")));
    assert_false(identity_is_host_family(slice_of("systemd.units")));
}

static void since_boot_families_are_named_by_their_prefix(void **state)
{
    static const char *const names[] = {"system.cpu.time", "process.cpu.time",
                                        "container.cpu.time", "k8s.pod.cpu.time",
                                        "hw.energy"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_true(identity_is_since_boot_family(slice_of(names[i])));
    assert_false(identity_is_since_boot_family(slice_of("http.server.duration")));
    assert_false(identity_is_since_boot_family(slice_of("processed.total")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_resource_belongs_nowhere),
        cmocka_unit_test(a_host_name_alone_identifies_a_host),
        cmocka_unit_test(the_node_names_the_host_before_the_host_name),
        cmocka_unit_test(overrides_come_first),
        cmocka_unit_test(cloud_instances_are_identified_as_the_agent_does),
        cmocka_unit_test(what_is_no_instance_id_is_a_plain_host_id),
        cmocka_unit_test(a_task_without_an_instance_is_its_own_machine),
        cmocka_unit_test(a_task_on_an_instance_is_not_the_machine),
        cmocka_unit_test(a_pod_or_container_does_not_name_the_machine_that_it_runs_on),
        cmocka_unit_test(a_service_instance_is_no_host),
        cmocka_unit_test(roles_are_made_to_fit),
        cmocka_unit_test(nodes_are_identified_by_uid_else_by_cluster_and_name),
        cmocka_unit_test(the_namespace_is_the_service_and_the_name_goes_before_metrics),
        cmocka_unit_test(a_name_changed_to_fit_is_no_prefix_of_itself),
        cmocka_unit_test(a_prefix_is_not_reserved),
        cmocka_unit_test(an_unknown_service_is_none),
        cmocka_unit_test(an_sdk_is_known_by_its_language),
        cmocka_unit_test(values_that_are_no_strings_count_as_their_text),
        cmocka_unit_test(of_duplicate_attributes_the_last_counts),
        cmocka_unit_test(host_families_are_named_by_their_prefix),
        cmocka_unit_test(since_boot_families_are_named_by_their_prefix),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
