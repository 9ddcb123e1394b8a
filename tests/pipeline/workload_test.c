/*
 * Workloads by the names of their pods, as Kubernetes makes them: kubernetes/apimachinery
 * pkg/util/rand (SafeEncodeString, the alphabet without vowels), controllers of deployments, stateful
 * sets, daemon sets and cron jobs.
 */
#include "pipeline/workload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_workload(const char *pod, const char *node, const char *expected)
{
    struct slice workload = workload_of_pod(slice_of(pod), slice_of(node));

    if (!slice_is(workload, expected))
        fail_msg("%s is of '%.*s', not of '%s'", pod, SLICE_ARG(workload), expected);
}

static void a_deployment_loses_the_hash_and_the_suffix(void **state)
{
    (void)state;
    assert_workload("web-5d78c9869d-x7k2p", "", "web");
    assert_workload("my-web-7-5d78c9869d-x7k2p", "", "my-web-7");
    assert_workload("coredns-8f7-pqrst", "", "coredns");
}

static void a_daemon_set_loses_the_suffix(void **state)
{
    (void)state;
    assert_workload("kube-proxy-x2x2x", "node-a", "kube-proxy");
    assert_workload("fluent-bit-4zq9k", "", "fluent-bit");
}

static void a_stateful_set_loses_the_number(void **state)
{
    (void)state;
    assert_workload("redis-0", "", "redis");
    assert_workload("redis-cluster-1234", "", "redis-cluster");
    assert_workload("year-20260", "", "year-20260");
}

static void a_cron_job_loses_the_minutes_and_the_suffix(void **state)
{
    (void)state;
    assert_workload("backup-29411000-x7k2p", "", "backup");
}

static void a_static_pod_loses_its_node(void **state)
{
    (void)state;
    assert_workload("etcd-node-a1", "node-a1", "etcd");
    assert_workload("kube-apiserver-ip-10-0-0-7", "ip-10-0-0-7", "kube-apiserver");
    assert_workload("node-a1", "node-a1", "node-a1");
    assert_true(workload_is_static(slice_of("etcd-node-a1"), slice_of("node-a1")));
    assert_false(workload_is_static(slice_of("etcd-node-a1"), slice_of("a1-x")));
    assert_false(workload_is_static(slice_of("etcd-"), slice_of("")));
}

static void a_name_that_nobody_generated_stays(void **state)
{
    (void)state;
    assert_workload("my-redis", "", "my-redis");
    assert_workload("debug", "", "debug");
    assert_workload("-0", "", "-0");
    assert_workload("", "node", "");
    assert_workload("a-b-Hello", "", "a-b-Hello");
}

static void sets_lose_what_their_owner_added(void **state)
{
    (void)state;
    assert_true(slice_is(workload_of_set(slice_of("web-5d78c9869d")), "web"));
    assert_true(slice_is(workload_of_set(slice_of("backup-29411000")), "backup"));
    assert_true(slice_is(workload_of_set(slice_of("migrate-v2")), "migrate-v2"));
    assert_true(slice_is(workload_of_set(slice_of("")), ""));
}

static void a_zero_byte_is_no_digit(void **state)
{
    static const char pod[] = "web-\0";

    (void)state;
    assert_int_equal(workload_of_pod((struct slice){pod, 5}, slice_of("")).len, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployment_loses_the_hash_and_the_suffix),
        cmocka_unit_test(a_daemon_set_loses_the_suffix),
        cmocka_unit_test(a_stateful_set_loses_the_number),
        cmocka_unit_test(a_cron_job_loses_the_minutes_and_the_suffix),
        cmocka_unit_test(a_static_pod_loses_its_node),
        cmocka_unit_test(a_name_that_nobody_generated_stays),
        cmocka_unit_test(sets_lose_what_their_owner_added),
        cmocka_unit_test(a_zero_byte_is_no_digit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
