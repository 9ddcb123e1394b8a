/*
 * What is set about native metrics (hosts.* in the configuration), as one text for journal and
 * checkpoint, and ready for use. The settings are mackerel-agent's: [interfaces], [disks] and
 * [filesystems] ignore and use_mountpoint; and names for devices that senders call otherwise.
 */
#ifndef PIPELINE_NATIVE_POLICY_H
#define PIPELINE_NATIVE_POLICY_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "pipeline/native_group.h"
#include "pipeline/pattern.h"

#include <stdbool.h>
#include <stddef.h>

/* As configured. Texts without line ends; regular expressions may be "" or NULL. */
struct native_settings {
    const char *interfaces_ignore, *disks_ignore, *filesystems_ignore;
    bool by_mountpoint; /* filesystems are named by their mountpoint */
    bool node_network;  /* k8s.node.network.io feeds interface.* */
    bool node_memory;   /* k8s.node.memory.* feeds memory.* where nothing else does */
    const char *const *renames; /* "device=name" */
    size_t rename_count;
};

void native_policy_write(const struct native_settings *settings, struct buffer *text);

/* Is that a regular expression that `ignore` takes? */
bool native_policy_check(struct slice regex, struct error *err) MUST_CHECK;

struct native_rename {
    struct slice device, name;
};

/* Zeroed is a policy too: that of an empty text, but for the kubelet's network. */
struct native_policy {
    struct arena *arena; /* holds the rest */
    struct pattern_run *run;
    struct pattern
        ignored[NATIVE_FILESYSTEM + 1]; /* by group; an empty one ignores nothing */
    const struct native_rename *renames;
    size_t rename_count;
    bool by_mountpoint, node_network, node_memory;
};

/* Of a text by native_policy_write(); lines that say nothing, or nothing sound, are passed over. An
 * empty one (NULL too) is that of the defaults. */
void native_policy_read(struct native_policy *policy, const char *text);
void native_policy_release(struct native_policy *policy);

/* Is the device ignored by what is set for the group? */
bool native_policy_ignores(const struct native_policy *policy, enum native_group group,
                           struct slice device);

/* The name that is set for the device; empty for none. */
struct slice native_policy_rename(const struct native_policy *policy,
                                  struct slice device);

#endif
