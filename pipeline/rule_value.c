#include "pipeline/rule_value.h"

#include "base/suggest.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- problems ----------------------------------------------------------------------------- */

void rule_value_problem(struct rule_reader *reader, const struct yaml_node *at,
                        const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list list;

    va_start(list, format);
    vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    reader->failures++;
    reader->problems->add(reader->problems->self, at, text);
}

void rule_value_unknown(struct rule_reader *reader, const struct yaml_node *at,
                        const char *what, const char *const *names)
{
    size_t best_distance = 1 + at->text.len / 3;
    const char *best = NULL;

    for (; *names; names++) {
        size_t distance = suggest_distance(at->text, slice_of(*names));

        if (distance > best_distance)
            continue;
        best_distance = distance;
        best = *names;
    }
    if (best)
        rule_value_problem(reader, at, "unknown %s '%.100s', did you mean '%s'?", what,
                           at->text.ptr, best);
    else
        rule_value_problem(reader, at, "unknown %s '%.100s'", what, at->text.ptr);
}

/* ---- maps --------------------------------------------------------------------------------- */

enum {
    MAX_KEYS = 32
};

static const struct rule_key *find(const struct rule_key *keys, struct slice name)
{
    for (; keys->name; keys++)
        if (slice_is(name, keys->name))
            return keys;
    return NULL;
}

static void report_key(struct rule_reader *reader, const struct yaml_node *key,
                       const struct rule_key *keys)
{
    const char *names[MAX_KEYS + 1] = {NULL};

    for (size_t i = 0; i < MAX_KEYS && keys[i].name; i++)
        names[i] = keys[i].name;
    rule_value_unknown(reader, key, "key", names);
}

void rule_value_map(struct rule_reader *reader, const struct yaml_node *node,
                    const struct rule_key *keys, void *record)
{
    if (node->kind != YAML_MAP) {
        rule_value_problem(reader, node, "must be a map");
        return;
    }
    for (const struct yaml_node *member = node->first; member; member = member->next) {
        const struct rule_key *key = find(keys, member->key->text);

        if (!key)
            report_key(reader, member->key, keys);
        else if (!yaml_is_null(member))
            key->take(reader, member, (char *)record + key->offset);
    }
}

/* ---- texts and numbers -------------------------------------------------------------------- */

const struct yaml_node *rule_value_first(const struct yaml_node *node, bool *many)
{
    *many = node->kind == YAML_LIST;
    return *many ? node->first : node;
}

bool rule_value_is_text(struct rule_reader *reader, const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR && !memchr(node->text.ptr, '\0', node->text.len))
        return true;
    rule_value_problem(reader, node, "must be a text");
    return false;
}

struct slice rule_value_copy(struct rule_reader *reader, struct slice text)
{
    char *to = arena_alloc(reader->arena, text.len + 1);

    if (text.len)
        memcpy(to, text.ptr, text.len);
    return (struct slice){to, text.len};
}

int rule_value_choice(struct rule_reader *reader, const struct yaml_node *node,
                      const char *const *names)
{
    if (!rule_value_is_text(reader, node))
        return -1;
    for (int i = 0; names[i]; i++)
        if (slice_is(node->text, names[i]))
            return i;
    rule_value_unknown(reader, node, "value", names);
    return -1;
}

void rule_value_text(struct rule_reader *reader, const struct yaml_node *node,
                     void *field)
{
    struct slice *to = field;

    if (rule_value_is_text(reader, node))
        *to = rule_value_copy(reader, node->text);
}

void rule_value_bool(struct rule_reader *reader, const struct yaml_node *node,
                     void *field)
{
    static const char *const names[] = {"false", "true", NULL};
    bool *to = field;
    int choice = rule_value_choice(reader, node, names);

    if (choice >= 0)
        *to = choice == 1;
}

void rule_value_number(struct rule_reader *reader, const struct yaml_node *node,
                       void *field)
{
    double *to = field, number;
    char *end;

    if (!rule_value_is_text(reader, node))
        return;
    number = strtod(node->text.ptr, &end);
    if (node->text.len == 0 || *end || !isfinite(number) || fpclassify(number) == FP_ZERO)
        rule_value_problem(reader, node, "'%.100s' is no number other than 0",
                           node->text.ptr);
    else
        *to = number;
}

/* ---- patterns ----------------------------------------------------------------------------- */

void rule_value_pattern(struct rule_reader *reader, const struct yaml_node *node,
                        void *field)
{
    struct error err;

    if (rule_value_is_text(reader, node) &&
        !pattern_compile(field, node->text, reader->arena, &err))
        rule_value_problem(reader, node, "%s", err.text);
}

void rule_value_patterns(struct rule_reader *reader, const struct yaml_node *node,
                         void *field)
{
    struct pattern_list *list = field;
    bool many;
    const struct yaml_node *item = rule_value_first(node, &many);
    size_t count = many ? yaml_count(node) : 1;

    if (count == 0)
        rule_value_problem(reader, node, "an empty list matches nothing");
    *list = (struct pattern_list){
        .items = arena_alloc(reader->arena, count * sizeof(*list->items))};
    for (; list->count < count; item = item->next)
        rule_value_pattern(reader, item, &list->items[list->count++]);
}

/* ---- conditions --------------------------------------------------------------------------- */

/* `true` and `false` without quotes ask whether it is there. */
static void take_condition(struct rule_reader *reader, const struct yaml_node *member,
                           struct rule_condition *condition)
{
    bool is_plain = member->kind == YAML_SCALAR && member->is_plain;

    if (!rule_value_is_text(reader, member->key))
        return;
    condition->key = rule_value_copy(reader, member->key->text);
    if (is_plain && slice_is(member->text, "true"))
        condition->presence = RULE_PRESENT;
    else if (is_plain && slice_is(member->text, "false"))
        condition->presence = RULE_ABSENT;
    else
        rule_value_patterns(reader, member, &condition->patterns);
}

void rule_value_conditions(struct rule_reader *reader, const struct yaml_node *node,
                           void *field)
{
    struct rule_conditions *conditions = field;

    if (node->kind != YAML_MAP) {
        rule_value_problem(reader, node, "must be a map from attributes to patterns");
        return;
    }
    *conditions = (struct rule_conditions){
        .items = arena_alloc(reader->arena,
                             yaml_count(node) * sizeof(*conditions->items))};
    for (const struct yaml_node *member = node->first; member; member = member->next)
        take_condition(reader, member, &conditions->items[conditions->count++]);
}

/* ---- templates ---------------------------------------------------------------------------- */

typedef bool compile(struct template *template, struct slice text, struct arena *arena,
                     struct error *err);

static void take_template(struct rule_reader *reader, const struct yaml_node *node,
                          struct template **to, compile *compile_it)
{
    struct error err;

    if (!rule_value_is_text(reader, node))
        return;
    *to = arena_alloc(reader->arena, sizeof(**to));
    if (!compile_it(*to, node->text, reader->arena, &err))
        rule_value_problem(reader, node, "%s", err.text);
}

void rule_value_template(struct rule_reader *reader, const struct yaml_node *node,
                         void *field)
{
    take_template(reader, node, field, template_compile);
}

void rule_value_name(struct rule_reader *reader, const struct yaml_node *node,
                     void *field)
{
    take_template(reader, node, field, template_compile_name);
}
