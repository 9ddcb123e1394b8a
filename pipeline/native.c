#include "pipeline/native.h"

#include "base/hash.h"
#include "pipeline/name.h"
#include "pipeline/native_table.h"

static const char *const mount_keys[] = {"mountpoint", "system.filesystem.mountpoint",
                                         NULL};

/* ---- attributes --------------------------------------------------------------------------- */

/* The value of the first of the keys that the point has. */
static bool find(struct otlp_attributes walk, const char *const *keys,
                 struct otlp_attribute *attribute)
{
    for (; *keys; keys++)
        if (otlp_attributes_find(walk, *keys, attribute))
            return true;
    return false;
}

static bool choose(const struct native_selector *selector, struct otlp_attributes walk,
                   uint8_t *component)
{
    struct otlp_attribute attribute;
    const struct native_choice *choice = selector->choices;

    if (!find(walk, selector->keys, &attribute))
        return false;
    *component = selector->other;
    if (attribute.kind != OTLP_VALUE_STRING)
        return selector->has_other;
    while (choice->value && !slice_is(attribute.text, choice->value))
        choice++;
    if (choice->value)
        *component = choice->component;
    return choice->value || selector->has_other;
}

/* ---- devices ------------------------------------------------------------------------------ */

/* A pattern is a name; an ending `*` stands for any rest. */
static bool matches(struct slice name, const char *pattern)
{
    size_t len = strlen(pattern);

    if (len == 0 || pattern[len - 1] != '*')
        return slice_is(name, pattern);
    return name.len >= len - 1 && memcmp(name.ptr, pattern, len - 1) == 0;
}

static bool is_ignored(const struct native_device_rule *rule, struct slice name)
{
    for (size_t i = 0; i < sizeof(rule->ignored) / sizeof(rule->ignored[0]); i++)
        if (rule->ignored[i] && matches(name, rule->ignored[i]))
            return true;
    return false;
}

/* Names the device in `text`; false when it is left out. */
static bool name_device(const struct native_device_rule *rule, struct slice raw,
                        struct buffer *text, struct slice *device)
{
    size_t begin = text->len, prefix = strlen(rule->prefix);

    if (!slice_starts_with(raw, rule->prefix) || raw.len == prefix)
        return false;

    struct slice rest = {raw.ptr + prefix, raw.len - prefix};

    if (is_ignored(rule, rest))
        return false;
    name_append_plain(text, rest);
    *device = (struct slice){text->ptr + begin, text->len - begin};
    return true;
}

/* False, with the reason, when the point has no device or one that is left out. */
static bool read_device(const struct native_device_rule *rule,
                        struct otlp_attributes walk, struct buffer *text,
                        struct native_input *input, enum reason *why)
{
    struct buffer raw = {0};
    struct otlp_attribute attribute;

    if (find(walk, rule->keys, &attribute))
        otlp_attribute_text(&attribute, &raw);
    *why = raw.len ? REASON_FILTERED_DEVICE : REASON_NO_DEVICE;

    bool is_posted = raw.len &&
                     name_device(rule, buffer_slice(&raw), text, &input->device);

    buffer_release(&raw);
    return is_posted;
}

/* Layers of Docker's devicemapper driver, which mackerel-agent leaves out too. */
static bool is_docker_layer(struct slice device, struct otlp_attributes walk)
{
    static const char layers[] = "devicemapper/mnt";
    struct otlp_attribute mount;

    return slice_starts_with(device, "dm-") && find(walk, mount_keys, &mount) &&
           mount.kind == OTLP_VALUE_STRING && mount.text.len &&
           memmem(mount.text.ptr, mount.text.len, layers, sizeof(layers) - 1);
}

/* ---- ranks -------------------------------------------------------------------------------- */

enum {
    RANK_LENGTH_BITS = 16,
    RANK_HASH_BITS = 64 - RANK_LENGTH_BITS
};

/* Appends the attribute's text, lets `text` shrink back and returns the text's hash. */
static struct hash128 hash_text(const struct otlp_attribute *attribute,
                                struct buffer *text, size_t *len)
{
    size_t begin = text->len;

    otlp_attribute_text(attribute, text);
    *len = text->len - begin;
    text->len = begin;
    return hash_bytes((struct slice){*len ? text->ptr + begin : "", *len}, 0);
}

/* Mounts nearer to the root rank lower; among those of one length the text's hash decides. */
static uint64_t rank_of_mount(struct otlp_attributes walk, struct buffer *text)
{
    static const char *const keys[] = {"mountpoint", "system.filesystem.mountpoint",
                                       NULL};
    struct otlp_attribute attribute;
    size_t len;

    if (!find(walk, keys, &attribute))
        return 0;

    uint64_t hash = hash_text(&attribute, text, &len).low >> RANK_LENGTH_BITS;
    uint64_t length = len < UINT16_MAX ? len : UINT16_MAX;

    return length << RANK_HASH_BITS | hash;
}

/* Tells cpus apart, whether they are numbered by integers or by texts. */
static uint64_t rank_of_cpu(struct otlp_attributes walk, struct buffer *text)
{
    static const char *const keys[] = {"cpu", "cpu.logical_number",
                                       "system.cpu.logical_number", NULL};
    struct otlp_attribute attribute;
    size_t len;

    if (!find(walk, keys, &attribute))
        return 0;

    uint64_t hash = hash_text(&attribute, text, &len).low;

    return hash ? hash : 1;
}

static uint64_t rank_of(enum native_group group, struct otlp_attributes walk,
                        struct buffer *text)
{
    if (group == NATIVE_CPU)
        return rank_of_cpu(walk, text);
    return group == NATIVE_FILESYSTEM ? rank_of_mount(walk, text) : 0;
}

/* ---- verdict ------------------------------------------------------------------------------ */

bool native_knows(struct slice metric_name)
{
    return native_find(metric_name) != NULL;
}

enum native_verdict native_classify(const struct otlp_metric *metric,
                                    const struct otlp_point *point, struct buffer *text,
                                    struct native_input *input, enum reason *why)
{
    const struct native_row *row = native_find(metric->name);

    if (!row || (metric->kind != OTLP_GAUGE && metric->kind != OTLP_SUM))
        return NATIVE_NOT;

    struct otlp_attributes walk = otlp_point_attributes(point,
                                                        (enum otlp_kind)metric->kind);

    *input = (struct native_input){
        .group = row->group,
        .component = row->component,
        .is_total = row->is_total,
    };
    *why = REASON_NATIVE_ALTERNATIVE;
    if (row->selector && !choose(row->selector, walk, &input->component))
        return NATIVE_SKIP;
    input->rank = rank_of(row->group, walk, text);

    const struct native_device_rule *devices = native_device_rule(row->group);

    if (devices->keys[0] && !read_device(devices, walk, text, input, why))
        return NATIVE_SKIP;
    *why = REASON_FILTERED_DEVICE;
    return row->group == NATIVE_FILESYSTEM && is_docker_layer(input->device, walk)
               ? NATIVE_SKIP
               : NATIVE_TAKEN;
}
