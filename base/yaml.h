/*
 * A YAML text as a small tree, for configuration. The tree knows where everything stands, so that
 * whoever reads it can name line and column, and whether a scalar was plain or quoted; it gives no
 * scalar a type.
 *
 * YAML's traps are errors here: anchors, aliases, tags, several documents, keys that are not
 * scalars, and a key that appears twice. Limits: YAML_MAX_BYTES of text, YAML_MAX_DEPTH levels,
 * YAML_MAX_NODES nodes. The scanner is libyaml's (YAML 1.1 syntax).
 *
 * The tree owns everything in it, copies of the texts included. (Its functions say yaml_tree_
 * because libyaml has a yaml_free() of its own, which ours would displace.)
 */
#ifndef BASE_YAML_H
#define BASE_YAML_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

/* A thousand rules of twenty lines are far below these; beyond them it is no configuration. */
enum {
    YAML_MAX_BYTES = 1 << 20,
    YAML_MAX_DEPTH = 32,
    YAML_MAX_NODES = 50000
};

enum yaml_kind {
    YAML_SCALAR,
    YAML_MAP,
    YAML_LIST
};

struct yaml_node {
    enum yaml_kind kind;
    bool is_plain;               /* scalar: written without quotes, not as a block */
    unsigned line, column;       /* from 1, columns in code points */
    struct slice text;           /* scalar: NUL behind it */
    const struct yaml_node *key; /* of a member of a map: a scalar; else NULL */
    struct yaml_node *first;     /* map and list: members in the order of the text */
    struct yaml_node *next;      /* the next member of the same map or list */
};

struct yaml_tree;

/*
 * Reads a text; NULL with err set ("file:line:column: what") when it is not acceptable. `file` is
 * the name to use in errors.
 */
struct yaml_tree *yaml_tree_parse(struct slice text, const char *file,
                                  struct error *err) MUST_CHECK;
void yaml_tree_free(struct yaml_tree *tree);

/* Gives a scalar of the tree another text, which is copied. */
void yaml_tree_set_text(struct yaml_tree *tree, const struct yaml_node *node,
                        struct slice text);

/* The document's node; NULL when the text holds none (nothing or comments only). */
const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree);

/* The member of a map with that key; NULL when there is none or the node is no map. */
const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key);

/* Number of members. */
size_t yaml_count(const struct yaml_node *node);

/* An unquoted scalar that YAML reads as null: nothing, ~ or null. */
bool yaml_is_null(const struct yaml_node *node);

#endif
