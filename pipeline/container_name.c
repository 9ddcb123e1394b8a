#include "pipeline/container_name.h"

#include "base/hash.h"
#include "pipeline/ecs_task.h"
#include "pipeline/name.h"
#include "pipeline/workload.h"

/* ---- from the resource -------------------------------------------------------------------- */

static struct slice workload_of_traits(const struct traits *traits)
{
    static const enum trait whole[] = {TRAIT_DEPLOYMENT, TRAIT_STATEFULSET,
                                       TRAIT_DAEMONSET, TRAIT_CRONJOB},
                            sets[] = {TRAIT_JOB, TRAIT_REPLICASET};
    struct slice found = SLICE("");

    for (size_t i = 0; found.len == 0 && i < sizeof(whole) / sizeof(whole[0]); i++)
        found = traits_get(traits, whole[i]);
    for (size_t i = 0; found.len == 0 && i < sizeof(sets) / sizeof(sets[0]); i++)
        found = workload_of_set(traits_get(traits, sets[i]));
    return traits_either(found, workload_of_pod(traits_get(traits, TRAIT_POD_NAME),
                                                traits_get(traits, TRAIT_NODE_NAME)));
}

static struct slice container_of_traits(const struct traits *traits)
{
    return traits_either(traits_get(traits, TRAIT_K8S_CONTAINER),
                         traits_get(traits, TRAIT_CONTAINER_NAME));
}

struct container_name container_name_of_traits(const struct traits *traits)
{
    struct slice pod = traits_either(traits_get(traits, TRAIT_POD_NAME),
                                     traits_get(traits, TRAIT_POD_UID));

    if (pod.len == 0)
        return (struct container_name){
            .pod = ecs_task_id(traits),
            .workload = traits_get(traits, TRAIT_TASK_FAMILY),
            .container = container_of_traits(traits),
        };
    return (struct container_name){
        .space = traits_get(traits, TRAIT_NAMESPACE),
        .pod = pod,
        .workload = workload_of_traits(traits),
        .container = container_of_traits(traits),
        .is_kubernetes = true,
    };
}

/* ---- from labels -------------------------------------------------------------------------- */

struct container_name container_name_of_labels(const struct traits *traits)
{
    struct slice pod = traits_get(traits, TRAIT_LABEL_POD);

    return (struct container_name){
        .space = traits_get(traits, TRAIT_LABEL_NAMESPACE),
        .pod = pod,
        .workload = workload_of_pod(pod, traits_get(traits, TRAIT_NODE_NAME)),
        .container = traits_get(traits, TRAIT_LABEL_CONTAINER),
        .is_kubernetes = true,
    };
}

static struct slice label(struct otlp_attributes walk, const char *key)
{
    struct otlp_attribute attribute;

    if (!otlp_attributes_find(walk, key, &attribute) ||
        attribute.kind != OTLP_VALUE_STRING)
        return (struct slice)SLICE("");
    return attribute.text;
}

struct container_name container_name_of_point(const struct otlp_point *point,
                                              enum otlp_kind kind)
{
    struct otlp_attributes walk = otlp_point_attributes(point, kind);
    struct slice pod = label(walk, "pod");

    return (struct container_name){
        .space = label(walk, "namespace"),
        .pod = pod,
        .workload = workload_of_pod(pod, (struct slice)SLICE("")),
        .container = label(walk, "container"),
        .is_kubernetes = true,
    };
}

bool container_name_is_real(const struct container_name *name)
{
    return name->pod.len && name->container.len && !slice_is(name->container, "POD");
}

/* ---- texts -------------------------------------------------------------------------------- */

void container_name_append(struct buffer *out, struct slice container)
{
    name_append_plain(out, container);
}

void container_name_append_label(struct buffer *out, const struct container_name *name)
{
    const struct slice parts[] = {name->space, name->workload, name->container};
    const char *separator = "";

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len == 0)
            continue;
        buffer_append_text(out, separator);
        name_append_plain(out, parts[i]);
        separator = "_";
    }
}

uint64_t container_name_instance(const struct container_name *name)
{
    struct hash128 pod = hash_mix(hash_bytes(name->space, 1), hash_bytes(name->pod, 2));

    return hash_mix(pod, hash_bytes(name->container, 3)).low;
}
