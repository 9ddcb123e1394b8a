#include "app/config_rules.h"

#include "base/memory.h"
#include "pipeline/pack.h"
#include "pipeline/rule_read.h"
#include "pipeline/rule_text.h"

#include <stdlib.h>

static char **field(struct config *config, const struct config_key *key)
{
    return (char **)(void *)((char *)config + key->offset);
}

static void set_field(struct config *config, const struct config_key *key,
                      struct buffer *text)
{
    char **to = field(config, key);

    free(*to);
    *to = memory_copy(buffer_slice(text));
    buffer_release(text);
}

/* ---- from the user's file ----------------------------------------------------------------- */

/* Keys stay as they are: attributes have dollars, variables do not name attributes. */
static void expand(const struct config_rules_source *source, const struct yaml_node *node)
{
    struct config_expansion expansion = source->expansion;
    struct buffer text = {0};

    for (const struct yaml_node *member = node->first; member; member = member->next)
        expand(source, member);
    if (node->kind != YAML_SCALAR || !memchr(node->text.ptr, '$', node->text.len))
        return;
    expansion.place.line = node->line;
    expansion.place.column = node->column;
    if (config_value_expand(&expansion, node->text, &text))
        yaml_tree_set_text(source->tree, node,
                           text.len ? buffer_slice(&text) : slice_of(""));
    buffer_release(&text);
}

static void add_problem(void *self, const struct yaml_node *at, const char *text)
{
    const struct config_expansion *expansion = self;

    problems_add(expansion->problems,
                 (struct place){expansion->place.source, at->line, at->column},
                 "rules: %s", text);
}

void config_rules_set(struct config *config, const struct config_key *key,
                      const struct config_rules_source *source)
{
    struct config_expansion expansion = source->expansion;
    struct rule_problems problems = {add_problem, &expansion};
    struct buffer text = {0};
    struct rules *rules;

    expand(source, source->node);
    rules = rule_read(source->node, "rules", &problems);
    if (!rules)
        return;
    rules_free(rules);
    rule_text_begin(&text);
    rule_text_add(&text, source->node, "rules");
    rule_text_end(&text);
    set_field(config, key, &text);
}

void config_rules_set_text(struct config *config, const struct config_key *key,
                           struct slice text, const struct config_expansion *expansion)
{
    struct config_rules_source source = {.expansion = *expansion};
    struct error err;

    source.tree = yaml_tree_parse(text, expansion->place.source, &err);
    if (!source.tree) {
        problems_add(expansion->problems, expansion->place, "rules: %s", err.text);
        return;
    }
    source.node = yaml_tree_root(source.tree);
    if (source.node && !yaml_is_null(source.node))
        config_rules_set(config, key, &source);
    yaml_tree_free(source.tree);
}

/* ---- all in force ------------------------------------------------------------------------- */

static bool is_on(const struct config *config, const char *pack)
{
    for (size_t i = 0; i < config->packs.count; i++)
        if (strcmp(config->packs.items[i], pack) == 0)
            return true;
    return false;
}

/* Each part was read alone; all together they may be too many. */
static void check(struct slice text, struct problems *problems)
{
    struct error err;
    struct rules *rules = rule_read_text(text, "rules", &err);

    if (!rules)
        problems_add(problems, (struct place){"rules", 0, 0}, "with the packs: %s",
                     err.text);
    rules_free(rules);
}

void config_rules_join(struct config *config, struct problems *problems)
{
    struct buffer text = {0};
    struct error err;
    struct yaml_tree *tree = yaml_tree_parse(slice_of(config->rules), "rules", &err);

    rule_text_begin(&text);
    if (tree)
        rule_text_add(&text, yaml_tree_root(tree), "rules");
    else
        problems_add(problems, (struct place){"rules", 0, 0}, "%s", err.text);
    yaml_tree_free(tree);
    for (const struct pack *pack = packs; pack->name; pack++)
        if (is_on(config, pack->name) && !rule_text_add_pack(&text, pack->name))
            abort(); /* it is in the table */
    rule_text_end(&text);
    check(buffer_slice(&text), problems);
    free(config->rules_in_force);
    config->rules_in_force = memory_copy(buffer_slice(&text));
    buffer_release(&text);
}

static void print_keys(struct buffer *out, const char *prefix,
                       const struct rule_key *keys)
{
    for (; keys->name; keys++)
        buffer_printf(out, "| `%s%s` | %s | %s |\n", prefix, keys->name, keys->type,
                      keys->help);
}

void config_rules_print_keys(struct buffer *out)
{
    buffer_append_text(out, "| key | type | meaning |\n| --- | --- | --- |\n");
    print_keys(out, "", rule_keys);
    print_keys(out, "match.", rule_match_keys);
    print_keys(out, "host.", rule_host_keys);
    print_keys(out, "rename.", rule_rename_keys);
    print_keys(out, "graph.", rule_graph_keys);
}

void config_rules_print(const struct config *config, struct buffer *out)
{
    buffer_printf(out, "# The configuration's own rules come first.\nrules: %s\n",
                  config->rules);
    for (const struct pack *pack = packs; pack->name; pack++) {
        buffer_printf(out, "\n# ---- pack %s%s\n", pack->name,
                      is_on(config, pack->name) ? "" : " (off)");
        buffer_append(out, pack->text);
    }
}
