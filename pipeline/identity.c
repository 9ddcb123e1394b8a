#include "pipeline/identity.h"

#include "pipeline/ecs_task.h"
#include "pipeline/name.h"
#include "pipeline/roles.h"
#include "pipeline/traits.h"

/* ---- host --------------------------------------------------------------------------------- */

/*
 * Identifiers that mackerel-agent and Mackerel's cloud integrations give to instances
 * (mackerel-agent spec/cloud.go), so that ours are the same hosts.
 */
static const struct {
    const char *provider, *platforms[2]; /* no platform: any */
    const char *prefix;                  /* of instance ids */
    bool is_number;
    const char *suffix;
} clouds[] = {
    {"aws", {"aws_ec2", "aws_eks"}, "i-", false, ".ec2.amazonaws.com"},
    {"gcp", {0}, "", true, ".gce.cloud.google.com"},
    {"azure", {0}, "", false, ".virtual_machine.azure.microsoft.com"},
};

static bool is_digits(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/* On its own instances ECS names itself as the platform; elsewhere host.id is no instance. */
static bool is_on_platform(const struct traits *traits, const char *const *platforms)
{
    struct slice platform = traits_get(traits, TRAIT_CLOUD_PLATFORM);

    if (!platforms[0])
        return true;
    if (slice_is(platform, "aws_ecs"))
        return slice_is(traits_get(traits, TRAIT_TASK_LAUNCH_TYPE), "ec2");
    return slice_is(platform, platforms[0]) || slice_is(platform, platforms[1]);
}

static bool append_cloud_instance(struct buffer *out, const struct traits *traits)
{
    struct slice id = traits_get(traits, TRAIT_HOST_ID);
    struct slice provider = traits_get(traits, TRAIT_CLOUD_PROVIDER);

    for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
        if (id.len == 0 || !slice_is(provider, clouds[i].provider) ||
            !is_on_platform(traits, clouds[i].platforms) ||
            !slice_starts_with(id, clouds[i].prefix) ||
            (clouds[i].is_number && !is_digits(id)))
            continue;
        buffer_append(out, id);
        buffer_append_text(out, clouds[i].suffix);
        return true;
    }
    return false;
}

static bool append_task(struct buffer *out, const struct traits *traits)
{
    if (!ecs_task_is_host(traits))
        return false;
    ecs_task_append(out, traits, ecs_task_id(traits));
    buffer_append_text(out, ".ecs");
    return true;
}

static bool append_node(struct buffer *out, const struct traits *traits)
{
    struct slice uid = traits_get(traits, TRAIT_NODE_UID),
                 name = traits_get(traits, TRAIT_NODE_NAME);
    struct slice cluster = traits_either(traits_get(traits, TRAIT_CLUSTER_UID),
                                         traits_get(traits, TRAIT_CLUSTER_NAME));

    if (uid.len) {
        buffer_append(out, uid);
    } else if (cluster.len && name.len) {
        buffer_append(out, name);
        buffer_append_char(out, '.');
        buffer_append(out, cluster);
    } else {
        return false;
    }
    buffer_append_text(out, ".node.kubernetes");
    return true;
}

static void append_custom_identifier(struct buffer *out, const struct traits *traits)
{
    struct slice override = traits_get(traits, TRAIT_MACKEREL_CUSTOM_IDENTIFIER);

    if (override.len)
        buffer_append(out, override);
    else if (!append_task(out, traits) && !append_cloud_instance(out, traits) &&
             !append_node(out, traits))
        buffer_append(out, traits_get(traits, TRAIT_HOST_ID));
}

/* Docker names a container's host by the first digits of the container's id. */
enum {
    SHORT_CONTAINER_ID = 12
};

/* Inside a pod or a container host.name is its own, and no machine is called so. */
static bool is_own_name(const struct traits *traits, struct slice name)
{
    struct slice id = traits_get(traits, TRAIT_CONTAINER_ID);

    return slice_equal(name, traits_get(traits, TRAIT_POD_NAME)) ||
           (name.len >= SHORT_CONTAINER_ID && id.len >= name.len &&
            memcmp(id.ptr, name.ptr, name.len) == 0);
}

static struct slice host_name(const struct traits *traits)
{
    struct slice node = traits_get(traits, TRAIT_NODE_NAME);
    struct slice host = traits_get(traits, TRAIT_HOST_NAME);

    if (node.len == 0 && ecs_task_is_host(traits))
        node = ecs_task_id(traits);
    if (host.len && is_own_name(traits, host))
        host.len = 0;
    return traits_either(traits_either(node, host), traits_get(traits, TRAIT_HOST_ID));
}

static enum native_platform read_platform(const struct traits *traits)
{
    static const struct {
        const char *os_type;
        enum native_platform platform;
    } platforms[] = {
        {"windows", NATIVE_WINDOWS}, {"darwin", NATIVE_DARWIN},
        {"freebsd", NATIVE_BSD},     {"netbsd", NATIVE_BSD},
        {"openbsd", NATIVE_BSD},     {"dragonflybsd", NATIVE_BSD},
    };
    struct slice os_type = traits_get(traits, TRAIT_OS_TYPE);

    for (size_t i = 0; i < sizeof(platforms) / sizeof(platforms[0]); i++)
        if (slice_is(os_type, platforms[i].os_type))
            return platforms[i].platform;
    return NATIVE_LINUX;
}

/* ---- service ------------------------------------------------------------------------------ */

/* What the resource says itself. */
static struct slice named_service(const struct traits *traits)
{
    struct slice named = traits_either(traits_get(traits, TRAIT_SERVICE_NAMESPACE),
                                       traits_service_name(traits));

    return traits_either(traits_get(traits, TRAIT_MACKEREL_SERVICE), named);
}

/* The program's name before its metrics; Mackerel reserves names that begin with `__`. */
static void append_prefix(struct buffer *out, struct slice name)
{
    size_t begin = out->len, extra = 0;

    name_append_segment(out, name);
    while (begin + extra + 1 < out->len && memcmp(out->ptr + begin + extra, "__", 2) == 0)
        extra++;
    memmove(out->ptr + begin, out->ptr + begin + extra, out->len - begin - extra);
    out->len -= extra;
}

/* ---- identity ----------------------------------------------------------------------------- */

/* The field is what was appended since the last one; its pointer is set by settle(). */
static void end_field(struct identity *identity, struct slice *field, size_t *begin)
{
    field->len = identity->text.len - *begin;
    *begin = identity->text.len;
}

/* The text does not move any more: the fields lie in it in the order of their making. */
static void settle(struct identity *identity)
{
    struct slice *fields[] = {
        &identity->host_id, &identity->custom_identifier, &identity->host_name,
        &identity->roles,   &identity->service,           &identity->prefix,
    };
    const char *at = identity->text.ptr ? identity->text.ptr : "";

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        fields[i]->ptr = at;
        at += fields[i]->len;
    }
}

static void make_host(struct identity *identity, const struct traits *traits,
                      size_t *begin)
{
    struct buffer *text = &identity->text;

    buffer_append(text, traits_get(traits, TRAIT_MACKEREL_HOST_ID));
    end_field(identity, &identity->host_id, begin);
    append_custom_identifier(text, traits);
    end_field(identity, &identity->custom_identifier, begin);
    buffer_append(text, host_name(traits));
    end_field(identity, &identity->host_name, begin);
    roles_append(text, traits_get(traits, TRAIT_MACKEREL_ROLES));
    end_field(identity, &identity->roles, begin);
    identity->has_host = identity->host_id.len || identity->custom_identifier.len ||
                         identity->host_name.len;
}

static void make_service(struct identity *identity, const struct traits *traits,
                         struct slice default_service, size_t *begin)
{
    struct buffer *text = &identity->text;
    struct slice named = named_service(traits), name = traits_service_name(traits);
    struct slice service = traits_either(named, default_service);

    identity->names_service = named.len != 0;
    identity->has_service = service.len != 0;
    if (service.len)
        name_append_service(text, service);
    end_field(identity, &identity->service, begin);
    if (name.len && !slice_equal(name, service))
        append_prefix(text, name);
    end_field(identity, &identity->prefix, begin);
}

/* Different texts may become the same name: then the prefix would only repeat the service. */
static void drop_equal_prefix(struct identity *identity)
{
    if (slice_equal(identity->prefix, identity->service))
        identity->prefix.len = 0;
}

void identity_init(struct identity *identity, const struct otlp_resource *resource,
                   struct slice default_service)
{
    struct traits traits;
    size_t begin = 0;

    *identity = (struct identity){0};
    traits_init(&traits, resource);
    make_host(identity, &traits, &begin);
    make_service(identity, &traits, default_service, &begin);
    identity->is_sdk = traits.has[TRAIT_SDK_LANGUAGE];
    identity->platform = (uint8_t)read_platform(&traits);
    settle(identity);
    drop_equal_prefix(identity);
    traits_release(&traits);
}

void identity_append_prefix(const struct otlp_resource *resource, struct slice service,
                            struct buffer *out)
{
    struct traits traits;
    struct slice name;
    size_t begin = out->len;

    traits_init(&traits, resource);
    name = traits_service_name(&traits);
    if (name.len && !slice_equal(name, service))
        append_prefix(out, name);
    if (out->len > begin &&
        slice_equal((struct slice){out->ptr + begin, out->len - begin}, service))
        out->len = begin;
    traits_release(&traits);
}

void identity_set_default(struct identity *identity, struct slice default_service)
{
    size_t begin;

    if (identity->names_service)
        return;
    /* Service and prefix lie behind the host's fields; without a service.name there is no prefix. */
    begin = identity->host_id.len + identity->custom_identifier.len +
            identity->host_name.len + identity->roles.len;
    identity->text.len = begin;
    identity->has_service = default_service.len != 0;
    if (default_service.len)
        name_append_service(&identity->text, default_service);
    end_field(identity, &identity->service, &begin);
    identity->prefix.len = 0;
    settle(identity);
}

void identity_release(struct identity *identity)
{
    buffer_release(&identity->text);
    *identity = (struct identity){0};
}

/* ---- families ----------------------------------------------------------------------------- */

static bool has_prefix_of(struct slice name, const char *const *prefixes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slice_starts_with(name, prefixes[i]))
            return true;
    return false;
}

bool identity_is_host_family(struct slice metric_name)
{
    static const char *const prefixes[] = {"system.", "k8s.node.", "hw."};

    return has_prefix_of(metric_name, prefixes, sizeof(prefixes) / sizeof(prefixes[0]));
}

bool identity_is_since_boot_family(struct slice metric_name)
{
    static const char *const prefixes[] = {"system.", "process.", "container.", "k8s.",
                                           "hw."};

    return has_prefix_of(metric_name, prefixes, sizeof(prefixes) / sizeof(prefixes[0]));
}
