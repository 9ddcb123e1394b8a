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
                {"cached", NATIVE_MEMORY_CACHED}},
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

static const struct native_selector unread = {0};

static const struct native_row rows[] = {
    {"system.cpu.load_average.1m", NATIVE_LOAD, false, NATIVE_LOAD_1M, NULL},
    {"system.cpu.load_average.5m", NATIVE_LOAD, false, NATIVE_LOAD_5M, NULL},
    {"system.cpu.load_average.15m", NATIVE_LOAD, false, NATIVE_LOAD_15M, NULL},
    {"system.cpu.time", NATIVE_CPU, true, 0, &cpu_state},
    {"system.cpu.logical.count", NATIVE_CPU, false, NATIVE_CPU_COUNT, NULL},
    {"system.cpu.utilization", NATIVE_CPU, false, 0, &unread},
    {"system.memory.usage", NATIVE_MEMORY, false, 0, &memory_state},
    {"system.memory.utilization", NATIVE_MEMORY, false, 0, &memory_utilization},
    {"system.memory.limit", NATIVE_MEMORY, false, NATIVE_MEMORY_LIMIT, NULL},
    {"system.linux.memory.available", NATIVE_MEMORY, false, NATIVE_MEMORY_AVAILABLE,
     NULL},
    {"system.memory.linux.available", NATIVE_MEMORY, false, NATIVE_MEMORY_AVAILABLE,
     NULL},
    {"system.paging.usage", NATIVE_SWAP, false, 0, &paging_state},
    {"system.disk.operations", NATIVE_DISK, true, 0, &disk_direction},
    {"system.network.io", NATIVE_NETWORK, true, 0, &network_direction},
    {"system.filesystem.usage", NATIVE_FILESYSTEM, false, 0, &filesystem_state},
};

static const struct native_device_rule device_rules[NATIVE_GROUP_LAST + 1] = {
    [NATIVE_DISK] = {{"device", "system.device"}, "", {"dm-*"}},
    [NATIVE_NETWORK] = {{"device", "system.device", "network.interface.name"},
                        "",
                        {"lo", "veth*"}},
    [NATIVE_FILESYSTEM] = {{"device", "system.device"}, "/dev/", {"mapper/docker-*"}},
};

const struct native_row *native_find(struct slice metric_name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (slice_is(metric_name, rows[i].metric))
            return &rows[i];
    return NULL;
}

const struct native_device_rule *native_device_rule(enum native_group group)
{
    return &device_rules[group];
}
