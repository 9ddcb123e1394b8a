/*
 * One value of the configuration: from text to its field, checked against its key.
 */
#ifndef APP_CONFIG_VALUE_H
#define APP_CONFIG_VALUE_H

#include "app/config.h"

/* Sets the key's field; a list is replaced by one item. */
void config_value_set(struct config *config, const struct config_key *key,
                      struct slice text, struct place place, struct problems *problems);

/* Is the text one of the key's choices, or has it none? A problem otherwise. */
bool config_value_is_choice(const struct config_key *key, struct slice text,
                            struct place place, struct problems *problems) MUST_CHECK;

/* Frees what the field holds: a text, a list. */
void config_value_release(struct config *config, const struct config_key *key);

/* Lists: empties it, appends an item. */
void config_value_clear_list(struct config *config, const struct config_key *key);
void config_value_append(struct config *config, const struct config_key *key,
                         struct slice text);

/* Appends the field's value as text that config_value_set() would read. Secrets are starred. */
void config_value_print(const struct config *config, const struct config_key *key,
                        struct buffer *out);

const char *config_type_name(enum config_type type);

/*
 * Expands ${env:VAR} and ${env:VAR:-default} once, never in what was expanded; $$ is a dollar. An
 * unset variable without a default is a problem. False then.
 */
struct config_expansion {
    char *(*environment)(const char *name);
    struct place place;
    struct problems *problems;
};

bool config_value_expand(const struct config_expansion *expansion, struct slice text,
                         struct buffer *out);

#endif
