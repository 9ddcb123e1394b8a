#include "pipeline/rule_read.h"

#include "base/memory.h"
#include "pipeline/rule_take.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- maps in rules ------------------------------------------------------------------------ */

static void take_match(struct rule_reader *reader, const struct yaml_node *node,
                       void *field)
{
    rule_value_map(reader, node, rule_match_keys, field);
}

static void take_host(struct rule_reader *reader, const struct yaml_node *node,
                      void *field)
{
    struct rule *rule = field;

    rule->has_host = true;
    rule_value_map(reader, node, rule_host_keys, &rule->host);
}

static size_t stars(struct slice text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '*';
    return count;
}

static void take_rename(struct rule_reader *reader, const struct yaml_node *node,
                        void *field)
{
    struct rule *rule = field;
    struct slice old = {0}, new = {0};

    rule_value_map(reader, node, rule_rename_keys, rule);
    old = rule->rename_old.text;
    new = rule->rename_new.text;
    if (old.len == 0 || new.len == 0 || rule->rename_old.kind == PATTERN_REGEX ||
        stars(old) != 1 || stars(new) != 1 || memchr(old.ptr, '?', old.len) ||
        memchr(new.ptr, '?', new.len))
        rule_value_problem(reader, node,
                           "needs old and new, each with one * that is carried over");
}

static void take_graph(struct rule_reader *reader, const struct yaml_node *node,
                       void *field)
{
    rule_value_map(reader, node, rule_graph_keys, field);
}

static void take_scale(struct rule_reader *reader, const struct yaml_node *node,
                       void *field)
{
    struct rule *rule = field;

    rule->has_scale = true;
    rule_value_number(reader, node, &rule->scale);
}

/* ---- the tables --------------------------------------------------------------------------- */

const struct rule_key rule_match_keys[] = {
    {"metric", "pattern or list", "Name of the metric.", rule_value_patterns,
     offsetof(struct rule_match, metric)},
    {"unit", "pattern or list", "Unit of the metric, as it was sent.",
     rule_value_patterns, offsetof(struct rule_match, unit)},
    {"kind", "choice or list",
     "`gauge`, `counter`, `updowncounter`, `histogram`, `exponential_histogram`, "
     "`summary`.",
     rule_take_kinds, offsetof(struct rule_match, kinds)},
    {"scope", "pattern or list", "Name of the instrumentation scope.",
     rule_value_patterns, offsetof(struct rule_match, scope)},
    {"scope_attributes", "conditions", "Attributes of the scope.", rule_value_conditions,
     offsetof(struct rule_match, scope_attributes)},
    {"resource", "conditions", "Attributes of the resource.", rule_value_conditions,
     offsetof(struct rule_match, resource)},
    {0},
};

const struct rule_key rule_host_keys[] = {
    {"id", "template", "Mackerel's id of the host.", rule_value_template,
     offsetof(struct rule_host, id)},
    {"custom_identifier", "template", "Custom identifier of the host.",
     rule_value_template, offsetof(struct rule_host, custom_identifier)},
    {"name", "template", "Name of the host.", rule_value_template,
     offsetof(struct rule_host, name)},
    {0},
};

const struct rule_key rule_rename_keys[] = {
    {"old", "glob", "Name with one `*`.", rule_value_pattern,
     offsetof(struct rule, rename_old)},
    {"new", "glob", "What it becomes; the `*` is what the old one stood for.",
     rule_value_pattern, offsetof(struct rule, rename_new)},
    {0},
};

const struct rule_key rule_graph_keys[] = {
    {"display_name", "text", "Title of the graph.", rule_value_text,
     offsetof(struct rule_graph, display_name)},
    {"unit", "choice",
     "`float`, `integer`, `percentage`, `seconds`, `milliseconds`, `bytes`, `bytes/sec`, "
     "`bits/sec`, `iops`.",
     rule_take_graph_unit, offsetof(struct rule_graph, unit)},
    {"stacked", "boolean", "Whether its lines are stacked.", rule_take_stacked, 0},
    {0},
};

/* In the order in which a reader thinks of them. */
const struct rule_key rule_keys[] = {
    {"name", "text", "What `explain`, `/status` and the log call it.", rule_value_text,
     offsetof(struct rule, name)},
    {"match", "map",
     "Which metrics; everything in it must hold. Attributes of points have no say.",
     take_match, offsetof(struct rule, match)},
    {"where", "conditions",
     "Attributes of points: series that do not match are skipped (`filtered`).",
     rule_value_conditions, offsetof(struct rule, where)},
    {"destination", "choice", "`service` (default), `host` or `drop`.",
     rule_take_destination, offsetof(struct rule, destination)},
    {"otherwise", "choice", "`service`: where there is no host identity.",
     rule_take_otherwise, offsetof(struct rule, otherwise_service)},
    {"service", "template", "Name of the service, instead of the resource's own.",
     rule_value_template, offsetof(struct rule, service)},
    {"host", "map", "Who the host is, instead of the resource's own identity.", take_host,
     0},
    {"roles", "template or list", "Roles (`service:role`) of hosts that are created.",
     rule_take_roles, 0},
    {"native", "boolean",
     "Whether mackerel-agent's own metrics are made of what can make them.",
     rule_value_bool, offsetof(struct rule, native)},
    {"container", "choice",
     "Metrics of the container table show what mackerel-container-agent does: on the host of "
     "the `node`, of the pod (`pod-host`), of the `workload`, or as containers.mode says "
     "(`configured`).",
     rule_take_container, offsetof(struct rule, container)},
    {"metric", "name template",
     "Name to post; `{metric}`, `{unit}` and `{attribute}` are replaced.",
     rule_value_name, offsetof(struct rule, metric)},
    {"rename", "map", "The same for many metrics: `{old: \"a.*\", new: \"b.*\"}`.",
     take_rename, 0},
    {"prefix", "boolean",
     "Default true: the name begins with service.name where that is not the service's.",
     rule_take_prefix, offsetof(struct rule, no_prefix)},
    {"keep", "list",
     "Attributes of points whose values become part of the name: names, or "
     "`{attribute: NAME, top: 20}`.",
     rule_take_keep, 0},
    {"breakdown", "map",
     "The rate of parts of the series: labels and their conditions; also gives `total`.",
     rule_take_breakdown, 0},
    {"statistics", "list",
     "Of `rate`, `count`, `sum`, `avg`, `min`, `max`, `saturation`, `time`, `percentage`, "
     "`p50`, `p99.9`, ...",
     rule_take_statistics, 0},
    {"over_time", "choice",
     "Gauges and up-down counters: which of a minute's points, `last`, `avg`, `min`, `max`.",
     rule_take_over_time, 0},
    {"merge", "choice or list",
     "Gauges and up-down counters: several series become one by `avg`, `sum`, `min`, `max`.",
     rule_take_merges, offsetof(struct rule, merges)},
    {"convert", "unit", "Unit to post in (UCUM: `s`, `ms`, `By`, `KiBy`, `%`, ...).",
     rule_take_convert, offsetof(struct rule, convert)},
    {"scale", "number", "Values are multiplied with it.", take_scale, 0},
    {"zero_fill", "boolean", "A minute in which nothing came posts 0.", rule_value_bool,
     offsetof(struct rule, zero_fill)},
    {"supersedes", "text",
     "Older name of the metric: skipped (`superseded`) while the resource sends this one.",
     rule_value_text, offsetof(struct rule, supersedes)},
    {"graph", "map", "How the graph of a host's metric is drawn.", take_graph,
     offsetof(struct rule, graph)},
    {0},
};

/* ---- what contradicts each other ---------------------------------------------------------- */

static bool has_graph(const struct rule *rule)
{
    return rule->graph.display_name.len || rule->graph.unit.len ||
           rule->graph.has_stacked;
}

static void check_destination(struct rule_reader *reader, const struct yaml_node *node,
                              const struct rule *rule)
{
    if (rule->destination == RULE_TO_HOST)
        return;
    if (rule->otherwise_service)
        rule_value_problem(reader, node, "otherwise: only with destination: host");
    if (rule->native)
        rule_value_problem(reader, node, "native: only with destination: host");
    if (rule->has_host || rule->role_count)
        rule_value_problem(reader, node, "host and roles: only with destination: host");
    if (has_graph(rule))
        rule_value_problem(reader, node,
                           "graph: only with destination: host; Mackerel "
                           "has no graph definitions of services");
}

static void check_together(struct rule_reader *reader, const struct yaml_node *node,
                           const struct rule *rule)
{
    check_destination(reader, node, rule);
    if (rule->metric && rule->rename_old.text.len)
        rule_value_problem(reader, node, "metric and rename: give one");
    if (rule->convert.len && rule->has_scale)
        rule_value_problem(reader, node, "convert and scale: give one");
    if (rule->has_statistics && rule->label_count && !(rule->statistics & STATISTIC_RATE))
        rule_value_problem(reader, node, "breakdown: needs rate among the statistics");
}

/* ---- reading ------------------------------------------------------------------------------ */

static void name_rule(struct rule_reader *reader, struct rule *rule, const char *prefix,
                      size_t index)
{
    char name[128];

    if (rule->name.len)
        return;
    snprintf(name, sizeof(name), "%.100s[%zu]", prefix, index);
    rule->name = rule_value_copy(reader, slice_of(name));
}

static void read_rules(struct rule_reader *reader, const struct yaml_node *list,
                       const char *prefix, struct rules *rules)
{
    size_t count = list ? yaml_count(list) : 0;

    if (list && list->kind != YAML_LIST) {
        rule_value_problem(reader, list, "must be a list of rules");
        return;
    }
    if (count > RULE_MAX_COUNT) {
        rule_value_problem(reader, list, "over %d rules", RULE_MAX_COUNT);
        return;
    }
    rules->items = arena_alloc(rules->arena, count * sizeof(*rules->items));
    for (const struct yaml_node *node = list ? list->first : NULL; node;
         node = node->next) {
        struct rule *rule = &rules->items[rules->count];

        rule_value_map(reader, node, rule_keys, rule);
        name_rule(reader, rule, prefix, rules->count++);
        check_together(reader, node, rule);
        rules->some_supersede |= rule->supersedes.len != 0;
    }
}

struct rules *rule_read(const struct yaml_node *list, const char *prefix,
                        const struct rule_problems *problems)
{
    struct rules *rules = memory_new(1, sizeof(*rules));
    struct rule_reader reader = {.problems = problems};

    rules->arena = reader.arena = arena_new();
    rules->run = pattern_run_new();
    read_rules(&reader, list, prefix, rules);
    if (reader.failures == 0)
        return rules;
    rules_free(rules);
    return NULL;
}

void rules_free(struct rules *rules)
{
    if (!rules)
        return;
    pattern_run_free(rules->run);
    arena_free(rules->arena);
    free(rules);
}

/* ---- from a text -------------------------------------------------------------------------- */

struct first_problem {
    const char *file;
    struct error *err;
    bool is_set;
};

static void note_first(void *self, const struct yaml_node *at, const char *text)
{
    struct first_problem *first = self;

    if (!first->is_set)
        error_set(first->err, ERROR_INVALID, "%s:%u:%u: %s", first->file, at->line,
                  at->column, text);
    first->is_set = true;
}

struct rules *rule_read_text(struct slice text, const char *file, struct error *err)
{
    struct yaml_tree *tree = yaml_tree_parse(text, file, err);
    struct first_problem first = {.file = file, .err = err};
    struct rules *rules;

    if (!tree)
        return NULL;
    rules = rule_read(yaml_tree_root(tree), file,
                      &(struct rule_problems){note_first, &first});
    yaml_tree_free(tree);
    return rules;
}
