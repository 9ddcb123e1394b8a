/*
 * Values of rules: from YAML nodes to the fields of struct rule, each checked and every problem said
 * where it stands. A table of struct rule_key describes a map; reading, errors and the reference in
 * docs/rules.md follow from it.
 */
#ifndef PIPELINE_RULE_VALUE_H
#define PIPELINE_RULE_VALUE_H

#include "base/compiler.h"
#include "base/yaml.h"
#include "pipeline/rule.h"

/* Told of everything that is wrong; `at` is where. */
struct rule_problems {
    void (*add)(void *self, const struct yaml_node *at, const char *text);
    void *self;
};

struct rule_reader {
    struct arena *arena;
    const struct rule_problems *problems;
    size_t failures;
};

/* Reads the node into the field. */
typedef void rule_value_take(struct rule_reader *reader, const struct yaml_node *node,
                             void *field);

struct rule_key {
    const char *name, *type, *help;
    rule_value_take *take;
    size_t offset; /* of the field in the record */
};

void rule_value_problem(struct rule_reader *reader, const struct yaml_node *at,
                        const char *format, ...) PRINTF_LIKE(3, 4);

/* "no such thing 'x', did you mean 'y'?", the words being those of `names`, NULL behind them. */
void rule_value_unknown(struct rule_reader *reader, const struct yaml_node *at,
                        const char *what, const char *const *names);

/* A map by its table; the record is at `record`. */
void rule_value_map(struct rule_reader *reader, const struct yaml_node *node,
                    const struct rule_key *keys, void *record);

/* The index of the node's text among the names (NULL behind them); -1 and a problem otherwise. */
int rule_value_choice(struct rule_reader *reader, const struct yaml_node *node,
                      const char *const *names);

/* A list's members, or the node itself if it is no list; for walking with ->next. `many` says which. */
const struct yaml_node *rule_value_first(const struct yaml_node *node, bool *many);

/* Is it a text? A problem otherwise. */
bool rule_value_is_text(struct rule_reader *reader,
                        const struct yaml_node *node) MUST_CHECK;

struct slice rule_value_copy(struct rule_reader *reader, struct slice text);

rule_value_take rule_value_text;       /* struct slice */
rule_value_take rule_value_bool;       /* bool */
rule_value_take rule_value_number;     /* double, finite and not 0 */
rule_value_take rule_value_patterns;   /* struct pattern_list */
rule_value_take rule_value_pattern;    /* struct pattern */
rule_value_take rule_value_conditions; /* struct rule_conditions */
rule_value_take rule_value_template;   /* struct template * */
rule_value_take rule_value_name;       /* struct template *, of a metric's name */

#endif
