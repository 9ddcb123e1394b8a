#include "pipeline/native_policy.h"

#include <string.h>

static const char MOUNTPOINT[] = "filesystems.mountpoint";
static const char NO_NODE_NETWORK[] = "kubelet.no-network";
static const char NODE_MEMORY[] = "kubelet.memory";
static const char RENAME[] = "rename";

static const struct {
    const char *name;
    enum native_group group;
} ignores[] = {
    {"interfaces.ignore", NATIVE_NETWORK},
    {"disks.ignore", NATIVE_DISK},
    {"filesystems.ignore", NATIVE_FILESYSTEM},
};

/* ---- writing ------------------------------------------------------------------------------ */

static void put(struct buffer *text, const char *name, const char *value)
{
    if (value && *value)
        buffer_printf(text, "%s %s\n", name, value);
}

void native_policy_write(const struct native_settings *settings, struct buffer *text)
{
    const char *const regexes[] = {settings->interfaces_ignore, settings->disks_ignore,
                                   settings->filesystems_ignore};

    for (size_t i = 0; i < sizeof(ignores) / sizeof(ignores[0]); i++)
        put(text, ignores[i].name, regexes[i]);
    put(text, MOUNTPOINT, settings->by_mountpoint ? "yes" : "");
    put(text, NO_NODE_NETWORK, settings->node_network ? "" : "yes");
    put(text, NODE_MEMORY, settings->node_memory ? "yes" : "");
    for (size_t i = 0; i < settings->rename_count; i++)
        put(text, RENAME, settings->renames[i]);
}

/* ---- regular expressions ------------------------------------------------------------------ */

static bool compile(struct pattern *pattern, struct slice regex, struct arena *arena,
                    struct error *err)
{
    struct buffer text = {0};

    buffer_append_char(&text, '/');
    buffer_append(&text, regex);
    buffer_append_char(&text, '/');

    bool ok = pattern_compile(pattern, buffer_slice(&text), arena, err);

    buffer_release(&text);
    return ok;
}

bool native_policy_check(struct slice regex, struct error *err)
{
    struct arena *arena = arena_new();
    struct pattern pattern;
    bool ok;

    if (regex.len && memchr(regex.ptr, '\n', regex.len)) {
        arena_free(arena);
        return FAIL(err, ERROR_INVALID, "must be one line");
    }
    ok = compile(&pattern, regex, arena, err);
    arena_free(arena);
    return ok;
}

/* ---- reading ------------------------------------------------------------------------------ */

static struct slice keep(struct arena *arena, struct slice text)
{
    char *copy = arena_alloc(arena, text.len + 1);

    memcpy(copy, text.ptr, text.len);
    return (struct slice){copy, text.len};
}

static void add_rename(struct native_policy *policy, struct slice value)
{
    const char *equals = memchr(value.ptr, '=', value.len);
    struct native_rename *renames;

    if (!equals)
        return;
    renames = arena_alloc(policy->arena, (policy->rename_count + 1) * sizeof(*renames));
    if (policy->rename_count)
        memcpy(renames, policy->renames, policy->rename_count * sizeof(*renames));
    value = keep(policy->arena, value);

    size_t at = (size_t)((const char *)memchr(value.ptr, '=', value.len) - value.ptr);

    renames[policy->rename_count++] = (struct native_rename){
        .device = {value.ptr, at},
        .name = {value.ptr + at + 1, value.len - at - 1},
    };
    policy->renames = renames;
}

static void read_line(struct native_policy *policy, struct slice name, struct slice value)
{
    struct error err = {0};
    struct pattern pattern;

    for (size_t i = 0; i < sizeof(ignores) / sizeof(ignores[0]); i++)
        if (slice_is(name, ignores[i].name) &&
            compile(&pattern, value, policy->arena, &err))
            policy->ignored[ignores[i].group] = pattern;
    policy->by_mountpoint |= slice_is(name, MOUNTPOINT);
    policy->node_network &= !slice_is(name, NO_NODE_NETWORK);
    policy->node_memory |= slice_is(name, NODE_MEMORY);
    if (slice_is(name, RENAME))
        add_rename(policy, value);
}

void native_policy_read(struct native_policy *policy, const char *text)
{
    native_policy_release(policy);
    policy->node_network = true;
    if (!text || !*text)
        return;
    policy->arena = arena_new();
    policy->run = pattern_run_new();
    while (*text) {
        size_t line = strcspn(text, "\n"), name = strcspn(text, " \n");

        if (name < line)
            read_line(policy, (struct slice){text, name},
                      (struct slice){text + name + 1, line - name - 1});
        text += line + (text[line] == '\n');
    }
}

void native_policy_release(struct native_policy *policy)
{
    if (policy->arena)
        arena_free(policy->arena);
    if (policy->run)
        pattern_run_free(policy->run);
    *policy = (struct native_policy){0};
}

/* ---- use ---------------------------------------------------------------------------------- */

bool native_policy_ignores(const struct native_policy *policy, enum native_group group,
                           struct slice device)
{
    const struct pattern *pattern = &policy->ignored[group];

    return pattern->text.len && pattern_matches(pattern, device, policy->run);
}

struct slice native_policy_rename(const struct native_policy *policy, struct slice device)
{
    for (size_t i = 0; i < policy->rename_count; i++)
        if (slice_equal(device, policy->renames[i].device))
            return policy->renames[i].name;
    return (struct slice)SLICE("");
}
