#include "pipeline/native_table.h"

static const struct native_selector cpu_state = {
    .keys = {"state", "cpu.mode", "system.cpu.state"},
    .choices = {{"user", NATIVE_CPU_USER},
                {"nice", NATIVE_CPU_NICE},
                {"system", NATIVE_CPU_SYSTEM},
                {"kernel", NATIVE_CPU_SYSTEM},
                {"idle", NATIVE_CPU_IDLE},
                {"wait", NATIVE_CPU_IOWAIT},
                {"iowait", NATIVE_CPU_IOWAIT},
                {"interrupt", NATIVE_CPU_IRQ},
                {"irq", NATIVE_CPU_IRQ},
                {"softirq", NATIVE_CPU_SOFTIRQ},
                {"steal", NATIVE_CPU_STEAL}},
    .has_other = true,
    .other = NATIVE_CPU_OTHER,
};

static const struct native_selector memory_state = {
    .keys = {"state", "system.memory.state"},
    .choices = {{"used", NATIVE_MEMORY_USED},
                {"free", NATIVE_MEMORY_FREE},
                {"buffered", NATIVE_MEMORY_BUFFERED},
                {"buffers", NATIVE_MEMORY_BUFFERED},
                {"cached", NATIVE_MEMORY_CACHED},
                {"inactive", NATIVE_MEMORY_INACTIVE}},
};

static const struct native_selector memory_utilization = {
    .keys = {"state", "system.memory.state"},
    .choices = {{"used", NATIVE_MEMORY_UTILIZATION_USED},
                {"free", NATIVE_MEMORY_UTILIZATION_FREE},
                {"buffered", NATIVE_MEMORY_UTILIZATION_BUFFERED},
                {"buffers", NATIVE_MEMORY_UTILIZATION_BUFFERED},
                {"cached", NATIVE_MEMORY_UTILIZATION_CACHED}},
};

static const struct native_selector paging_state = {
    .keys = {"state", "system.paging.state"},
    .choices = {{"used", NATIVE_SWAP_USED}, {"free", NATIVE_SWAP_FREE}},
};

static const struct native_selector disk_direction = {
    .keys = {"direction", "disk.io.direction", "system.disk.direction"},
    .choices = {{"read", NATIVE_DISK_READS}, {"write", NATIVE_DISK_WRITES}},
};

static const struct native_selector network_direction = {
    .keys = {"direction", "network.io.direction", "system.network.direction"},
    .choices = {{"receive", NATIVE_NETWORK_RX}, {"transmit", NATIVE_NETWORK_TX}},
};

static const struct native_selector filesystem_state = {
    .keys = {"state", "system.filesystem.state"},
    .choices = {{"used", NATIVE_FILESYSTEM_USED}, {"free", NATIVE_FILESYSTEM_FREE}},
};

/* k8s.node.memory.*: the kubelet's working set is what is used. */
static const struct native_row rows[] = {
    {"system.cpu.load_average.1m", NATIVE_LOAD, NATIVE_VALUE, NATIVE_PREFERRED,
     NATIVE_LOAD_1M, NULL},
    {"system.cpu.load_average.5m", NATIVE_LOAD, NATIVE_VALUE, NATIVE_PREFERRED,
     NATIVE_LOAD_5M, NULL},
    {"system.cpu.load_average.15m", NATIVE_LOAD, NATIVE_VALUE, NATIVE_PREFERRED,
     NATIVE_LOAD_15M, NULL},
    {"system.cpu.time", NATIVE_CPU, NATIVE_TOTAL, NATIVE_PREFERRED, 0, &cpu_state},
    {"system.cpu.utilization", NATIVE_CPU, NATIVE_SHARE, NATIVE_FALLBACK, 0, &cpu_state},
    {"system.cpu.logical.count", NATIVE_CPU, NATIVE_VALUE, NATIVE_BESIDE,
     NATIVE_CPU_COUNT, NULL},
    {"system.memory.usage", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_PREFERRED, 0,
     &memory_state},
    {"system.memory.utilization", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_PREFERRED, 0,
     &memory_utilization},
    {"system.memory.limit", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_PREFERRED,
     NATIVE_MEMORY_LIMIT, NULL},
    {"system.linux.memory.available", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_PREFERRED,
     NATIVE_MEMORY_AVAILABLE, NULL},
    {"system.memory.linux.available", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_PREFERRED,
     NATIVE_MEMORY_AVAILABLE, NULL},
    {"k8s.node.memory.working_set", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_FALLBACK,
     NATIVE_MEMORY_USED, NULL},
    {"k8s.node.memory.available", NATIVE_MEMORY, NATIVE_VALUE, NATIVE_FALLBACK,
     NATIVE_MEMORY_AVAILABLE, NULL},
    {"system.paging.usage", NATIVE_SWAP, NATIVE_VALUE, NATIVE_PREFERRED, 0,
     &paging_state},
    /* Python's, in bytes whatever its unit says. */
    {"system.swap.usage", NATIVE_SWAP, NATIVE_VALUE, NATIVE_FALLBACK, 0, &paging_state},
    {"system.disk.operations", NATIVE_DISK, NATIVE_TOTAL, NATIVE_PREFERRED, 0,
     &disk_direction},
    /* A collector in a pod sees the pod's interfaces, the kubelet the node's. */
    {"k8s.node.network.io", NATIVE_NETWORK, NATIVE_TOTAL, NATIVE_PREFERRED, 0,
     &network_direction},
    {"system.network.io", NATIVE_NETWORK, NATIVE_TOTAL, NATIVE_FALLBACK, 0,
     &network_direction},
    {"system.filesystem.usage", NATIVE_FILESYSTEM, NATIVE_VALUE, NATIVE_PREFERRED, 0,
     &filesystem_state},
};

const struct native_row *native_find(struct slice metric_name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (slice_is(metric_name, rows[i].metric))
            return &rows[i];
    return NULL;
}

/* ---- groups ------------------------------------------------------------------------------- */

bool native_has_group(enum native_platform platform, enum native_group group)
{
    if (group == NATIVE_LOAD)
        return platform != NATIVE_WINDOWS;
    return group != NATIVE_DISK || platform == NATIVE_LINUX || platform == NATIVE_WINDOWS;
}

bool native_has_devices(enum native_group group)
{
    return group == NATIVE_DISK || group == NATIVE_NETWORK || group == NATIVE_FILESYSTEM;
}

const char *const *native_unit_keys(enum native_group group)
{
    static const char *const none[] = {NULL};
    static const char *const cpu[] = {"cpu", "cpu.logical_number",
                                      "system.cpu.logical_number", NULL};
    static const char *const device[] = {"device", "system.device", NULL};
    static const char *const interface[] = {"device", "system.device",
                                            "network.interface.name", "interface", NULL};
    static const char *const *const keys[NATIVE_FILESYSTEM + 1] = {
        [NATIVE_LOAD] = none,         [NATIVE_CPU] = cpu,
        [NATIVE_MEMORY] = none,       [NATIVE_SWAP] = device,
        [NATIVE_DISK] = device,       [NATIVE_NETWORK] = interface,
        [NATIVE_FILESYSTEM] = device,
    };

    return keys[group];
}

/* ---- devices ------------------------------------------------------------------------------ */

static const struct native_device_rule
    device_rules[NATIVE_PLATFORM_LAST + 1][NATIVE_FILESYSTEM + 1] = {
        [NATIVE_LINUX] = {[NATIVE_DISK] = {NATIVE_BY_NAME, "", {"dm-*"}},
                          [NATIVE_NETWORK] = {NATIVE_BY_NAME, "", {"lo", "veth*"}},
                          [NATIVE_FILESYSTEM] = {NATIVE_BY_NAME,
                                                 "/dev/",
                                                 {"mapper/docker-*"}}},
        [NATIVE_WINDOWS] = {[NATIVE_DISK] = {NATIVE_BY_LETTER, "", {0}},
                            [NATIVE_NETWORK] = {NATIVE_BY_NAME, "", {"Loopback *"}},
                            [NATIVE_FILESYSTEM] = {NATIVE_BY_LETTER, "", {0}}},
        [NATIVE_DARWIN] = {[NATIVE_NETWORK] = {NATIVE_BY_NAME, "", {"lo*", "veth*"}},
                           [NATIVE_FILESYSTEM] = {NATIVE_BY_NAME, "/dev/", {0}}},
        [NATIVE_BSD] = {[NATIVE_NETWORK] = {NATIVE_BY_NAME, "", {"lo*", "veth*"}},
                        [NATIVE_FILESYSTEM] = {NATIVE_BY_NAME, "/dev/", {0}}},
};

const struct native_device_rule *native_device_rule(enum native_platform platform,
                                                    enum native_group group)
{
    return &device_rules[platform][group];
}
