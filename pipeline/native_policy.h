/*
 * What may be set about native metrics (hosts.* in the configuration), ready for use.
 */
#ifndef PIPELINE_NATIVE_POLICY_H
#define PIPELINE_NATIVE_POLICY_H

#include "pipeline/options.h"

#include <stdbool.h>

struct native_policy {
    bool node_network; /* k8s.node.network.io feeds interface.* */
    bool node_memory;  /* k8s.node.memory.* feeds memory.* */
};

void native_policy_set(struct native_policy *policy,
                       const struct pipeline_options *options);
void native_policy_release(struct native_policy *policy);

#endif
