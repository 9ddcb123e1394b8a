/*
 * The configuration. One table (config_table.c) describes every key: path, type, default, range and
 * help; it drives loading, `validate`, `--set`, `config schema`, `config print` and
 * docs/configuration.md, so that they cannot drift apart.
 *
 * Sources, the later wins: defaults, environment, files (or MACKEREL_GATEWAY_CONFIG when there is no
 * --config), --set. All problems are reported at once, each with its place.
 */
#ifndef APP_CONFIG_H
#define APP_CONFIG_H

#include "app/problems.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config_list {
    char **items;
    size_t count;
};

/* Texts are never NULL; an empty one means not set. */
struct config {
    char *apikey, *apikey_file, *apibase, *ca_file;
    char *grpc_endpoint, *http_endpoint;
    uint64_t max_recv_msg_size, max_request_body_size; /* bytes */
    uint64_t memory_limit;                             /* bytes; 0: from the machine */
    char *admin_endpoint, *admin_socket;
    char *state_directory;
    char *durability; /* "": by what the directory allows */
    uint64_t journal_max_size;
    uint64_t outbox_max_size; /* bytes; 0: by where it lives */
    uint64_t grace_ns, lateness_ns, spread_ns;
    char *hosts_create, *native_metrics;
    struct config_list hosts_listed;
    char *interfaces_ignore, *disks_ignore, *filesystems_ignore;
    char *filesystems_name;
    struct config_list devices_rename; /* "device=name" */
    bool kubelet_network, kubelet_memory;
    char *native_policy; /* what these say (pipeline/native_policy.h) */
    char *containers_mode;
    bool graph_definitions;
    bool services_create;
    char *services_default;
    uint64_t host_metrics, service_metrics, all_service_metrics, hosts, attribute_values;
    char *budgets_policy;
    char *rules; /* the user's, as canonical text */
    struct config_list packs;
    char *rules_in_force; /* both; made when all is loaded */
    char *log_level, *log_format;
};

enum config_type {
    CONFIG_TEXT,
    CONFIG_SECRET,
    CONFIG_BOOL,
    CONFIG_SIZE,     /* bytes: 64MiB, 1GB, 4096 */
    CONFIG_DURATION, /* nanoseconds: 15s, 5m, 1h30m, 500ms */
    CONFIG_COUNT,    /* how many: 200 */
    CONFIG_ENDPOINT, /* host:port */
    CONFIG_CHOICE,
    CONFIG_REGEX, /* a regular expression in one line */
    CONFIG_LIST,  /* of texts; of choices where the key has some */
    CONFIG_RULES, /* app/config_rules.h */
    CONFIG_MAP,   /* of texts to texts: a list of key=value */
};

enum {
    CONFIG_CHOICES = 4
};

struct config_key {
    const char *path; /* with dots */
    enum config_type type;
    size_t offset; /* of the field in struct config */
    const char *fallback;
    const char *choices[CONFIG_CHOICES]; /* CONFIG_CHOICE */
    uint64_t min, max;                   /* sizes, durations, counts */
    const char *environment;             /* variable that sets it, or NULL */
    const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The key of that path; NULL when there is none. */
const struct config_key *config_find(struct slice path);

struct config_sources {
    const char *const *files; /* paths, env:NAME or - for standard input */
    size_t file_count;
    const char *const *sets; /* key=value */
    size_t set_count;
    char *(*environment)(const char *name); /* NULL: getenv */
};

/* Fills the config; problems say what is wrong. Release it in any case. */
void config_load(struct config *config, const struct config_sources *sources,
                 struct problems *problems);
void config_release(struct config *config);

#endif
