#include "pipeline/container_place.h"

#include "pipeline/container_name.h"
#include "pipeline/ecs_task.h"
#include "pipeline/roles.h"
#include "pipeline/traits.h"
#include "pipeline/workload.h"
#include "proto/json_string.h"

/* ---- whose ------------------------------------------------------------------------------- */

/* cAdvisor's own resource is what scraped it; only labels say which container is meant. */
static struct container_name name_of(const struct traits *traits,
                                     const struct container_row *row)
{
    if (row->origin != CONTAINER_OF_CADVISOR || traits->has[TRAIT_K8S_CONTAINER])
        return container_name_of_traits(traits);
    return container_name_of_labels(traits);
}

static bool has_override(const struct traits *traits)
{
    return traits_get(traits, TRAIT_MACKEREL_HOST_ID).len ||
           traits_get(traits, TRAIT_MACKEREL_CUSTOM_IDENTIFIER).len;
}

/* A pod has a host of its own where it is named and nothing else was asked for. */
static bool has_own_host(const struct traits *traits, const struct container_name *name,
                         enum container_mode mode)
{
    if (has_override(traits))
        return false;
    return (mode == CONTAINERS_POD_HOST && name->pod.len) ||
           (mode == CONTAINERS_WORKLOAD && name->workload.len);
}

/* host.ip is the text of an array. */
static bool lists(struct slice addresses, struct slice address)
{
    const char *at = addresses.len >= address.len
                         ? memmem(addresses.ptr, addresses.len, address.ptr, address.len)
                         : NULL;
    const char *end = addresses.ptr + addresses.len;

    return at && (at == addresses.ptr || at[-1] == '"') &&
           (at + address.len == end || at[address.len] == '"');
}

/* Its interfaces are then the machine's, which shows them itself. */
static bool is_on_host_network(const struct traits *traits)
{
    struct slice pod = traits_get(traits, TRAIT_POD_IP);

    return pod.len && lists(traits_get(traits, TRAIT_HOST_IP), pod);
}

/* ---- the pod's or the workload's host ------------------------------------------------------ */

/*
 * The kubelet reports a hash of its configuration as the uid of a static pod, Kubernetes' API another
 * one: such pods go by their names, which hold the node's.
 */
static bool goes_by_uid(const struct traits *traits, const struct container_name *name)
{
    struct slice uid = traits_get(traits, TRAIT_POD_UID);

    return uid.len && memchr(uid.ptr, '-', uid.len) &&
           (slice_equal(name->pod, traits_get(traits, TRAIT_POD_NAME)) ||
            slice_equal(name->pod, uid)) &&
           !workload_is_static(name->pod, traits_get(traits, TRAIT_NODE_NAME));
}

static void append_in_cluster(struct buffer *out, const struct traits *traits,
                              struct slice name, struct slice space)
{
    struct slice parts[] = {space, traits_either(traits_get(traits, TRAIT_CLUSTER_UID),
                                                 traits_get(traits, TRAIT_CLUSTER_NAME))};

    buffer_append(out, name);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].len == 0)
            continue;
        buffer_append_char(out, '.');
        buffer_append(out, parts[i]);
    }
}

static void append_pod(struct buffer *out, const struct traits *traits,
                       const struct container_name *name)
{
    if (!name->is_kubernetes) {
        ecs_task_append(out, traits, name->pod);
        buffer_append_text(out, ".ecs");
        return;
    }
    if (goes_by_uid(traits, name))
        buffer_append(out, traits_get(traits, TRAIT_POD_UID));
    else
        append_in_cluster(out, traits, name->pod, name->space);
    buffer_append_text(out, ".kubernetes");
}

static void append_workload(struct buffer *out, const struct traits *traits,
                            const struct container_name *name)
{
    if (name->is_kubernetes)
        append_in_cluster(out, traits, name->workload, name->space);
    else
        ecs_task_append(out, traits, name->workload);
    buffer_append_text(out, name->is_kubernetes ? ".workload.kubernetes" : ".family.ecs");
}

static void append_host_name(struct buffer *out, const struct container_name *name,
                             enum container_mode mode)
{
    if (mode == CONTAINERS_POD_HOST) {
        buffer_append(out, name->pod);
        return;
    }
    buffer_append(out, name->workload);
    if (name->space.len) {
        buffer_append_char(out, '.');
        buffer_append(out, name->space);
    }
}

/* In Kubernetes service.namespace stands for the namespace where it is not set. */
static void append_roles(struct buffer *out, const struct traits *traits)
{
    size_t begin = out->len;

    roles_append(out, traits_get(traits, TRAIT_MACKEREL_ROLES));
    if (out->len == begin)
        roles_append_one(out,
                         traits_either(traits_get(traits, TRAIT_SERVICE_NAMESPACE),
                                       traits_get(traits, TRAIT_NAMESPACE)),
                         traits_service_name(traits));
}

/* ---- meta --------------------------------------------------------------------------------- */

struct meta_member {
    const char *name;
    struct slice value;
};

/* Members with a value, as those of a JSON object. */
static void append_members(struct buffer *out, const struct meta_member *members,
                           size_t count)
{
    const char *separator = "";

    for (size_t i = 0; i < count; i++) {
        if (members[i].value.len == 0)
            continue;
        buffer_printf(out, "%s\"%s\":", separator, members[i].name);
        json_string_append(out, members[i].value);
        separator = ",";
    }
}

static void append_pod_meta(struct buffer *out, const struct traits *traits,
                            const struct container_name *name)
{
    const struct meta_member members[] = {
        {"namespace", name->space},
        {"name", name->pod},
        {"uid", traits_get(traits, TRAIT_POD_UID)},
        {"nodeName", traits_get(traits, TRAIT_NODE_NAME)},
        {"podIP", traits_get(traits, TRAIT_POD_IP)},
    };

    append_members(out, members, sizeof(members) / sizeof(members[0]));
}

static void append_task_meta(struct buffer *out, const struct traits *traits,
                             const struct container_name *name)
{
    const struct meta_member members[] = {
        {"task", name->pod},
        {"task_arn", traits_get(traits, TRAIT_TASK_ARN)},
        {"task_family", traits_get(traits, TRAIT_TASK_FAMILY)},
    };

    append_members(out, members, sizeof(members) / sizeof(members[0]));
}

static const char *provider(const struct traits *traits,
                            const struct container_name *name)
{
    if (name->is_kubernetes)
        return "kubernetes";
    return slice_is(traits_get(traits, TRAIT_TASK_LAUNCH_TYPE), "fargate") ? "fargate"
                                                                           : "ecs";
}

/* As far as the resource says it, what mackerel-container-agent registers; under our own name. */
static void append_meta(struct buffer *out, const struct traits *traits,
                        const struct container_name *name, enum container_mode mode)
{
    buffer_append_text(out, "\"agent-name\":\"mackerel-otel-gateway\"");
    if (mode != CONTAINERS_POD_HOST)
        return;
    buffer_printf(out, ",\"cloud\":{\"provider\":\"%s\",\"metadata\":{",
                  provider(traits, name));
    if (name->is_kubernetes)
        append_pod_meta(out, traits, name);
    else
        append_task_meta(out, traits, name);
    buffer_append_text(out, "}}");
}

/* ---- names of cells ------------------------------------------------------------------------ */

static void append_base(struct buffer *out, const struct container_place *place,
                        const struct container_row *row,
                        const struct container_name *name)
{
    if (row->group == NATIVE_CONTAINER_NETWORK) {
        buffer_append_text(out, "interface.");
        if (row->origin == CONTAINER_OF_DOCKER) {
            container_name_append(out, name->container);
            buffer_append_char(out, '-');
        }
        return;
    }
    if (!place->has_host)
        buffer_append_text(out, name->is_kubernetes ? "custom.k8s." : "custom.");
    buffer_append_text(out, row->group == NATIVE_CONTAINER_CPU ? "container.cpu."
                                                               : "container.memory.");
    if (place->reads_labels)
        return;
    if (place->has_host)
        container_name_append(out, name->container);
    else
        container_name_append_label(out, name);
}

static void refuse(struct container_place *place, enum reason reason)
{
    place->is_refused = true;
    place->refusal = reason;
}

/* What is posted nowhere, as far as it shows before there is a point. */
static void judge(struct container_place *place, const struct traits *traits,
                  const struct container_row *row, const struct container_name *name)
{
    bool is_network = row->group == NATIVE_CONTAINER_NETWORK;

    if (row->choice == CONTAINER_UNREAD)
        refuse(place, REASON_NATIVE_ALTERNATIVE);
    else if (is_network && is_on_host_network(traits))
        refuse(place, REASON_FILTERED_DEVICE);
    else if (!is_network && !place->reads_labels && name->container.len == 0)
        refuse(place, row->origin == CONTAINER_OF_CADVISOR ? REASON_NATIVE_ALTERNATIVE
                                                           : REASON_NO_DEVICE);
}

/* ---- place -------------------------------------------------------------------------------- */

/* The text does not move any more: the fields lie in it in the order of their making. */
static void settle(struct container_place *place)
{
    struct slice *fields[] = {&place->host.custom_identifier, &place->host.name,
                              &place->host.roles, &place->host.meta, &place->base};
    const char *at = place->text.ptr ? place->text.ptr : "";

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        fields[i]->ptr = at;
        at += fields[i]->len;
    }
}

static void end_field(const struct container_place *place, struct slice *field,
                      size_t *begin)
{
    field->len = place->text.len - *begin;
    *begin = place->text.len;
}

static void describe_host(struct container_place *place, const struct traits *traits,
                          const struct container_name *name, enum container_mode mode)
{
    size_t begin = 0;

    place->host.kind = MACKEREL_HOST;
    place->host.host_id = (struct slice)SLICE("");
    if (mode == CONTAINERS_POD_HOST)
        append_pod(&place->text, traits, name);
    else
        append_workload(&place->text, traits, name);
    end_field(place, &place->host.custom_identifier, &begin);
    append_host_name(&place->text, name, mode);
    end_field(place, &place->host.name, &begin);
    append_roles(&place->text, traits);
    end_field(place, &place->host.roles, &begin);
    append_meta(&place->text, traits, name, mode);
    end_field(place, &place->host.meta, &begin);
}

void container_place_init(struct container_place *place,
                          const struct otlp_resource *resource,
                          const struct container_row *row, enum container_mode mode)
{
    struct traits traits;

    traits_init(&traits, resource);

    struct container_name name = name_of(&traits, row);
    size_t begin;

    *place = (struct container_place){
        .has_host = has_own_host(&traits, &name, mode),
        .reads_labels = row->origin == CONTAINER_OF_CADVISOR && name.pod.len == 0,
        .instance = container_name_instance(&name),
    };
    if (place->has_host)
        describe_host(place, &traits, &name, mode);
    begin = place->text.len;
    append_base(&place->text, place, row, &name);
    end_field(place, &place->base, &begin);
    settle(place);
    judge(place, &traits, row, &name);
    traits_release(&traits);
}

void container_place_release(struct container_place *place)
{
    buffer_release(&place->text);
}
