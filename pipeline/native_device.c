#include "pipeline/native_device.h"

#include "pipeline/name.h"
#include "pipeline/native_table.h"

bool native_device_mount(struct otlp_attributes walk, struct otlp_attribute *mount)
{
    return otlp_attributes_find(walk, "mountpoint", mount) ||
           otlp_attributes_find(walk, "system.filesystem.mountpoint", mount);
}

/* ---- names -------------------------------------------------------------------------------- */

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

/* `C` of `C:` and `C:\`; empty for what is no drive. */
static struct slice letter_of(struct slice raw)
{
    bool is_drive = raw.len >= 2 && raw.ptr[1] == ':' &&
                    (raw.len == 2 || (raw.len == 3 && raw.ptr[2] == '\\'));

    return (struct slice){raw.ptr, is_drive ? 1 : 0};
}

/* What the device is called before its characters are made to fit; empty when it is left out. */
static struct slice name_of(const struct native_device_rule *rule, struct slice raw)
{
    size_t prefix = strlen(rule->prefix);

    if (rule->naming == NATIVE_BY_LETTER)
        return letter_of(raw);
    if (!slice_starts_with(raw, rule->prefix))
        return (struct slice)SLICE("");
    return (struct slice){raw.ptr + prefix, raw.len - prefix};
}

/* ---- filesystems -------------------------------------------------------------------------- */

static bool mount_is(struct slice mount, const char *text)
{
    return mount.len && memmem(mount.ptr, mount.len, text, strlen(text));
}

/* Layers of Docker's devicemapper driver; what macOS mounts for the user, and its swap. */
static bool is_left_out(const struct native_question *question, struct slice device,
                        struct otlp_attributes walk)
{
    struct otlp_attribute mount;

    if (!native_device_mount(walk, &mount) || mount.kind != OTLP_VALUE_STRING)
        return false;
    if (question->platform == NATIVE_DARWIN)
        return slice_starts_with(mount.text, "/Volumes/") ||
               slice_is(mount.text, "/private/var/vm");
    return slice_starts_with(device, "dm-") && mount_is(mount.text, "devicemapper/mnt");
}

/* ---- devices ------------------------------------------------------------------------------ */

static void append_raw(enum native_group group, struct otlp_attributes walk,
                       struct buffer *raw)
{
    struct otlp_attribute attribute;

    for (const char *const *keys = native_unit_keys(group); *keys && !raw->len; keys++)
        if (otlp_attributes_find(walk, *keys, &attribute))
            otlp_attribute_text(&attribute, raw);
}

/* As mackerel-agent does: interfaces and disks by the name that they are posted under, filesystems,
 * and everything on Windows, by what the system calls them. */
static bool is_set_to_be_ignored(const struct native_question *question,
                                 enum native_group group, struct slice raw,
                                 struct slice name)
{
    bool by_raw = question->platform == NATIVE_WINDOWS || group == NATIVE_FILESYSTEM;
    struct buffer plain = {0};

    if (by_raw)
        return native_policy_ignores(question->policy, group, raw);
    name_append_plain(&plain, name);

    bool is_ignored = native_policy_ignores(question->policy, group,
                                            buffer_slice(&plain));

    buffer_release(&plain);
    return is_ignored;
}

/* By the mountpoint where that is set and there is one. */
static void append_mount(const struct native_question *question,
                         struct otlp_attributes walk, struct buffer *name,
                         struct native_input *input)
{
    struct otlp_attribute mount;

    if (input->group != NATIVE_FILESYSTEM || question->platform == NATIVE_WINDOWS ||
        !question->policy->by_mountpoint || !native_device_mount(walk, &mount))
        return;
    otlp_attribute_text(&mount, name);
    input->is_by_mount = name->len != 0;
}

/* What is posted of the name: as it is set, by the mountpoint, or as it is. */
static void append_name(const struct native_question *question,
                        struct otlp_attributes walk, struct slice name,
                        struct buffer *text, struct native_input *input)
{
    struct slice renamed = native_policy_rename(question->policy, name);
    struct buffer mount = {0};
    size_t begin = text->len;

    append_mount(question, walk, &mount, input);
    if (mount.len)
        renamed = buffer_slice(&mount);
    name_append_plain(text, renamed.len ? renamed : name);
    input->device = (struct slice){text->ptr + begin, text->len - begin};
    buffer_release(&mount);
}

static bool name_device(const struct native_question *question,
                        struct otlp_attributes walk, struct slice raw,
                        struct buffer *text, struct native_input *input)
{
    const struct native_device_rule *rule = native_device_rule(question->platform,
                                                               input->group);
    struct slice name = name_of(rule, raw);

    if (name.len == 0 || is_ignored(rule, name) ||
        is_set_to_be_ignored(question, input->group, raw, name) ||
        (input->group == NATIVE_FILESYSTEM && is_left_out(question, name, walk)))
        return false;
    append_name(question, walk, name, text, input);
    return true;
}

bool native_device_read(const struct native_question *question,
                        struct otlp_attributes walk, struct buffer *text,
                        struct native_input *input, enum reason *why)
{
    struct buffer raw = {0};

    append_raw(input->group, walk, &raw);
    *why = raw.len ? REASON_FILTERED_DEVICE : REASON_NO_DEVICE;

    bool is_posted = raw.len &&
                     name_device(question, walk, buffer_slice(&raw), text, input);

    buffer_release(&raw);
    return is_posted;
}
