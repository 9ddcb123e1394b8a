#include "pipeline/container_table.h"

#include <assert.h>
#include <stddef.h>

static_assert((int)CONTAINER_COMPONENTS <= (int)NATIVE_COMPONENTS,
              "a stream's component is checked against that");

#define CPU(metric, component, is_total, origin, choice)                  \
    {                                                                     \
        metric, NATIVE_CONTAINER_CPU, component, is_total, origin, choice \
    }
#define MEMORY(metric, component, origin, choice)                         \
    {                                                                     \
        metric, NATIVE_CONTAINER_MEMORY, component, false, origin, choice \
    }
#define NETWORK(metric, component, origin, choice)                        \
    {                                                                     \
        metric, NATIVE_CONTAINER_NETWORK, component, true, origin, choice \
    }

/* Several names of one metric are those of older and newer conventions. */
static const struct container_row rows[] = {
    CPU("container.cpu.time", CONTAINER_CPU_SECONDS, true, CONTAINER_OF_KUBELET,
        CONTAINER_BY_MODE),
    CPU("container.cpu.usage", CONTAINER_CPU_CORES, false, CONTAINER_OF_KUBELET,
        CONTAINER_CHOSEN),
    CPU("k8s.container.cpu_limit", CONTAINER_CPU_LIMIT, false, CONTAINER_OF_KUBELET,
        CONTAINER_CHOSEN),
    CPU("k8s.container.cpu.limit.current", CONTAINER_CPU_LIMIT, false,
        CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    CPU("k8s.container.cpu.limit.desired", CONTAINER_CPU_LIMIT, false,
        CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    CPU("k8s.container.cpu_limit_utilization", CONTAINER_CPU_LIMIT_SHARE, false,
        CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    CPU("k8s.container.cpu.limit.utilization", CONTAINER_CPU_LIMIT_SHARE, false,
        CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    CPU("container.cpu.usage.total", CONTAINER_CPU_NANOSECONDS, true, CONTAINER_OF_DOCKER,
        CONTAINER_CHOSEN),
    CPU("container.cpu.limit", CONTAINER_CPU_LIMIT, false, CONTAINER_OF_DOCKER,
        CONTAINER_CHOSEN),
    CPU("container.cpu.logical.count", CONTAINER_CPU_MACHINE, false, CONTAINER_OF_DOCKER,
        CONTAINER_CHOSEN),
    CPU("container.cpu.utilization", 0, false, CONTAINER_OF_DOCKER, CONTAINER_UNREAD),
    CPU("container.cpu.usage.kernelmode", 0, true, CONTAINER_OF_DOCKER, CONTAINER_UNREAD),
    CPU("container.cpu.usage.usermode", 0, true, CONTAINER_OF_DOCKER, CONTAINER_UNREAD),
    CPU("container_cpu_usage_seconds_total", CONTAINER_CPU_CADVISOR_SECONDS, true,
        CONTAINER_OF_CADVISOR, CONTAINER_CHOSEN),
    CPU("container_cpu_user_seconds_total", 0, true, CONTAINER_OF_CADVISOR,
        CONTAINER_UNREAD),
    CPU("container_cpu_system_seconds_total", 0, true, CONTAINER_OF_CADVISOR,
        CONTAINER_UNREAD),
    CPU("container_spec_cpu_quota", CONTAINER_CPU_QUOTA, false, CONTAINER_OF_CADVISOR,
        CONTAINER_CHOSEN),
    CPU("container_spec_cpu_period", CONTAINER_CPU_PERIOD, false, CONTAINER_OF_CADVISOR,
        CONTAINER_CHOSEN),
    MEMORY("container.memory.working_set", CONTAINER_MEMORY_WORKING_SET,
           CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    MEMORY("container.memory.available", CONTAINER_MEMORY_AVAILABLE, CONTAINER_OF_KUBELET,
           CONTAINER_CHOSEN),
    MEMORY("container.memory.usage", CONTAINER_MEMORY_USAGE, CONTAINER_OF_KUBELET,
           CONTAINER_CHOSEN),
    MEMORY("k8s.container.memory_limit", CONTAINER_MEMORY_LIMIT, CONTAINER_OF_KUBELET,
           CONTAINER_CHOSEN),
    MEMORY("k8s.container.memory.limit.current", CONTAINER_MEMORY_LIMIT,
           CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    MEMORY("k8s.container.memory.limit.desired", CONTAINER_MEMORY_LIMIT,
           CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    MEMORY("k8s.container.memory_limit_utilization", CONTAINER_MEMORY_LIMIT_SHARE,
           CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    MEMORY("k8s.container.memory.limit.utilization", CONTAINER_MEMORY_LIMIT_SHARE,
           CONTAINER_OF_KUBELET, CONTAINER_CHOSEN),
    MEMORY("container.memory.usage.total", CONTAINER_MEMORY_DOCKER_USAGE,
           CONTAINER_OF_DOCKER, CONTAINER_CHOSEN),
    MEMORY("container.memory.usage.limit", CONTAINER_MEMORY_DOCKER_LIMIT,
           CONTAINER_OF_DOCKER, CONTAINER_CHOSEN),
    MEMORY("container.memory.percent", 0, CONTAINER_OF_DOCKER, CONTAINER_UNREAD),
    MEMORY("container_memory_working_set_bytes", CONTAINER_MEMORY_CADVISOR_WORKING_SET,
           CONTAINER_OF_CADVISOR, CONTAINER_CHOSEN),
    MEMORY("container_spec_memory_limit_bytes", CONTAINER_MEMORY_CADVISOR_LIMIT,
           CONTAINER_OF_CADVISOR, CONTAINER_CHOSEN),
    NETWORK("k8s.pod.network.io", CONTAINER_NETWORK_RX, CONTAINER_OF_KUBELET,
            CONTAINER_BY_DIRECTION),
    NETWORK("container.network.io.usage.rx_bytes", CONTAINER_NETWORK_RX,
            CONTAINER_OF_DOCKER, CONTAINER_CHOSEN),
    NETWORK("container.network.io.usage.tx_bytes", CONTAINER_NETWORK_TX,
            CONTAINER_OF_DOCKER, CONTAINER_CHOSEN),
    NETWORK("container_network_receive_bytes_total", CONTAINER_NETWORK_CADVISOR_RX,
            CONTAINER_OF_CADVISOR, CONTAINER_CHOSEN),
    NETWORK("container_network_transmit_bytes_total", CONTAINER_NETWORK_CADVISOR_TX,
            CONTAINER_OF_CADVISOR, CONTAINER_CHOSEN),
};

const struct container_row *container_find(struct slice metric_name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (slice_is(metric_name, rows[i].metric))
            return &rows[i];
    return NULL;
}

bool container_row_is_on(const struct container_row *row, enum container_mode mode)
{
    return row && mode != CONTAINERS_OFF &&
           (mode != CONTAINERS_NODE || row->group != NATIVE_CONTAINER_NETWORK);
}

static const char *const modes[CONTAINERS_OFF + 1] = {
    [CONTAINERS_NODE] = "node",
    [CONTAINERS_POD_HOST] = "pod-host",
    [CONTAINERS_WORKLOAD] = "workload",
    [CONTAINERS_OFF] = "off",
};

const char *container_mode_name(enum container_mode mode)
{
    return modes[mode];
}

enum container_mode container_mode_of(struct slice name)
{
    for (int i = 0; i <= CONTAINERS_OFF; i++)
        if (slice_is(name, modes[i]))
            return (enum container_mode)i;
    return CONTAINERS_NODE;
}
