/*
 * The groups of native host metrics and the components that their cells are made of.
 */
#ifndef PIPELINE_NATIVE_GROUP_H
#define PIPELINE_NATIVE_GROUP_H

/* The system of a host (os.type): what mackerel-agent posts differs. Unknown ones count as Linux. */
enum native_platform {
    NATIVE_LINUX,
    NATIVE_WINDOWS,
    NATIVE_DARWIN,
    NATIVE_BSD,
    NATIVE_PLATFORM_LAST = NATIVE_BSD,
};

enum native_group {
    NATIVE_LOAD,
    NATIVE_CPU,
    NATIVE_MEMORY,
    NATIVE_SWAP,
    NATIVE_DISK,
    NATIVE_NETWORK,
    NATIVE_FILESYSTEM,
    /* Of a container or a pod; components in pipeline/container_table.h. */
    NATIVE_CONTAINER_CPU,
    NATIVE_CONTAINER_MEMORY,
    NATIVE_CONTAINER_NETWORK,
    NATIVE_GROUP_LAST = NATIVE_CONTAINER_NETWORK,
};

/* Components of a group's cell; several streams of one component add up. */
enum {
    NATIVE_LOAD_1M,
    NATIVE_LOAD_5M,
    NATIVE_LOAD_15M
};

enum {
    NATIVE_CPU_USER,
    NATIVE_CPU_NICE,
    NATIVE_CPU_SYSTEM,
    NATIVE_CPU_IDLE,
    NATIVE_CPU_IOWAIT,
    NATIVE_CPU_IRQ,
    NATIVE_CPU_SOFTIRQ,
    NATIVE_CPU_STEAL,
    NATIVE_CPU_OTHER, /* in the denominator only */
    NATIVE_CPU_COUNT, /* system.cpu.logical.count: a value, not a total */
    NATIVE_CPU_TOTALS = NATIVE_CPU_COUNT, /* how many totals there are */
};

enum {
    NATIVE_MEMORY_USED,
    NATIVE_MEMORY_FREE,
    NATIVE_MEMORY_BUFFERED,
    NATIVE_MEMORY_CACHED,
    NATIVE_MEMORY_INACTIVE,
    NATIVE_MEMORY_LIMIT,
    NATIVE_MEMORY_AVAILABLE,
    NATIVE_MEMORY_UTILIZATION_USED,
    NATIVE_MEMORY_UTILIZATION_FREE,
    NATIVE_MEMORY_UTILIZATION_BUFFERED,
    NATIVE_MEMORY_UTILIZATION_CACHED,
};

enum {
    NATIVE_SWAP_USED,
    NATIVE_SWAP_FREE,
    NATIVE_SWAP_HINT, /* other system.paging.* metrics: swap is looked at, there may be none */
};

enum {
    NATIVE_DISK_READS,
    NATIVE_DISK_WRITES
};

enum {
    NATIVE_NETWORK_RX,
    NATIVE_NETWORK_TX
};

enum {
    NATIVE_FILESYSTEM_USED,
    NATIVE_FILESYSTEM_FREE
};

enum {
    NATIVE_COMPONENTS = 11
};

#endif
