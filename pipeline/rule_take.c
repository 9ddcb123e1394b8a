#include "pipeline/rule_take.h"

#include "pipeline/unit.h"

#include <stdlib.h>

/* ---- choices ------------------------------------------------------------------------------ */

void rule_take_kinds(struct rule_reader *reader, const struct yaml_node *node,
                     void *field)
{
    static const char *const names[] = {
        "gauge",   "counter", "updowncounter", "histogram", "exponential_histogram",
        "summary", NULL};
    uint32_t *kinds = field;
    bool many;

    for (const struct yaml_node *item = rule_value_first(node, &many); item;
         item = many ? item->next : NULL) {
        int kind = rule_value_choice(reader, item, names);

        *kinds |= kind < 0 ? 0 : UINT32_C(1) << kind;
    }
}

void rule_take_destination(struct rule_reader *reader, const struct yaml_node *node,
                           void *field)
{
    static const char *const names[] = {"service", "host", "drop", "labeled", NULL};
    enum rule_destination *to = field;
    int choice = rule_value_choice(reader, node, names);

    if (choice == 3)
        rule_value_problem(reader, node,
                           "'labeled' is reserved; service, host and drop work");
    else if (choice >= 0)
        *to = (enum rule_destination)choice;
}

void rule_take_otherwise(struct rule_reader *reader, const struct yaml_node *node,
                         void *field)
{
    static const char *const names[] = {"service", NULL};
    bool *to = field;

    *to = rule_value_choice(reader, node, names) == 0;
}

void rule_take_container(struct rule_reader *reader, const struct yaml_node *node,
                         void *field)
{
    static const char *const names[] = {"configured", "node", "pod-host", "workload",
                                        NULL};
    enum rule_container *to = field;
    int choice = rule_value_choice(reader, node, names);

    *to = (enum rule_container)(choice + 1);
}

void rule_take_over_time(struct rule_reader *reader, const struct yaml_node *node,
                         void *field)
{
    static const char *const names[] = {
        [OVER_TIME_LAST] = "last", [OVER_TIME_AVERAGE] = "avg", [OVER_TIME_MIN] = "min",
        [OVER_TIME_MAX] = "max",   [OVER_TIME_MAX + 1] = NULL,
    };
    struct rule *rule = field;
    int choice = rule_value_choice(reader, node, names);

    rule->has_over_time = choice >= 0;
    if (choice >= 0)
        rule->over_time = (enum over_time)choice;
}

void rule_take_merges(struct rule_reader *reader, const struct yaml_node *node,
                      void *field)
{
    static const char *const names[] = {"avg", "sum", "min", "max", NULL};
    uint8_t *merges = field;
    bool many;

    for (const struct yaml_node *item = rule_value_first(node, &many); item;
         item = many ? item->next : NULL) {
        int choice = rule_value_choice(reader, item, names);

        if (choice >= 0)
            *merges = (uint8_t)(*merges | 1 << choice);
    }
}

/* ---- statistics --------------------------------------------------------------------------- */

static const char *const statistic_names[] = {"rate",       "count", "sum",        "avg",
                                              "min",        "max",   "saturation", "time",
                                              "percentage", NULL};

/* p50, p99.9: between 0 and 100. */
static bool read_percentile(struct slice text, double *q)
{
    char *end;
    double percent;

    if (text.len < 2 || text.ptr[0] != 'p' || text.ptr[1] < '0' || text.ptr[1] > '9')
        return false;
    percent = strtod(text.ptr + 1, &end);
    *q = percent / 100;
    return !*end && percent > 0 && percent < 100;
}

/* In rising order, each once. */
static void add_percentile(struct rule_reader *reader, const struct yaml_node *node,
                           struct rule *rule, double q)
{
    uint8_t at = 0;

    while (at < rule->percentile_count && rule->percentile[at] < q)
        at++;
    if (at < rule->percentile_count && !(rule->percentile[at] > q))
        return;
    if (rule->percentile_count == PLAN_PERCENTILES) {
        rule_value_problem(reader, node, "over %d percentiles", PLAN_PERCENTILES);
        return;
    }
    for (uint8_t i = rule->percentile_count++; i > at; i--)
        rule->percentile[i] = rule->percentile[i - 1];
    rule->percentile[at] = q;
}

static void take_statistic(struct rule_reader *reader, const struct yaml_node *node,
                           struct rule *rule)
{
    double q;

    if (!rule_value_is_text(reader, node))
        return;
    if (read_percentile(node->text, &q)) {
        add_percentile(reader, node, rule, q);
        return;
    }
    for (int i = 0; statistic_names[i]; i++) {
        if (!slice_is(node->text, statistic_names[i]))
            continue;
        rule->statistics |= UINT32_C(1) << i;
        return;
    }
    rule_value_unknown(reader, node, "statistic", statistic_names);
}

void rule_take_statistics(struct rule_reader *reader, const struct yaml_node *node,
                          void *field)
{
    struct rule *rule = field;
    bool many;

    rule->has_statistics = true;
    for (const struct yaml_node *item = rule_value_first(node, &many); item;
         item = many ? item->next : NULL)
        take_statistic(reader, item, rule);
    if (!rule->statistics && !rule->percentile_count)
        rule_value_problem(reader, node, "no statistic; use destination: drop");
}

/* A unit is known if one of these leads to it. */
static bool is_known_unit(struct slice unit)
{
    static const char *const bases[] = {"1", "s", "By", "By/s", "Hz", "Cel", "W", "J"};
    struct unit_conversion conversion;

    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        if (unit_convert(slice_of(bases[i]), unit, &conversion))
            return true;
    return false;
}

void rule_take_convert(struct rule_reader *reader, const struct yaml_node *node,
                       void *field)
{
    struct slice *unit = field;

    rule_value_text(reader, node, unit);
    if (unit->ptr && !is_known_unit(*unit))
        rule_value_problem(reader, node, "'%.100s' is no unit that can be converted to",
                           unit->ptr);
}

/* ---- kept attributes and breakdown -------------------------------------------------------- */

static void take_top(struct rule_reader *reader, const struct yaml_node *node,
                     void *field)
{
    uint32_t *top = field;
    double number = 0;

    rule_value_number(reader, node, &number);
    if (number >= 1 && number <= RULE_MAX_TOP && number <= (uint32_t)number)
        *top = (uint32_t)number;
    else
        rule_value_problem(reader, node, "must be a whole number from 1 to %d",
                           RULE_MAX_TOP);
}

static const struct rule_key kept_keys[] = {
    {"attribute", "text", "", rule_value_text, offsetof(struct rule_kept, attribute)},
    {"top", "number", "", take_top, offsetof(struct rule_kept, top)},
    {0},
};

static void take_kept(struct rule_reader *reader, const struct yaml_node *node,
                      struct rule_kept *kept)
{
    kept->top = RULE_DEFAULT_TOP;
    if (node->kind == YAML_MAP)
        rule_value_map(reader, node, kept_keys, kept);
    else
        rule_value_text(reader, node, &kept->attribute);
    if (kept->attribute.len == 0)
        rule_value_problem(reader, node, "an attribute is missing");
}

void rule_take_keep(struct rule_reader *reader, const struct yaml_node *node, void *field)
{
    struct rule *rule = field;
    bool many;
    const struct yaml_node *item = rule_value_first(node, &many);

    rule->kept = arena_alloc(reader->arena, RULE_MAX_KEPT * sizeof(*rule->kept));
    for (; item; item = many ? item->next : NULL) {
        if (rule->kept_count == RULE_MAX_KEPT) {
            rule_value_problem(reader, item, "over %d attributes", RULE_MAX_KEPT);
            return;
        }
        take_kept(reader, item, &rule->kept[rule->kept_count++]);
    }
}

static bool is_segment(struct slice text)
{
    return text.len && text.len <= 63 &&
           strspn(text.ptr, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                            "0123456789_-") == text.len;
}

void rule_take_breakdown(struct rule_reader *reader, const struct yaml_node *node,
                         void *field)
{
    struct rule *rule = field;

    if (node->kind != YAML_MAP) {
        rule_value_problem(reader, node, "must be a map from labels to conditions");
        return;
    }
    rule->labels = arena_alloc(reader->arena, PLAN_LABELS * sizeof(*rule->labels));
    for (const struct yaml_node *member = node->first; member; member = member->next) {
        if (rule->label_count == PLAN_LABELS) {
            rule_value_problem(reader, member->key, "over %d labels", PLAN_LABELS);
            return;
        }

        struct rule_label *label = &rule->labels[rule->label_count++];

        label->name = rule_value_copy(reader, member->key->text);
        if (!is_segment(label->name) || slice_is(label->name, "total"))
            rule_value_problem(reader, member->key,
                               "a label is made of A-Z a-z 0-9 _ - and is not 'total'");
        rule_value_conditions(reader, member, &label->where);
    }
}

/* ---- other things ------------------------------------------------------------------------- */

void rule_take_roles(struct rule_reader *reader, const struct yaml_node *node,
                     void *field)
{
    struct rule *rule = field;
    bool many;
    const struct yaml_node *item = rule_value_first(node, &many);

    rule->roles = arena_alloc(reader->arena, RULE_MAX_ROLES * sizeof(*rule->roles));
    for (; item; item = many ? item->next : NULL) {
        struct template *role = NULL;

        if (rule->role_count == RULE_MAX_ROLES) {
            rule_value_problem(reader, item, "over %d roles", RULE_MAX_ROLES);
            return;
        }
        rule_value_template(reader, item, &role);
        if (role)
            rule->roles[rule->role_count++] = *role;
    }
}

void rule_take_prefix(struct rule_reader *reader, const struct yaml_node *node,
                      void *field)
{
    bool *no_prefix = field, prefix = true;

    rule_value_bool(reader, node, &prefix);
    *no_prefix = !prefix;
}

void rule_take_graph_unit(struct rule_reader *reader, const struct yaml_node *node,
                          void *field)
{
    /* Mackerel API, "Post graph definitions". */
    static const char *const names[] = {
        "float", "integer",   "percentage", "seconds", "milliseconds",
        "bytes", "bytes/sec", "bits/sec",   "iops",    NULL};
    struct slice *unit = field;
    int choice = rule_value_choice(reader, node, names);

    if (choice >= 0)
        *unit = slice_of(names[choice]);
}

void rule_take_stacked(struct rule_reader *reader, const struct yaml_node *node,
                       void *field)
{
    struct rule_graph *graph = field;

    graph->has_stacked = true;
    rule_value_bool(reader, node, &graph->stacked);
}
