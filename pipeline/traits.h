/*
 * What a resource says about itself, as text: the attributes by which hosts, pods, containers and
 * services are told apart. Read once for a resource that is new.
 *
 * Sources: OpenTelemetry's semantic conventions (cloud, host, k8s, container, aws.ecs, service);
 * `namespace`, `pod` and `container` are cAdvisor's labels, where a collector made them attributes
 * of the resource (groupbyattrs); `mackerel.*` are ours.
 */
#ifndef PIPELINE_TRAITS_H
#define PIPELINE_TRAITS_H

#include "base/buffer.h"
#include "proto/otlp.h"

#include <stdbool.h>

enum trait {
    TRAIT_MACKEREL_HOST_ID,
    TRAIT_MACKEREL_CUSTOM_IDENTIFIER,
    TRAIT_MACKEREL_SERVICE,
    TRAIT_MACKEREL_ROLES,
    TRAIT_CLOUD_PROVIDER,
    TRAIT_CLOUD_PLATFORM,
    TRAIT_HOST_ID,
    TRAIT_HOST_NAME,
    TRAIT_HOST_IP,
    TRAIT_NODE_UID,
    TRAIT_NODE_NAME,
    TRAIT_CLUSTER_UID,
    TRAIT_CLUSTER_NAME,
    TRAIT_NAMESPACE,
    TRAIT_POD_UID,
    TRAIT_POD_NAME,
    TRAIT_POD_IP,
    TRAIT_DEPLOYMENT,
    TRAIT_STATEFULSET,
    TRAIT_DAEMONSET,
    TRAIT_CRONJOB,
    TRAIT_JOB,
    TRAIT_REPLICASET,
    TRAIT_K8S_CONTAINER,
    TRAIT_CONTAINER_NAME,
    TRAIT_CONTAINER_ID,
    TRAIT_LABEL_NAMESPACE,
    TRAIT_LABEL_POD,
    TRAIT_LABEL_CONTAINER,
    TRAIT_TASK_ARN,
    TRAIT_TASK_FAMILY,
    TRAIT_TASK_CLUSTER_ARN,
    TRAIT_TASK_LAUNCH_TYPE,
    TRAIT_SERVICE_NAMESPACE,
    TRAIT_SERVICE_NAME,
    TRAIT_SDK_LANGUAGE,
    TRAIT_OS_TYPE,
    TRAIT_LAST = TRAIT_OS_TYPE,
};

/* The values as text, one after the other; of duplicates the last counts. */
struct traits {
    struct buffer text;
    size_t begin[TRAIT_LAST + 1], len[TRAIT_LAST + 1];
    bool has[TRAIT_LAST + 1];
};

void traits_init(struct traits *traits, const struct otlp_resource *resource);
void traits_release(struct traits *traits);

/* The value; empty where there is none. Lies in `traits`. */
struct slice traits_get(const struct traits *traits, enum trait trait);

/* The first that is not empty. */
static inline struct slice traits_either(struct slice first, struct slice second)
{
    return first.len ? first : second;
}

/* service.name; SDKs without a configured one send unknown_service or unknown_service:<program>,
 * which counts as missing. */
struct slice traits_service_name(const struct traits *traits);

#endif
