#include "pipeline/native_policy.h"

void native_policy_set(struct native_policy *policy,
                       const struct pipeline_options *options)
{
    native_policy_release(policy);
    policy->node_network = !options->ignores_node_network;
    policy->node_memory = options->takes_node_memory;
}

void native_policy_release(struct native_policy *policy)
{
    *policy = (struct native_policy){0};
}
