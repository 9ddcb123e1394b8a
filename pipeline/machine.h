/*
 * The record of a machine that containers run on; what is done with it is in pipeline/node.h.
 */
#ifndef PIPELINE_MACHINE_H
#define PIPELINE_MACHINE_H

#include "base/hash.h"

#include <stdint.h>

/* What a metric tells about a machine. */
enum node_fact {
    NODE_NOTHING,
    NODE_CORES,
    NODE_ALLOCATABLE_CORES, /* less than there are: for want of something better */
    NODE_MEMORY,
    NODE_MEMORY_AVAILABLE, /* what the kubelet's working set leaves of it */
    NODE_MEMORY_WORKING_SET,
    NODE_ALLOCATABLE_MEMORY,
    NODE_FACT_LAST = NODE_ALLOCATABLE_MEMORY,
};

/* A machine, by its name (pipeline/node.h). */
struct node {
    struct hash128 hash;
    double fact[NODE_FACT_LAST + 1]; /* 0: not known */
    uint32_t families;               /* users */
};

#endif
