#include "pipeline/identity.h"

#include "pipeline/name.h"

/* ---- what the resource says --------------------------------------------------------------- */

enum key {
    HOST_ID_OVERRIDE,
    CUSTOM_IDENTIFIER_OVERRIDE,
    SERVICE_OVERRIDE,
    ROLES,
    CLOUD_PROVIDER,
    CLOUD_PLATFORM,
    HOST_ID,
    HOST_NAME,
    NODE_UID,
    NODE_NAME,
    CLUSTER_UID,
    CLUSTER_NAME,
    SERVICE_NAMESPACE,
    SERVICE_NAME,
    SDK_LANGUAGE,
    KEY_LAST = SDK_LANGUAGE,
};

static const char *const keys[KEY_LAST + 1] = {
    [HOST_ID_OVERRIDE] = "mackerel.host.id",
    [CUSTOM_IDENTIFIER_OVERRIDE] = "mackerel.host.custom_identifier",
    [SERVICE_OVERRIDE] = "mackerel.service",
    [ROLES] = "mackerel.roles",
    [CLOUD_PROVIDER] = "cloud.provider",
    [CLOUD_PLATFORM] = "cloud.platform",
    [HOST_ID] = "host.id",
    [HOST_NAME] = "host.name",
    [NODE_UID] = "k8s.node.uid",
    [NODE_NAME] = "k8s.node.name",
    [CLUSTER_UID] = "k8s.cluster.uid",
    [CLUSTER_NAME] = "k8s.cluster.name",
    [SERVICE_NAMESPACE] = "service.namespace",
    [SERVICE_NAME] = "service.name",
    [SDK_LANGUAGE] = "telemetry.sdk.language",
};

/* The attributes' values as text, one after the other; of duplicates the last wins. */
struct facts {
    struct buffer text;
    size_t begin[KEY_LAST + 1], len[KEY_LAST + 1];
    bool has[KEY_LAST + 1];
};

static void note(struct facts *facts, const struct otlp_attribute *attribute)
{
    for (size_t key = 0; key <= KEY_LAST; key++) {
        if (!slice_is(attribute->key, keys[key]))
            continue;
        facts->has[key] = true;
        facts->begin[key] = facts->text.len;
        otlp_attribute_text(attribute, &facts->text);
        facts->len[key] = facts->text.len - facts->begin[key];
    }
}

static void collect(struct facts *facts, const struct otlp_resource *resource)
{
    struct otlp_attributes walk = otlp_resource_attributes(resource);
    struct otlp_attribute attribute;

    while (otlp_attributes_next(&walk, &attribute))
        note(facts, &attribute);
}

/* The text of the key; empty where there is none. */
static struct slice fact(const struct facts *facts, enum key key)
{
    if (facts->len[key] == 0)
        return (struct slice)SLICE("");
    return (struct slice){facts->text.ptr + facts->begin[key], facts->len[key]};
}

static struct slice either(struct slice first, struct slice second)
{
    return first.len ? first : second;
}

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

static bool append_cloud_instance(struct buffer *out, const struct facts *facts)
{
    struct slice id = fact(facts, HOST_ID), platform = fact(facts, CLOUD_PLATFORM);

    for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
        const char *const *platforms = clouds[i].platforms;

        if (id.len == 0 || !slice_is(fact(facts, CLOUD_PROVIDER), clouds[i].provider) ||
            (platforms[0] && !slice_is(platform, platforms[0]) &&
             !slice_is(platform, platforms[1])) ||
            !slice_starts_with(id, clouds[i].prefix) ||
            (clouds[i].is_number && !is_digits(id)))
            continue;
        buffer_append(out, id);
        buffer_append_text(out, clouds[i].suffix);
        return true;
    }
    return false;
}

static bool append_node(struct buffer *out, const struct facts *facts)
{
    struct slice uid = fact(facts, NODE_UID), name = fact(facts, NODE_NAME);
    struct slice cluster = either(fact(facts, CLUSTER_UID), fact(facts, CLUSTER_NAME));

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

static void append_custom_identifier(struct buffer *out, const struct facts *facts)
{
    struct slice override = fact(facts, CUSTOM_IDENTIFIER_OVERRIDE);

    if (override.len)
        buffer_append(out, override);
    else if (!append_cloud_instance(out, facts) && !append_node(out, facts))
        buffer_append(out, fact(facts, HOST_ID));
}

/* Keeps what a comma-separated list of service:role may hold; so arrays of them work too. */
static void append_roles(struct buffer *out, struct slice roles)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-:,";

    for (size_t i = 0; i < roles.len; i++)
        if (memchr(allowed, roles.ptr[i], sizeof(allowed) - 1))
            buffer_append_char(out, roles.ptr[i]);
}

/* ---- service ------------------------------------------------------------------------------ */

/* SDKs without a configured name send unknown_service or unknown_service:<program>. */
static struct slice service_name(const struct facts *facts)
{
    struct slice name = fact(facts, SERVICE_NAME);

    return slice_starts_with(name, "unknown_service") ? (struct slice)SLICE("") : name;
}

/* What the resource says itself. */
static struct slice named_service(const struct facts *facts)
{
    struct slice named = either(fact(facts, SERVICE_NAMESPACE), service_name(facts));

    return either(fact(facts, SERVICE_OVERRIDE), named);
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

static void make_host(struct identity *identity, const struct facts *facts, size_t *begin)
{
    struct buffer *text = &identity->text;

    buffer_append(text, fact(facts, HOST_ID_OVERRIDE));
    end_field(identity, &identity->host_id, begin);
    append_custom_identifier(text, facts);
    end_field(identity, &identity->custom_identifier, begin);
    buffer_append(text, either(fact(facts, NODE_NAME), fact(facts, HOST_NAME)));
    end_field(identity, &identity->host_name, begin);
    append_roles(text, fact(facts, ROLES));
    end_field(identity, &identity->roles, begin);
    identity->has_host = identity->host_id.len || identity->custom_identifier.len ||
                         identity->host_name.len;
}

static void make_service(struct identity *identity, const struct facts *facts,
                         struct slice default_service, size_t *begin)
{
    struct buffer *text = &identity->text;
    struct slice named = named_service(facts), name = service_name(facts);
    struct slice service = either(named, default_service);

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
    struct facts facts = {0};
    size_t begin = 0;

    *identity = (struct identity){0};
    collect(&facts, resource);
    make_host(identity, &facts, &begin);
    make_service(identity, &facts, default_service, &begin);
    identity->is_sdk = facts.has[SDK_LANGUAGE];
    settle(identity);
    drop_equal_prefix(identity);
    buffer_release(&facts.text);
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
