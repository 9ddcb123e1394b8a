#include "pipeline/traits.h"

static const char *const keys[TRAIT_LAST + 1] = {
    [TRAIT_MACKEREL_HOST_ID] = "mackerel.host.id",
    [TRAIT_MACKEREL_CUSTOM_IDENTIFIER] = "mackerel.host.custom_identifier",
    [TRAIT_MACKEREL_SERVICE] = "mackerel.service",
    [TRAIT_MACKEREL_ROLES] = "mackerel.roles",
    [TRAIT_CLOUD_PROVIDER] = "cloud.provider",
    [TRAIT_CLOUD_PLATFORM] = "cloud.platform",
    [TRAIT_HOST_ID] = "host.id",
    [TRAIT_HOST_NAME] = "host.name",
    [TRAIT_HOST_IP] = "host.ip",
    [TRAIT_NODE_UID] = "k8s.node.uid",
    [TRAIT_NODE_NAME] = "k8s.node.name",
    [TRAIT_CLUSTER_UID] = "k8s.cluster.uid",
    [TRAIT_CLUSTER_NAME] = "k8s.cluster.name",
    [TRAIT_NAMESPACE] = "k8s.namespace.name",
    [TRAIT_POD_UID] = "k8s.pod.uid",
    [TRAIT_POD_NAME] = "k8s.pod.name",
    [TRAIT_POD_IP] = "k8s.pod.ip",
    [TRAIT_DEPLOYMENT] = "k8s.deployment.name",
    [TRAIT_STATEFULSET] = "k8s.statefulset.name",
    [TRAIT_DAEMONSET] = "k8s.daemonset.name",
    [TRAIT_CRONJOB] = "k8s.cronjob.name",
    [TRAIT_JOB] = "k8s.job.name",
    [TRAIT_REPLICASET] = "k8s.replicaset.name",
    [TRAIT_K8S_CONTAINER] = "k8s.container.name",
    [TRAIT_CONTAINER_NAME] = "container.name",
    [TRAIT_CONTAINER_ID] = "container.id",
    [TRAIT_LABEL_NAMESPACE] = "namespace",
    [TRAIT_LABEL_POD] = "pod",
    [TRAIT_LABEL_CONTAINER] = "container",
    [TRAIT_TASK_ARN] = "aws.ecs.task.arn",
    [TRAIT_TASK_FAMILY] = "aws.ecs.task.family",
    [TRAIT_TASK_CLUSTER_ARN] = "aws.ecs.cluster.arn",
    [TRAIT_TASK_LAUNCH_TYPE] = "aws.ecs.launchtype",
    [TRAIT_SERVICE_NAMESPACE] = "service.namespace",
    [TRAIT_SERVICE_NAME] = "service.name",
    [TRAIT_SDK_LANGUAGE] = "telemetry.sdk.language",
    [TRAIT_OS_TYPE] = "os.type",
};

static void note(struct traits *traits, const struct otlp_attribute *attribute)
{
    for (size_t trait = 0; trait <= TRAIT_LAST; trait++) {
        if (!slice_is(attribute->key, keys[trait]))
            continue;
        traits->has[trait] = true;
        traits->begin[trait] = traits->text.len;
        otlp_attribute_text(attribute, &traits->text);
        traits->len[trait] = traits->text.len - traits->begin[trait];
    }
}

void traits_init(struct traits *traits, const struct otlp_resource *resource)
{
    struct otlp_attributes walk = otlp_resource_attributes(resource);
    struct otlp_attribute attribute;

    *traits = (struct traits){0};
    while (otlp_attributes_next(&walk, &attribute))
        note(traits, &attribute);
}

void traits_release(struct traits *traits)
{
    buffer_release(&traits->text);
}

struct slice traits_get(const struct traits *traits, enum trait trait)
{
    if (traits->len[trait] == 0)
        return (struct slice)SLICE("");
    return (struct slice){traits->text.ptr + traits->begin[trait], traits->len[trait]};
}

struct slice traits_service_name(const struct traits *traits)
{
    struct slice name = traits_get(traits, TRAIT_SERVICE_NAME);

    return slice_starts_with(name, "unknown_service") ? (struct slice)SLICE("") : name;
}
