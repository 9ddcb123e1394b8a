#include "app/config.h"
#include "app/config_rules.h"
#include "app/config_value.h"
#include "base/memory.h"
#include "base/suggest.h"
#include "base/yaml.h"
#include "pipeline/native_policy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct loading {
    struct config *config;
    struct problems *problems;
    const char *source;
    struct yaml_tree *tree; /* being read */
    char *(*environment)(const char *name);
};

static struct place place_of(const struct loading *loading, const struct yaml_node *node)
{
    return (struct place){loading->source, node->line, node->column};
}

/* ---- unknown keys ------------------------------------------------------------------------- */

/* The known path nearest to the unknown one, if it is near at all. */
static const char *nearest(struct slice path)
{
    const char *best = NULL;
    size_t best_distance = 1 + path.len / 3;

    for (size_t i = 0; i < config_key_count; i++) {
        size_t distance = suggest_distance(path, slice_of(config_keys[i].path));

        if (distance <= best_distance) {
            best_distance = distance;
            best = config_keys[i].path;
        }
    }
    return best;
}

static bool is_section(struct slice path)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strlen(config_keys[i].path) > path.len &&
            config_keys[i].path[path.len] == '.' &&
            memcmp(config_keys[i].path, path.ptr, path.len) == 0)
            return true;
    return false;
}

/* Prefers the section if it is nearer than what was the nearest so far. */
static void prefer(struct slice path, struct slice section, struct slice *best,
                   size_t *best_distance)
{
    size_t distance = suggest_distance(path, section);

    if (distance > *best_distance)
        return;
    *best_distance = distance;
    *best = section;
}

/* The known section nearest to the unknown one: prefixes of known paths are tried as well. */
static struct slice nearest_section(struct slice path)
{
    struct slice best = {0};
    size_t best_distance = 1 + path.len / 3;

    for (size_t i = 0; i < config_key_count; i++) {
        const char *known = config_keys[i].path;

        for (const char *dot = strchr(known, '.'); dot; dot = strchr(dot + 1, '.'))
            prefer(path, (struct slice){known, (size_t)(dot - known)}, &best,
                   &best_distance);
    }
    return best;
}

static void report_unknown(struct problems *problems, struct place place,
                           struct slice path, bool is_map)
{
    const char *key = is_map ? NULL : nearest(path);
    struct slice guess = key ? slice_of(key) : nearest_section(path);

    if (guess.len)
        problems_add(problems, place, "unknown key '%.*s', did you mean '%.*s'?",
                     SLICE_ARG(path), SLICE_ARG(guess));
    else
        problems_add(problems, place, "unknown key '%.*s'", SLICE_ARG(path));
}

/* ---- the tree ------------------------------------------------------------------------------ */

static void set_scalar(struct loading *loading, const struct config_key *key,
                       const struct yaml_node *node, bool append)
{
    struct buffer text = {0};
    struct place place = place_of(loading, node);

    struct config_expansion expansion = {loading->environment, place, loading->problems};

    if (config_value_expand(&expansion, node->text, &text)) {
        struct slice value = text.len ? buffer_slice(&text) : (struct slice)SLICE("");

        if (append && config_value_is_choice(key, value, place, loading->problems))
            config_value_append(loading->config, key, value);
        else if (append)
            ; /* said */
        else
            config_value_set(loading->config, key, value, place, loading->problems);
    }
    buffer_release(&text);
}

static void set_list(struct loading *loading, const struct config_key *key,
                     const struct yaml_node *node)
{
    config_value_clear_list(loading->config, key);
    for (const struct yaml_node *item = node->first; item; item = item->next) {
        if (item->kind == YAML_SCALAR)
            set_scalar(loading, key, item, true);
        else
            problems_add(loading->problems, place_of(loading, item),
                         "%s: items must be texts", key->path);
    }
}

static void set_rules(struct loading *loading, const struct config_key *key,
                      const struct yaml_node *node)
{
    config_rules_set(
        loading->config, key,
        &(struct config_rules_source){
            loading->tree,
            node,
            {loading->environment, place_of(loading, node), loading->problems},
        });
}

static void set_member(struct loading *loading, const struct config_key *key,
                       const struct yaml_node *member)
{
    struct buffer text = {0};
    struct config_expansion expansion = {loading->environment, place_of(loading, member),
                                         loading->problems};

    buffer_append(&text, member->key->text);
    buffer_append_char(&text, '=');
    if (config_value_expand(&expansion, member->text, &text))
        config_value_append(loading->config, key, buffer_slice(&text));
    buffer_release(&text);
}

static void set_map(struct loading *loading, const struct config_key *key,
                    const struct yaml_node *node)
{
    config_value_clear_list(loading->config, key);
    for (const struct yaml_node *member = node->first; member; member = member->next) {
        if (member->kind == YAML_SCALAR)
            set_member(loading, key, member);
        else
            problems_add(loading->problems, place_of(loading, member),
                         "%s: values must be texts", key->path);
    }
}

static void set_key(struct loading *loading, const struct config_key *key,
                    const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR && yaml_is_null(node))
        return;
    if (key->type == CONFIG_LIST && node->kind == YAML_LIST)
        set_list(loading, key, node);
    else if (key->type == CONFIG_MAP && node->kind == YAML_MAP)
        set_map(loading, key, node);
    else if (key->type == CONFIG_RULES && node->kind == YAML_LIST)
        set_rules(loading, key, node);
    else if (key->type < CONFIG_LIST && node->kind == YAML_SCALAR)
        set_scalar(loading, key, node, false);
    else
        problems_add(loading->problems, place_of(loading, node), "%s: must be a %s",
                     key->path, config_type_name(key->type));
}

static void load_map(struct loading *loading, const struct yaml_node *map,
                     struct slice prefix);

static void load_member(struct loading *loading, const struct yaml_node *member,
                        struct slice prefix)
{
    struct buffer path = {0};

    buffer_append(&path, prefix);
    if (prefix.len)
        buffer_append_char(&path, '.');
    buffer_append(&path, member->key->text);

    const struct config_key *key = config_find(buffer_slice(&path));

    if (key)
        set_key(loading, key, member);
    else if (!is_section(buffer_slice(&path)))
        report_unknown(loading->problems, place_of(loading, member->key),
                       buffer_slice(&path), member->kind == YAML_MAP);
    else if (member->kind == YAML_MAP)
        load_map(loading, member, buffer_slice(&path));
    else if (!(member->kind == YAML_SCALAR && yaml_is_null(member)))
        problems_add(loading->problems, place_of(loading, member),
                     "%.*s: must be a section", SLICE_ARG(path));
    buffer_release(&path);
}

/* Recursion is bounded by YAML_MAX_DEPTH. */
static void load_map(struct loading *loading, const struct yaml_node *map,
                     struct slice prefix)
{
    for (const struct yaml_node *member = map->first; member; member = member->next)
        load_member(loading, member, prefix);
}

static void load_text(struct loading *loading, struct slice text)
{
    struct error err = {0};
    struct yaml_tree *tree = yaml_tree_parse(text, loading->source, &err);

    if (!tree) {
        buffer_printf(&loading->problems->text, "%s\n", err.text);
        loading->problems->count++;
        return;
    }

    const struct yaml_node *root = yaml_tree_root(tree);

    loading->tree = tree;

    if (root && root->kind == YAML_MAP)
        load_map(loading, root, (struct slice)SLICE(""));
    else if (root && !yaml_is_null(root))
        problems_add(loading->problems, place_of(loading, root),
                     "must be a map of sections");
    yaml_tree_free(tree);
}

/* ---- sources ------------------------------------------------------------------------------- */

static bool read_stream(FILE *stream, struct buffer *text)
{
    enum {
        CHUNK = 65536
    };

    size_t got;

    while ((got = fread(buffer_reserve(text, CHUNK), 1, CHUNK, stream)) > 0) {
        text->len += got;
        if (text->len > YAML_MAX_BYTES)
            break; /* the parser says what is wrong with it */
    }
    return !ferror(stream);
}

static void load_file(struct loading *loading)
{
    bool is_stdin = strcmp(loading->source, "-") == 0;
    FILE *stream = is_stdin ? stdin : fopen(loading->source, "rb");
    struct buffer text = {0};

    if (!stream || !read_stream(stream, &text))
        problems_add(loading->problems, (struct place){loading->source, 0, 0}, "%s",
                     strerror(errno));
    else
        load_text(loading, text.len ? buffer_slice(&text) : (struct slice)SLICE(""));
    if (stream && !is_stdin)
        fclose(stream);
    buffer_release(&text);
}

static void load_environment_text(struct loading *loading, const char *name)
{
    const char *text = loading->environment(name);

    if (text)
        load_text(loading, slice_of(text));
    else
        problems_add(loading->problems, (struct place){loading->source, 0, 0},
                     "environment variable is not set");
}

static void load_source(struct loading *loading, const char *source)
{
    loading->source = source;
    if (strncmp(source, "env:", 4) == 0)
        load_environment_text(loading, source + 4);
    else
        load_file(loading);
}

/* A value that is no node of a file. */
static void set_text(struct loading *loading, const struct config_key *key,
                     struct slice text, struct place place)
{
    struct config_expansion expansion = {loading->environment, place, loading->problems};

    if (key->type == CONFIG_RULES)
        config_rules_set_text(loading->config, key, text, &expansion);
    else
        config_value_set(loading->config, key, text, place, loading->problems);
}

static void load_set(struct loading *loading, const char *set)
{
    const char *equals = strchr(set, '=');
    struct place place = {"--set", 0, 0};

    if (!equals) {
        problems_add(loading->problems, place, "'%s' is not key=value", set);
        return;
    }

    struct slice path = {set, (size_t)(equals - set)};
    const struct config_key *key = config_find(path);

    if (key)
        set_text(loading, key, slice_of(equals + 1), place);
    else
        report_unknown(loading->problems, place, path, false);
}

static void load_variables(struct loading *loading)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const char *name = config_keys[i].environment, *value = NULL;

        if (name)
            value = loading->environment(name);

        if (value && *value)
            set_text(loading, &config_keys[i], slice_of(value),
                     (struct place){name, 0, 0});
    }
}

static void load_defaults(struct loading *loading)
{
    for (size_t i = 0; i < config_key_count; i++)
        set_text(loading, &config_keys[i], slice_of(config_keys[i].fallback),
                 (struct place){"default", 0, 0});
}

static void check_together(const struct config *config, struct problems *problems)
{
    struct place place = {"mackerel", 0, 0};

    if (*config->apikey && *config->apikey_file)
        problems_add(problems, place, "apikey and apikey_file are both set; give one");
    if (strncmp(config->apibase, "https://", 8) != 0 &&
        strncmp(config->apibase, "http://", 7) != 0)
        problems_add(problems, place, "apibase: '%s' is no http or https URL",
                     config->apibase);
}

/* What the keys about devices say together. */
static char *native_policy_of(const struct config *config)
{
    struct buffer text = {0};

    native_policy_write(
        &(struct native_settings){
            .interfaces_ignore = config->interfaces_ignore,
            .disks_ignore = config->disks_ignore,
            .filesystems_ignore = config->filesystems_ignore,
            .by_mountpoint = strcmp(config->filesystems_name, "mountpoint") == 0,
            .node_network = config->kubelet_network,
            .node_memory = config->kubelet_memory,
            .renames = (const char *const *)config->devices_rename.items,
            .rename_count = config->devices_rename.count,
        },
        &text);
    buffer_append_char(&text, '\0');
    return text.ptr;
}

void config_load(struct config *config, const struct config_sources *sources,
                 struct problems *problems)
{
    struct loading loading = {
        .config = config,
        .problems = problems,
        .environment = sources->environment ? sources->environment : getenv,
    };

    *config = (struct config){0};
    load_defaults(&loading);
    load_variables(&loading);
    if (sources->file_count == 0 && loading.environment("MACKEREL_GATEWAY_CONFIG"))
        load_source(&loading, "env:MACKEREL_GATEWAY_CONFIG");
    for (size_t i = 0; i < sources->file_count; i++)
        load_source(&loading, sources->files[i]);
    for (size_t i = 0; i < sources->set_count; i++)
        load_set(&loading, sources->sets[i]);
    check_together(config, problems);
    config_rules_join(config, problems);
    config->native_policy = native_policy_of(config);
}

void config_release(struct config *config)
{
    for (size_t i = 0; i < config_key_count; i++)
        config_value_release(config, &config_keys[i]);
    free(config->rules_in_force);
    free(config->native_policy);
    *config = (struct config){0};
}
