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

/* What is asked about; each test begins with Linux and the defaults. */
static enum native_platform platform;
static struct native_policy policy = {.node_network = true};

static struct outcome classify_message(const char *metric, struct slice message)
{
    struct outcome outcome = {.why = REASON_LAST};
    struct buffer text = {0};

    outcome.verdict = native_classify(
        &(struct native_question){
            &(struct otlp_metric){.kind = OTLP_SUM, .name = slice_of(metric)},
            &(struct otlp_point){.message = message}, &policy, platform},
        &text, &outcome.input, &outcome.why);
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
                    .input.reading == NATIVE_TOTAL);
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
    assert_skipped("system.memory.usage",
                   (struct pair[]){{"state", "slab_reclaimable"}, {0}},
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

/* ---- other platforms ---------------------------------------------------------------------- */

static void devices_are_those_of_the_platform(void **state)
{
    static const struct {
        enum native_platform platform;
        const char *metric, *raw, *mount;
        const char *device; /* NULL: left out */
    } cases[] = {
        {NATIVE_WINDOWS, "system.disk.operations", "C:", "", "C"},
        {NATIVE_WINDOWS, "system.disk.operations", "HarddiskVolume3", "", NULL},
        {NATIVE_WINDOWS, "system.disk.operations", "0 C:", "", NULL},
        {NATIVE_WINDOWS, "system.filesystem.usage", "D:", "D:", "D"},
        {NATIVE_WINDOWS, "system.filesystem.usage", "D:\\", "D:\\", "D"},
        {NATIVE_WINDOWS, "system.filesystem.usage", "/dev/sda", "", NULL},
        {NATIVE_WINDOWS, "system.network.io", "Intel(R) I210 #2", "", "Intel_R__I210__2"},
        {NATIVE_WINDOWS, "system.network.io", "Loopback Pseudo-Interface 1", "", NULL},
        {NATIVE_WINDOWS, "system.network.io", "lo", "", "lo"},
        {NATIVE_DARWIN, "system.network.io", "en0", "", "en0"},
        {NATIVE_DARWIN, "system.network.io", "lo0", "", NULL},
        {NATIVE_DARWIN, "system.filesystem.usage", "/dev/disk3s1s1", "/", "disk3s1s1"},
        {NATIVE_DARWIN, "system.filesystem.usage", "/dev/disk4s1", "/Volumes/Backup",
         NULL},
        {NATIVE_DARWIN, "system.filesystem.usage", "/dev/disk1s4", "/private/var/vm",
         NULL},
        {NATIVE_LINUX, "system.filesystem.usage", "/dev/sdb1", "/Volumes/Backup", "sdb1"},
        {NATIVE_BSD, "system.network.io", "lo0", "", NULL},
        {NATIVE_BSD, "system.network.io", "em0", "", "em0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        platform = cases[i].platform;

        struct outcome outcome = classify(
            cases[i].metric, (struct pair[]){{"device", cases[i].raw},
                                             {"mountpoint", cases[i].mount},
                                             {"state", "used"},
                                             {"disk.io.direction", "read"},
                                             {"network.io.direction", "transmit"},
                                             {0}});

        platform = NATIVE_LINUX;
        if (!cases[i].device) {
            assert_int_equal(outcome.verdict, NATIVE_SKIP);
            assert_int_equal(outcome.why, REASON_FILTERED_DEVICE);
            continue;
        }
        assert_int_equal(outcome.verdict, NATIVE_TAKEN);
        assert_string_equal(outcome.device, cases[i].device);
    }
}

static void what_an_agent_does_not_post_there_is_not_native(void **state)
{
    (void)state;
    platform = NATIVE_WINDOWS;
    assert_int_equal(classify("system.cpu.load_average.1m", (struct pair[]){{0}}).verdict,
                     NATIVE_NOT);
    platform = NATIVE_DARWIN;
    assert_int_equal(
        classify("system.disk.operations",
                 (struct pair[]){{"device", "disk0"}, {"direction", "read"}, {0}})
            .verdict,
        NATIVE_NOT);
    assert_int_equal(classify("system.cpu.load_average.1m", (struct pair[]){{0}}).verdict,
                     NATIVE_TAKEN);
    platform = NATIVE_LINUX;
}

/* ---- several sources ---------------------------------------------------------------------- */

static void the_kubelet_s_figures_of_a_node_are_taken_where_that_is_set(void **state)
{
    struct pair network[] = {{"interface", "eth0"}, {"direction", "receive"}, {0}};

    (void)state;
    assert_feeds("k8s.node.network.io", network, NATIVE_NETWORK, NATIVE_NETWORK_RX);
    assert_device("k8s.node.network.io", network, "eth0");
    assert_int_equal(
        classify("k8s.node.memory.working_set", (struct pair[]){{0}}).verdict,
        NATIVE_NOT);
    policy = (struct native_policy){.node_memory = true};
    assert_feeds("k8s.node.memory.working_set", (struct pair[]){{0}}, NATIVE_MEMORY,
                 NATIVE_MEMORY_USED);
    assert_feeds("k8s.node.memory.available", (struct pair[]){{0}}, NATIVE_MEMORY,
                 NATIVE_MEMORY_AVAILABLE);
    assert_int_equal(classify("k8s.node.network.io", network).verdict, NATIVE_NOT);
    policy = (struct native_policy){.node_network = true};
}

static uint64_t rank_of(const char *metric, const struct pair *pairs)
{
    return classify(metric, pairs).input.rank;
}

static void old_and_new_names_of_one_thing_have_one_rank(void **state)
{
    (void)state;
    assert_true(
        rank_of("system.network.io",
                (struct pair[]){{"device", "eth0"}, {"direction", "receive"}, {0}}) ==
        rank_of("system.network.io", (struct pair[]){{"network.interface.name", "eth0"},
                                                     {"network.io.direction", "receive"},
                                                     {0}}));
    assert_true(rank_of("system.linux.memory.available", (struct pair[]){{0}}) ==
                rank_of("system.memory.linux.available", (struct pair[]){{0}}));
    assert_true(rank_of("system.cpu.time",
                        (struct pair[]){{"cpu", "cpu0"}, {"state", "idle"}, {0}}) ==
                rank_of("system.cpu.time", (struct pair[]){{"cpu.mode", "idle"},
                                                           {"cpu.logical_number", "cpu0"},
                                                           {0}}));
    assert_true(rank_of("system.cpu.time", (struct pair[]){{"state", "guest"}, {0}}) ==
                rank_of("system.cpu.time", (struct pair[]){{"cpu.mode", "guest"}, {0}}));
}

static void different_things_have_different_ranks(void **state)
{
    static const struct {
        const char *metric;
        struct pair a[4], b[4];
    } cases[] = {
        {"system.cpu.time", {{"state", "guest"}}, {{"state", "guest_nice"}}},
        {"system.cpu.time",
         {{"state", "idle"}, {"cpu", "0"}},
         {{"state", "idle"}, {"cpu", "1"}}},
        {"system.paging.usage",
         {{"state", "used"}, {"device", "/dev/sda"}},
         {{"state", "used"}, {"device", "/dev/sdb"}}},
        {"system.network.io",
         {{"device", "eth0"}, {"direction", "receive"}},
         {{"device", "eth0"}, {"direction", "receive"}, {"family", "ipv6"}}},
        {"system.network.io",
         {{"device", "eth0"}, {"direction", "receive"}, {"family", "ipv4"}},
         {{"device", "eth0"}, {"direction", "receive"}, {"family", "ipv6"}}},
        {"system.network.io",
         {{"device", "eth.1"}, {"direction", "receive"}},
         {{"device", "eth_1"}, {"direction", "receive"}}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_true(rank_of(cases[i].metric, cases[i].a) !=
                    rank_of(cases[i].metric, cases[i].b));
}

static void shares_of_cpu_time_are_a_fallback(void **state)
{
    struct outcome outcome = classify("system.cpu.utilization",
                                      (struct pair[]){{"state", "user"}, {0}});

    (void)state;
    assert_int_equal(outcome.verdict, NATIVE_TAKEN);
    assert_int_equal(outcome.input.reading, NATIVE_SHARE);
    assert_int_equal(outcome.input.source, NATIVE_FALLBACK);
    assert_int_equal(outcome.input.component, NATIVE_CPU_USER);
    assert_int_equal(
        classify("system.cpu.time", (struct pair[]){{"state", "user"}, {0}}).input.source,
        NATIVE_PREFERRED);
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
    struct native_minute minute = {.group = NATIVE_CPU, .seconds = 60};

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
    minute.seconds = 30; /* a sender that stopped: four cpus for half a minute */
    minute.cpu_count = 0;

    struct page derived = render(&minute);

    assert_value(&derived, "cpu.user.percentage", 100);
    minute.cpu_count = 4;

    struct page counted = render(&minute);

    assert_value(&counted, "cpu.user.percentage", 100);
    minute.seconds = 15;
    set(&minute, NATIVE_CPU_COUNT, 8);

    struct page told = render(&minute);

    assert_value(&told, "cpu.user.percentage", 200);
}

/* 30, 84 and 6 s of the 240 that four cpus have: the sender leaves states out. */
static void of_states_that_are_left_out_the_time_is_the_whole(void **state)
{
    struct native_minute minute = two_cpus();

    (void)state;
    minute.cpu_count = 4;

    struct page page = render(&minute);

    assert_value(&page, "cpu.user.percentage", 50); /* 100 x 30 / 60 */
    assert_value(&page, "cpu.idle.percentage", 140);
}

/* Shares that are averages over the cpus: 0.25 user, 0.7 idle, 0.05 other. */
static void average_shares_need_to_be_told_the_number_of_cpus(void **state)
{
    struct native_minute minute = {.group = NATIVE_CPU, .seconds = 60, .is_share = true};

    (void)state;
    set(&minute, NATIVE_CPU_USER, 15);
    set(&minute, NATIVE_CPU_IDLE, 42);
    set(&minute, NATIVE_CPU_OTHER, 3);
    assert_int_equal(render(&minute).count, 0);
    set(&minute, NATIVE_CPU_COUNT, 4);

    struct page told = render(&minute);

    assert_value(&told, "cpu.user.percentage", 100);
    assert_value(&told, "cpu.idle.percentage", 280);

    struct native_minute windows = minute;

    windows.platform = NATIVE_WINDOWS;
    windows.has[NATIVE_CPU_COUNT] = false;

    struct page page = render(&windows);

    assert_value(&page, "cpu.user.percentage", 25);
    assert_value(&page, "cpu.idle.percentage", 70);
}

/* One state alone: 0.4 of the time of the two cpus that the points tell apart. */
static void a_share_that_stands_alone_is_one_of_the_time(void **state)
{
    struct native_minute minute = {
        .group = NATIVE_CPU, .seconds = 60, .is_share = true, .cpu_count = 2};

    (void)state;
    set(&minute, NATIVE_CPU_USER, 48);

    struct page page = render(&minute);

    assert_int_equal(page.count, 1);
    assert_value(&page, "cpu.user.percentage", 80);
}

/* Two cpus over a minute: 20 s user, 10 nice, 30 system, 5 of interrupts, 55 idle. */
static void other_platforms_stack_cpus_to_100(void **state)
{
    static const struct {
        enum native_platform platform;
        size_t count;
        double user, system, idle;
    } cases[] = {
        /* interrupts are in the system's: 20 + 10 + 30 + 55 = 115 s */
        {NATIVE_WINDOWS, 3, 100 * 20 / 115.0, 100 * 30 / 115.0, 100 * 55 / 115.0},
        {NATIVE_DARWIN, 3, 25, 25, 100 * 55 / 120.0}, /* nice is user */
        {NATIVE_BSD, 4, 100 * 20 / 120.0, 25, 100 * 55 / 120.0},
    };
    struct native_minute minute = {.group = NATIVE_CPU, .seconds = 60};

    (void)state;
    set(&minute, NATIVE_CPU_USER, 20);
    set(&minute, NATIVE_CPU_NICE, 10);
    set(&minute, NATIVE_CPU_SYSTEM, 30);
    set(&minute, NATIVE_CPU_IRQ, 5);
    set(&minute, NATIVE_CPU_IDLE, 55);
    set(&minute, NATIVE_CPU_COUNT, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        minute.platform = cases[i].platform;

        struct page page = render(&minute);

        assert_int_equal(page.count, cases[i].count);
        assert_value(&page, "cpu.user.percentage", cases[i].user);
        assert_value(&page, "cpu.system.percentage", cases[i].system);
        assert_value(&page, "cpu.idle.percentage", cases[i].idle);
    }
}

static void windows_memory_is_free_or_used(void **state)
{
    struct native_minute memory = {.platform = NATIVE_WINDOWS, .group = NATIVE_MEMORY};
    struct native_minute swap = {.platform = NATIVE_WINDOWS, .group = NATIVE_SWAP};

    (void)state;
    set(&memory, NATIVE_MEMORY_USED, 6000);
    set(&memory, NATIVE_MEMORY_FREE, 2000);
    set(&swap, NATIVE_SWAP_USED, 100);
    set(&swap, NATIVE_SWAP_FREE, 900);

    struct page page = render(&memory), pagefile = render(&swap);

    assert_int_equal(page.count, 3);
    assert_value(&page, "memory.total", 8000);
    assert_value(&page, "memory.free", 2000);
    assert_value(&page, "memory.used", 6000);
    assert_int_equal(pagefile.count, 2);
    assert_value(&pagefile, "memory.pagefile_total", 1000);
    assert_value(&pagefile, "memory.pagefile_free", 900);
    set(&memory, NATIVE_MEMORY_LIMIT, 8192);

    struct page limited = render(&memory);

    assert_value(&limited, "memory.total", 8192);
    assert_value(&limited, "memory.used", 6192); /* what is not free */
}

static void macos_memory_stacks_to_the_total(void **state)
{
    struct native_minute memory = {.platform = NATIVE_DARWIN, .group = NATIVE_MEMORY};

    (void)state;
    set(&memory, NATIVE_MEMORY_USED, 5000);
    set(&memory, NATIVE_MEMORY_FREE, 1000);
    set(&memory, NATIVE_MEMORY_INACTIVE, 2000);

    struct page page = render(&memory);

    assert_int_equal(page.count, 4);
    assert_value(&page, "memory.total", 8000);
    assert_value(&page, "memory.used", 5000);
    assert_value(&page, "memory.cached", 2000);
    assert_value(&page, "memory.free", 1000);
}

static void bsd_memory_has_no_used(void **state)
{
    struct native_minute memory = {.platform = NATIVE_BSD, .group = NATIVE_MEMORY};

    (void)state;
    set(&memory, NATIVE_MEMORY_USED, 5000);
    set(&memory, NATIVE_MEMORY_FREE, 1000);
    set(&memory, NATIVE_MEMORY_INACTIVE, 2000);

    struct page page = render(&memory);

    assert_int_equal(page.count, 2);
    assert_value(&page, "memory.total", 8000);
    assert_value(&page, "memory.free", 1000);
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
        cmocka_unit_test(of_states_that_are_left_out_the_time_is_the_whole),
        cmocka_unit_test(average_shares_need_to_be_told_the_number_of_cpus),
        cmocka_unit_test(a_share_that_stands_alone_is_one_of_the_time),
        cmocka_unit_test(other_platforms_stack_cpus_to_100),
        cmocka_unit_test(windows_memory_is_free_or_used),
        cmocka_unit_test(macos_memory_stacks_to_the_total),
        cmocka_unit_test(bsd_memory_has_no_used),
        cmocka_unit_test(devices_are_those_of_the_platform),
        cmocka_unit_test(what_an_agent_does_not_post_there_is_not_native),
        cmocka_unit_test(the_kubelet_s_figures_of_a_node_are_taken_where_that_is_set),
        cmocka_unit_test(old_and_new_names_of_one_thing_have_one_rank),
        cmocka_unit_test(different_things_have_different_ranks),
        cmocka_unit_test(shares_of_cpu_time_are_a_fallback),
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
