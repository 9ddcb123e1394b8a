/*
 * The native table: what feeds which component, and what a minute renders into. Formulas are
 * mackerel-agent's; expected values are worked out by hand.
 */
#include "pipeline/native.h"

#include "tests/pipeline/attributes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* ---- what feeds what ---------------------------------------------------------------------- */

struct pair {
    const char *key, *value;
};

struct outcome {
    enum native_verdict verdict;
    struct native_input input;
    enum reason why;
    char device[64];
};

static struct outcome classify_message(const char *metric, struct slice message)
{
    struct outcome outcome = {.why = REASON_LAST};
    struct buffer text = {0};

    outcome.verdict = native_classify(
        &(struct otlp_metric){.kind = OTLP_SUM, .name = slice_of(metric)},
        &(struct otlp_point){.message = message}, &text, &outcome.input, &outcome.why);
    snprintf(outcome.device, sizeof(outcome.device), "%.*s",
             (int)outcome.input.device.len,
             outcome.input.device.len ? outcome.input.device.ptr : "");
    buffer_release(&text);
    return outcome;
}

/* The list of attributes ends with an empty pair. */
static struct outcome classify(const char *metric, const struct pair *pairs)
{
    struct buffer message = {0};

    for (; pairs->key; pairs++)
        attributes_add_text(&message, POINT_ATTRIBUTES, pairs->key, pairs->value);

    struct outcome outcome = classify_message(metric, buffer_slice(&message));

    buffer_release(&message);
    return outcome;
}

static void assert_feeds(const char *metric, const struct pair *pairs,
                         enum native_group group, uint8_t component)
{
    struct outcome outcome = classify(metric, pairs);

    assert_true(native_knows(slice_of(metric)));
    assert_int_equal(outcome.verdict, NATIVE_TAKEN);
    assert_int_equal(outcome.input.group, group);
    assert_int_equal(outcome.input.component, component);
}

static void assert_skipped(const char *metric, const struct pair *pairs, enum reason why)
{
    struct outcome outcome = classify(metric, pairs);

    assert_int_equal(outcome.verdict, NATIVE_SKIP);
    assert_int_equal(outcome.why, why);
}

static void assert_device(const char *metric, const struct pair *pairs,
                          const char *device)
{
    struct outcome outcome = classify(metric, pairs);

    assert_int_equal(outcome.verdict, NATIVE_TAKEN);
    assert_string_equal(outcome.device, device);
}

static void cpu_states_are_known_by_all_their_names(void **state)
{
    static const struct {
        const char *value;
        uint8_t component;
    } states[] = {
        {"user", NATIVE_CPU_USER},     {"nice", NATIVE_CPU_NICE},
        {"system", NATIVE_CPU_SYSTEM}, {"kernel", NATIVE_CPU_SYSTEM},
        {"idle", NATIVE_CPU_IDLE},     {"wait", NATIVE_CPU_IOWAIT},
        {"iowait", NATIVE_CPU_IOWAIT}, {"interrupt", NATIVE_CPU_IRQ},
        {"irq", NATIVE_CPU_IRQ},       {"softirq", NATIVE_CPU_SOFTIRQ},
        {"steal", NATIVE_CPU_STEAL},   {"other", NATIVE_CPU_OTHER},
        {"guest", NATIVE_CPU_OTHER},
    };

    static const char *const keys[] = {"state", "cpu.mode", "system.cpu.state"};

    (void)state;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        for (size_t key = 0; key < sizeof(keys) / sizeof(keys[0]); key++)
            assert_feeds("system.cpu.time",
                         (struct pair[]){{keys[key], states[i].value}, {0}}, NATIVE_CPU,
                         states[i].component);
    assert_true(classify("system.cpu.time", (struct pair[]){{"state", "idle"}, {0}})
                    .input.is_total);
    assert_feeds("system.cpu.logical.count", (struct pair[]){{0}}, NATIVE_CPU,
                 NATIVE_CPU_COUNT);
}

static uint64_t cpu_rank(const char *key, const char *text, uint8_t number)
{
    struct buffer message = {0};

    attributes_add_text(&message, POINT_ATTRIBUTES, "state", "idle");
    if (text)
        attributes_add_text(&message, POINT_ATTRIBUTES, key, text);
    else if (key)
        attributes_add_int(&message, POINT_ATTRIBUTES, key, number);

    uint64_t rank =
        classify_message("system.cpu.time", buffer_slice(&message)).input.rank;

    buffer_release(&message);
    return rank;
}

static void cpus_are_told_apart_by_number_or_text(void **state)
{
    uint64_t zero = cpu_rank("cpu", NULL, 0);

    (void)state;
    assert_true(zero != 0);
    assert_true(zero == cpu_rank("cpu", "0", 0));
    assert_true(zero == cpu_rank("cpu.logical_number", NULL, 0));
    assert_true(zero == cpu_rank("system.cpu.logical_number", "0", 0));
    assert_true(zero != cpu_rank("cpu", NULL, 1));
    assert_true(cpu_rank(NULL, NULL, 0) == 0);
}

static void memory_comes_from_every_source_that_helps(void **state)
{
    (void)state;
    assert_feeds("system.memory.usage", (struct pair[]){{"state", "used"}, {0}},
                 NATIVE_MEMORY, NATIVE_MEMORY_USED);
    assert_feeds("system.memory.usage",
                 (struct pair[]){{"system.memory.state", "buffers"}, {0}}, NATIVE_MEMORY,
                 NATIVE_MEMORY_BUFFERED);
    assert_feeds("system.memory.utilization", (struct pair[]){{"state", "cached"}, {0}},
                 NATIVE_MEMORY, NATIVE_MEMORY_UTILIZATION_CACHED);
    assert_feeds("system.memory.limit", (struct pair[]){{0}}, NATIVE_MEMORY,
                 NATIVE_MEMORY_LIMIT);
    assert_feeds("system.linux.memory.available", (struct pair[]){{0}}, NATIVE_MEMORY,
                 NATIVE_MEMORY_AVAILABLE);
    assert_feeds("system.memory.linux.available", (struct pair[]){{0}}, NATIVE_MEMORY,
                 NATIVE_MEMORY_AVAILABLE);
}

static void what_the_table_could_use_is_an_alternative(void **state)
{
    (void)state;
    assert_skipped("system.cpu.utilization", (struct pair[]){{"state", "user"}, {0}},
                   REASON_NATIVE_ALTERNATIVE);
    assert_skipped("system.memory.usage",
                   (struct pair[]){{"state", "slab_reclaimable"}, {0}},
                   REASON_NATIVE_ALTERNATIVE);
    assert_skipped("system.memory.usage", (struct pair[]){{"state", "inactive"}, {0}},
                   REASON_NATIVE_ALTERNATIVE);
    assert_skipped("system.memory.utilization",
                   (struct pair[]){{"state", "slab_unreclaimable"}, {0}},
                   REASON_NATIVE_ALTERNATIVE);
    assert_skipped("system.paging.usage", (struct pair[]){{"state", "cached"}, {0}},
                   REASON_NATIVE_ALTERNATIVE);
    assert_skipped("system.filesystem.usage",
                   (struct pair[]){{"device", "/dev/vda"}, {"state", "reserved"}, {0}},
                   REASON_NATIVE_ALTERNATIVE);
    assert_skipped("system.cpu.time", (struct pair[]){{0}}, REASON_NATIVE_ALTERNATIVE);
}

static void other_metrics_are_not_native(void **state)
{
    static const char *const names[] = {"system.disk.io", "system.paging.faults",
                                        "system.cpu.physical.count", "system.cpu.time.x",
                                        "http.server.duration"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_false(native_knows(slice_of(names[i])));
        assert_int_equal(classify(names[i], (struct pair[]){{0}}).verdict, NATIVE_NOT);
    }
}

static void disks_are_named_and_left_out_as_the_agent_does(void **state)
{
    (void)state;
    assert_feeds("system.disk.operations",
                 (struct pair[]){{"device", "vda"}, {"direction", "read"}, {0}},
                 NATIVE_DISK, NATIVE_DISK_READS);
    assert_feeds(
        "system.disk.operations",
        (struct pair[]){{"system.device", "vda"}, {"disk.io.direction", "write"}, {0}},
        NATIVE_DISK, NATIVE_DISK_WRITES);
    assert_device("system.disk.operations",
                  (struct pair[]){{"device", "cciss/c0d0"}, {"direction", "read"}, {0}},
                  "cciss_c0d0");
    assert_skipped("system.disk.operations",
                   (struct pair[]){{"device", "dm-0"}, {"direction", "read"}, {0}},
                   REASON_FILTERED_DEVICE);
    assert_skipped("system.disk.operations", (struct pair[]){{"direction", "read"}, {0}},
                   REASON_NO_DEVICE);
    assert_skipped("system.disk.operations",
                   (struct pair[]){{"device", ""}, {"direction", "read"}, {0}},
                   REASON_NO_DEVICE);
}

static void interfaces_are_named_and_left_out_as_the_agent_does(void **state)
{
    (void)state;
    assert_feeds("system.network.io",
                 (struct pair[]){{"network.interface.name", "eth0"},
                                 {"network.io.direction", "transmit"},
                                 {0}},
                 NATIVE_NETWORK, NATIVE_NETWORK_TX);
    assert_feeds(
        "system.network.io",
        (struct pair[]){{"system.device", "eth0"}, {"direction", "receive"}, {0}},
        NATIVE_NETWORK, NATIVE_NETWORK_RX);
    assert_device("system.network.io",
                  (struct pair[]){{"device", "flannel.1"}, {"direction", "receive"}, {0}},
                  "flannel_1");
    assert_device("system.network.io",
                  (struct pair[]){{"device", "lo0"}, {"direction", "receive"}, {0}},
                  "lo0");
    assert_skipped("system.network.io",
                   (struct pair[]){{"device", "lo"}, {"direction", "receive"}, {0}},
                   REASON_FILTERED_DEVICE);
    assert_skipped("system.network.io",
                   (struct pair[]){{"device", "veth12ab"}, {"direction", "receive"}, {0}},
                   REASON_FILTERED_DEVICE);
}

static void filesystems_are_named_by_their_device(void **state)
{
    (void)state;
    assert_device("system.filesystem.usage",
                  (struct pair[]){{"device", "/dev/vda"}, {"state", "used"}, {0}}, "vda");
    assert_device(
        "system.filesystem.usage",
        (struct pair[]){{"device", "/dev/mapper/vg-root"}, {"state", "free"}, {0}},
        "mapper_vg-root");
    assert_skipped("system.filesystem.usage",
                   (struct pair[]){{"device", "tmpfs"}, {"state", "used"}, {0}},
                   REASON_FILTERED_DEVICE);
    assert_skipped("system.filesystem.usage",
                   (struct pair[]){{"device", "/dev/"}, {"state", "used"}, {0}},
                   REASON_FILTERED_DEVICE);
    assert_skipped(
        "system.filesystem.usage",
        (struct pair[]){{"device", "/dev/mapper/docker-8:1-1"}, {"state", "used"}, {0}},
        REASON_FILTERED_DEVICE);
    assert_skipped("system.filesystem.usage",
                   (struct pair[]){{"device", "/dev/dm-3"},
                                   {"mountpoint", "/var/lib/docker/devicemapper/mnt/1"},
                                   {"state", "used"},
                                   {0}},
                   REASON_FILTERED_DEVICE);
}

static uint64_t mount_rank(const char *mountpoint)
{
    return classify("system.filesystem.usage", (struct pair[]){{"device", "/dev/vda"},
                                                               {"mountpoint", mountpoint},
                                                               {"state", "used"},
                                                               {0}})
        .input.rank;
}

static void mounts_nearer_to_the_root_rank_lower(void **state)
{
    (void)state;
    assert_true(mount_rank("/") < mount_rank("/a"));
    assert_true(mount_rank("/z") < mount_rank("/aa"));
    assert_true(mount_rank("/a") != mount_rank("/b"));
    assert_true(mount_rank("/a") == mount_rank("/a"));
}

/* ---- what a minute renders into ----------------------------------------------------------- */

enum {
    VALUES_MAX = 16
};

struct page {
    struct {
        char name[64];
        double value;
    } values[VALUES_MAX];

    size_t count;
};

static void keep(void *self, struct slice name, double value)
{
    struct page *page = self;

    assert_true(page->count < VALUES_MAX);
    snprintf(page->values[page->count].name, sizeof(page->values[0].name), "%.*s",
             SLICE_ARG(name));
    page->values[page->count++].value = value;
}

static void set(struct native_minute *minute, size_t component, double value)
{
    minute->has[component] = true;
    minute->value[component] = value;
}

static struct page render(const struct native_minute *minute)
{
    struct page page = {0};

    native_render(minute, keep, &page);
    return page;
}

static void assert_value(const struct page *page, const char *name, double expected)
{
    for (size_t i = 0; i < page->count; i++) {
        if (strcmp(page->values[i].name, name) != 0)
            continue;
        if (!(fabs(page->values[i].value - expected) <= 1e-12 * fmax(1, fabs(expected))))
            fail_msg("%s: %.17g is not %.17g", name, page->values[i].value, expected);
        return;
    }
    fail_msg("%s is missing", name);
}

static void load_averages_are_posted_as_they_are(void **state)
{
    struct native_minute minute = {.group = NATIVE_LOAD};

    (void)state;
    set(&minute, NATIVE_LOAD_1M, 1.5);
    set(&minute, NATIVE_LOAD_15M, 0.25);

    struct page page = render(&minute);

    assert_int_equal(page.count, 2);
    assert_value(&page, "loadavg1", 1.5);
    assert_value(&page, "loadavg15", 0.25);
}

/* Two cpus over a minute: 30 s user, 84 s idle, 6 s that the table does not know. */
static struct native_minute two_cpus(void)
{
    struct native_minute minute = {.group = NATIVE_CPU};

    set(&minute, NATIVE_CPU_USER, 30);
    set(&minute, NATIVE_CPU_IDLE, 84);
    set(&minute, NATIVE_CPU_OTHER, 6);
    return minute;
}

static void cpu_percentages_stack_to_100_for_each_cpu(void **state)
{
    struct native_minute minute = two_cpus();
    struct page page = render(&minute);

    (void)state;
    assert_int_equal(page.count, 2);
    assert_value(&page, "cpu.user.percentage", 50);
    assert_value(&page, "cpu.idle.percentage", 140);
}

static void the_number_of_cpus_is_told_counted_or_derived(void **state)
{
    struct native_minute minute = two_cpus();

    (void)state;
    minute.cpu_count = 4;

    struct page counted = render(&minute);

    assert_value(&counted, "cpu.user.percentage", 100);
    set(&minute, NATIVE_CPU_COUNT, 8);

    struct page told = render(&minute);

    assert_value(&told, "cpu.user.percentage", 200);
}

static void cpus_that_did_not_run_post_nothing(void **state)
{
    struct native_minute minute = {.group = NATIVE_CPU};

    (void)state;
    set(&minute, NATIVE_CPU_USER, 0);
    set(&minute, NATIVE_CPU_COUNT, 2);
    assert_int_equal(render(&minute).count, 0);
}

static void delta_names_are_rates_per_second(void **state)
{
    struct native_minute disk = {.group = NATIVE_DISK, .device = SLICE("vda")};
    struct native_minute network = {.group = NATIVE_NETWORK, .device = SLICE("eth0")};

    (void)state;
    set(&disk, NATIVE_DISK_READS, 120);
    set(&disk, NATIVE_DISK_WRITES, 0);
    set(&network, NATIVE_NETWORK_RX, 6000);
    set(&network, NATIVE_NETWORK_TX, 90);

    struct page disks = render(&disk), interfaces = render(&network);

    assert_int_equal(disks.count, 2);
    assert_value(&disks, "disk.vda.reads.delta", 2);
    assert_value(&disks, "disk.vda.writes.delta", 0);
    assert_int_equal(interfaces.count, 2);
    assert_value(&interfaces, "interface.eth0.rxBytes.delta", 100);
    assert_value(&interfaces, "interface.eth0.txBytes.delta", 1.5);
}

static void a_filesystem_is_as_large_as_what_can_be_used(void **state)
{
    struct native_minute minute = {.group = NATIVE_FILESYSTEM, .device = SLICE("vda")};

    (void)state;
    set(&minute, NATIVE_FILESYSTEM_USED, 300);
    assert_int_equal(render(&minute).count, 1);
    set(&minute, NATIVE_FILESYSTEM_FREE, 500);

    struct page page = render(&minute);

    assert_int_equal(page.count, 2);
    assert_value(&page, "filesystem.vda.used", 300);
    assert_value(&page, "filesystem.vda.size", 800);
}

static const double GIB = 1024.0 * 1024 * 1024;

static struct native_minute four_states(void)
{
    struct native_minute minute = {.group = NATIVE_MEMORY};

    set(&minute, NATIVE_MEMORY_USED, 3 * GIB);
    set(&minute, NATIVE_MEMORY_FREE, 8 * GIB);
    set(&minute, NATIVE_MEMORY_BUFFERED, 1 * GIB);
    set(&minute, NATIVE_MEMORY_CACHED, 5 * GIB);
    return minute;
}

static void assert_memory(const struct native_minute *minute, double total, double used,
                          double available)
{
    struct page page = render(minute);

    assert_int_equal(page.count, 3);
    assert_value(&page, "memory.total", total * GIB);
    assert_value(&page, "memory.used", used * GIB);
    assert_value(&page, "memory.mem_available", available * GIB);
}

static void memory_total_is_the_limit_where_it_is_sent(void **state)
{
    struct native_minute minute = four_states();

    (void)state;
    set(&minute, NATIVE_MEMORY_LIMIT, 16 * GIB);
    assert_memory(&minute, 16, 3, 13);
    set(&minute, NATIVE_MEMORY_AVAILABLE, 12 * GIB);
    assert_memory(&minute, 16, 3, 12);
}

static void memory_total_is_used_and_available(void **state)
{
    struct native_minute minute = four_states();

    (void)state;
    set(&minute, NATIVE_MEMORY_AVAILABLE, 13 * GIB);
    assert_memory(&minute, 16, 3, 13);
}

static void memory_total_follows_from_a_share_in_whole_pages(void **state)
{
    struct native_minute minute = four_states();

    (void)state;
    set(&minute, NATIVE_MEMORY_UTILIZATION_USED, 3.0 / 16);
    set(&minute, NATIVE_MEMORY_UTILIZATION_FREE, 0.5 + 1e-10);
    assert_memory(&minute, 16, 3, 13);
}

static void memory_total_is_the_sum_of_states_at_last(void **state)
{
    struct native_minute minute = four_states();

    (void)state;
    assert_memory(&minute, 17, 3, 14);
}

static void used_memory_is_what_is_not_available(void **state)
{
    struct native_minute minute = {.group = NATIVE_MEMORY};

    (void)state;
    set(&minute, NATIVE_MEMORY_LIMIT, 16 * GIB);
    set(&minute, NATIVE_MEMORY_AVAILABLE, 13 * GIB);
    assert_memory(&minute, 16, 3, 13);
}

static void states_are_posted_where_nothing_tells_what_is_available(void **state)
{
    struct native_minute minute = four_states();

    (void)state;
    minute.has[NATIVE_MEMORY_USED] = false;

    struct page page = render(&minute);

    assert_int_equal(page.count, 3);
    assert_value(&page, "memory.free", 8 * GIB);
    assert_value(&page, "memory.buffers", 1 * GIB);
    assert_value(&page, "memory.cached", 5 * GIB);
}

static void swap_is_the_sum_of_used_and_free(void **state)
{
    struct native_minute minute = {.group = NATIVE_SWAP};

    (void)state;
    set(&minute, NATIVE_SWAP_USED, 1 * GIB);
    set(&minute, NATIVE_SWAP_HINT, 0);
    assert_int_equal(render(&minute).count, 0);
    set(&minute, NATIVE_SWAP_FREE, 3 * GIB);

    struct page page = render(&minute);

    assert_int_equal(page.count, 2);
    assert_value(&page, "memory.swap_total", 4 * GIB);
    assert_value(&page, "memory.swap_free", 3 * GIB);
}

static void a_machine_without_swap_posts_zeros(void **state)
{
    struct native_minute minute = {.group = NATIVE_SWAP};

    (void)state;
    assert_int_equal(render(&minute).count, 0);
    set(&minute, NATIVE_SWAP_HINT, 7);

    struct page page = render(&minute);

    assert_int_equal(page.count, 2);
    assert_value(&page, "memory.swap_total", 0);
    assert_value(&page, "memory.swap_free", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cpu_states_are_known_by_all_their_names),
        cmocka_unit_test(cpus_are_told_apart_by_number_or_text),
        cmocka_unit_test(memory_comes_from_every_source_that_helps),
        cmocka_unit_test(what_the_table_could_use_is_an_alternative),
        cmocka_unit_test(other_metrics_are_not_native),
        cmocka_unit_test(disks_are_named_and_left_out_as_the_agent_does),
        cmocka_unit_test(interfaces_are_named_and_left_out_as_the_agent_does),
        cmocka_unit_test(filesystems_are_named_by_their_device),
        cmocka_unit_test(mounts_nearer_to_the_root_rank_lower),
        cmocka_unit_test(load_averages_are_posted_as_they_are),
        cmocka_unit_test(cpu_percentages_stack_to_100_for_each_cpu),
        cmocka_unit_test(the_number_of_cpus_is_told_counted_or_derived),
        cmocka_unit_test(cpus_that_did_not_run_post_nothing),
        cmocka_unit_test(delta_names_are_rates_per_second),
        cmocka_unit_test(a_filesystem_is_as_large_as_what_can_be_used),
        cmocka_unit_test(memory_total_is_the_limit_where_it_is_sent),
        cmocka_unit_test(memory_total_is_used_and_available),
        cmocka_unit_test(memory_total_follows_from_a_share_in_whole_pages),
        cmocka_unit_test(memory_total_is_the_sum_of_states_at_last),
        cmocka_unit_test(used_memory_is_what_is_not_available),
        cmocka_unit_test(states_are_posted_where_nothing_tells_what_is_available),
        cmocka_unit_test(swap_is_the_sum_of_used_and_free),
        cmocka_unit_test(a_machine_without_swap_posts_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
