/*
 * Rules from their text. The language: docs/rules.md.
 *
 * Nothing is guessed: an unknown key, a wrong type, a value that contradicts another is a problem with
 * its place, and rules with a problem are no rules. Pure: from bytes or a tree to struct rules.
 */
#ifndef PIPELINE_RULE_READ_H
#define PIPELINE_RULE_READ_H

#include "base/compiler.h"
#include "pipeline/rule_value.h"

enum {
    RULE_MAX_COUNT = 4096
};

/*
 * Compiles a list of rules; `list` may be NULL: none. A rule without a name is called "<prefix>[n]".
 * NULL when there is a problem.
 */
struct rules *rule_read(const struct yaml_node *list, const char *prefix,
                        const struct rule_problems *problems) MUST_CHECK;

/* The same from a text of YAML or JSON. `err` has the first problem as "file:line:column: what". */
struct rules *rule_read_text(struct slice text, const char *file,
                             struct error *err) MUST_CHECK;

/* The keys of a rule, of its `match`, `host`, `rename` and `graph`; the last has no name. */
extern const struct rule_key rule_keys[], rule_match_keys[], rule_host_keys[],
    rule_rename_keys[], rule_graph_keys[];

#endif
