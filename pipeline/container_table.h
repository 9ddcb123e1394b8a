/*
 * Which metrics about containers feed which component of a container's cells. A table and pure
 * functions; what the components give is in pipeline/container_minute.h.
 *
 * Known are the kubelet's metrics (kubeletstats receiver), Docker's (docker stats receiver),
 * cAdvisor's (scraped by the prometheus receiver) and the limits of the k8s cluster receiver. Each has
 * components of its own, so that where several report one container, one of them counts and nothing
 * is added up twice.
 */
#ifndef PIPELINE_CONTAINER_TABLE_H
#define PIPELINE_CONTAINER_TABLE_H

#include "base/slice.h"
#include "pipeline/native_group.h"
#include "pipeline/options.h"

#include <stdbool.h>
#include <stdint.h>

/* NATIVE_CONTAINER_CPU: totals and, beside them, values. */
enum {
    CONTAINER_CPU_SECONDS,      /* kubelet, total */
    CONTAINER_CPU_MODE_SECONDS, /* the same apart for each cpu.mode */
    CONTAINER_CPU_CADVISOR_SECONDS,
    CONTAINER_CPU_NANOSECONDS, /* Docker, total */
    CONTAINER_CPU_CORES,       /* kubelet: used by now */
    CONTAINER_CPU_LIMIT,
    CONTAINER_CPU_LIMIT_SHARE, /* cores used / limit */
    CONTAINER_CPU_QUOTA,       /* of a period */
    CONTAINER_CPU_PERIOD,
    CONTAINER_CPU_MACHINE, /* cores of the machine */
    CONTAINER_CPU_TOTALS = CONTAINER_CPU_NANOSECONDS + 1,
};

/* NATIVE_CONTAINER_MEMORY: values. */
enum {
    CONTAINER_MEMORY_WORKING_SET,
    CONTAINER_MEMORY_CADVISOR_WORKING_SET,
    CONTAINER_MEMORY_DOCKER_USAGE, /* without page cache */
    CONTAINER_MEMORY_LIMIT,
    CONTAINER_MEMORY_AVAILABLE,   /* limit - working set */
    CONTAINER_MEMORY_USAGE,       /* page cache included: what the share is of */
    CONTAINER_MEMORY_LIMIT_SHARE, /* usage / limit */
    CONTAINER_MEMORY_CADVISOR_LIMIT,
    CONTAINER_MEMORY_DOCKER_LIMIT, /* the machine's memory where there is none */
    CONTAINER_MEMORY_USAGES = CONTAINER_MEMORY_DOCKER_USAGE + 1,
};

/* NATIVE_CONTAINER_NETWORK: totals. */
enum {
    CONTAINER_NETWORK_RX,
    CONTAINER_NETWORK_TX,
    CONTAINER_NETWORK_CADVISOR_RX,
    CONTAINER_NETWORK_CADVISOR_TX,
};

enum {
    CONTAINER_COMPONENTS = CONTAINER_CPU_MACHINE + 1
};

/* Where the pod's and the container's names are, and what they are worth. */
enum container_origin {
    CONTAINER_OF_KUBELET, /* in the resource */
    CONTAINER_OF_DOCKER,  /* in the resource; interfaces are each container's own */
    CONTAINER_OF_CADVISOR, /* in labels of the points; rows for pods and slices are among them */
};

/* What in a point's attributes chooses the component. */
enum container_choice {
    CONTAINER_CHOSEN,       /* nothing: it is that of the row */
    CONTAINER_BY_MODE,      /* cpu.mode: the next one where the point has it */
    CONTAINER_BY_DIRECTION, /* receive or transmit: the row's or the next one */
    CONTAINER_UNREAD,       /* shown by another metric of the same sender */
};

struct container_row {
    const char *metric;
    enum native_group group;
    uint8_t component;
    bool is_total;
    enum container_origin origin;
    enum container_choice choice;
};

/* NULL when the metric is not in the table. */
const struct container_row *container_find(struct slice metric_name);

/* Is the row's metric the container table's in that mode? Interfaces belong to hosts of pods and
 * workloads only: on a node's host they would be as many as there are pods. */
bool container_row_is_on(const struct container_row *row, enum container_mode mode);

/* The modes' names in a configuration: node, pod-host, workload, off. */
const char *container_mode_name(enum container_mode mode);
/* The default one, node, where no mode is called so. */
enum container_mode container_mode_of(struct slice name);

#endif
