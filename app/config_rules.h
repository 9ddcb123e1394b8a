/*
 * The configuration keys `rules` and `packs`: rules are checked where the user wrote them, so that every
 * problem has its line and column, and become one canonical text with those of the packs that are on
 * (pipeline/rule_text.h).
 */
#ifndef APP_CONFIG_RULES_H
#define APP_CONFIG_RULES_H

#include "app/config_value.h"
#include "base/yaml.h"

/* Where rules stand. Variables in their scalars are expanded in the tree. */
struct config_rules_source {
    struct yaml_tree *tree;
    const struct yaml_node *node; /* the list */
    struct config_expansion expansion;
};

/* Sets the key's field to the canonical text of the list; problems otherwise. */
void config_rules_set(struct config *config, const struct config_key *key,
                      const struct config_rules_source *source);
/* The same from a text: --set rules='[...]', and the default. */
void config_rules_set_text(struct config *config, const struct config_key *key,
                           struct slice text, const struct config_expansion *expansion);

/* Makes config->rules_in_force of `rules` and `packs`, once both are known. */
void config_rules_join(struct config *config, struct problems *problems);

/* Appends the keys of rules as a table for docs/rules.md. */
void config_rules_print_keys(struct buffer *out);

/* Appends the packs that are on as they were written, and the user's rules. */
void config_rules_print(const struct config *config, struct buffer *out);

#endif
