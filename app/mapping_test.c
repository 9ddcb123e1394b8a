#include "app/mapping_test.h"

#include "app/rehearsal.h"
#include "base/arena.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/yaml.h"
#include "pipeline/cell.h"
#include "pipeline/explain.h"
#include "pipeline/pattern.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double TOLERANCE = 1e-9;

/* A name that is, or could be, posted. */
struct posted {
    uint32_t destination; /* of the pipeline */
    char *name;
    uint64_t minute_s; /* 0: could be */
    double value;
};

/* What a line of `expect` or `absent` asks for. */
struct wish {
    enum mackerel_kind kind;
    struct slice destination;
    struct pattern name;
    bool has_value, has_minute;
    double value;
    uint64_t minute_s;
};

struct mapping_run {
    const char *path;
    const struct pipeline_options *options;
    struct rehearsal *rehearsal; /* of the test at hand */
    struct posted *posted;
    size_t count, room;
    struct arena *arena;
    struct pattern_run *patterns;
    struct buffer *out;
    struct buffer complaints; /* of the test at hand */
};

static bool complain(const struct mapping_run *run, const struct yaml_node *node,
                     const char *what, struct error *err)
{
    return FAIL(err, ERROR_INVALID, "%s:%u:%u: %s", run->path, node->line, node->column,
                what);
}

/* ---- what is posted ----------------------------------------------------------------------- */

static void add(struct mapping_run *run, const struct posted *posted)
{
    run->posted = memory_grow(run->posted, run->count + 1, &run->room,
                              sizeof(*run->posted));
    run->posted[run->count++] = *posted;
}

static void keep(void *self, const struct mackerel_row *rows, size_t count)
{
    struct mapping_run *run = self;
    struct pipeline *p = rehearsal_pipeline(run->rehearsal);

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].count; k++)
            add(run, &(struct posted){
                         .destination = cell_destination(p, &rows[i].destination),
                         .name = memory_copy(rows[i].values[k].name),
                         .minute_s = rows[i].minute_s,
                         .value = rows[i].values[k].value,
                     });
}

struct keeping {
    struct mapping_run *run;
    uint32_t destination;
};

static void keep_name(void *self, struct slice name)
{
    const struct keeping *keeping = self;

    add(keeping->run, &(struct posted){
                          .destination = keeping->destination,
                          .name = memory_copy(name),
                      });
}

static void keep_names(struct mapping_run *run)
{
    struct pipeline *p = rehearsal_pipeline(run->rehearsal);

    for (uint32_t cell = 0; cell < p->cells.used; cell++) {
        struct keeping keeping = {.run = run};

        if (!explain_is_cell(p, cell))
            continue;
        keeping.destination = state_cell(p, cell)->destination;
        explain_names(p, cell, keep_name, &keeping);
    }
}

static void forget_posted(struct mapping_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        free(run->posted[i].name);
    run->count = 0;
}

/* ---- wishes ------------------------------------------------------------------------------- */

static bool is_to(const struct wish *wish, const struct mackerel_destination *to)
{
    if (wish->kind != to->kind)
        return false;
    return slice_equal(wish->destination, to->name) ||
           (to->kind == MACKEREL_HOST &&
            (slice_equal(wish->destination, to->host_id) ||
             slice_equal(wish->destination, to->custom_identifier)));
}

static bool is_value(const struct wish *wish, double value)
{
    return fabs(value - wish->value) <= TOLERANCE * fmax(1, fabs(wish->value));
}

static bool fits(const struct mapping_run *run, const struct wish *wish,
                 const struct posted *posted)
{
    const struct pipeline *p = rehearsal_pipeline(run->rehearsal);

    if (!is_to(wish, &state_destination(p, posted->destination)->target) ||
        !pattern_matches(&wish->name, slice_of(posted->name), run->patterns))
        return false;
    if (wish->has_minute && posted->minute_s != wish->minute_s)
        return false;
    return !wish->has_value || (posted->minute_s && is_value(wish, posted->value));
}

static const struct posted *find(const struct mapping_run *run, const struct wish *wish)
{
    for (size_t i = 0; i < run->count; i++)
        if (fits(run, wish, &run->posted[i]))
            return &run->posted[i];
    return NULL;
}

static bool read_value(const struct mapping_run *run, const struct yaml_node *node,
                       struct wish *wish, struct error *err)
{
    char *end;

    wish->has_value = true;
    wish->value = strtod(node->text.ptr, &end);
    if (node->kind != YAML_SCALAR || end == node->text.ptr || *end)
        return complain(run, node, "a value is a number", err);
    return true;
}

static bool read_minute(const struct mapping_run *run, const struct yaml_node *node,
                        struct wish *wish, struct error *err)
{
    wish->has_minute = true;
    if (node->kind != YAML_SCALAR || !number_parse(node->text, &wish->minute_s) ||
        wish->minute_s % 60 != 0)
        return complain(run, node, "a minute is a Unix time in seconds, of its start",
                        err);
    return true;
}

static bool read_member(struct mapping_run *run, const struct yaml_node *node,
                        struct wish *wish, struct error *err)
{
    struct slice key = node->key->text;

    if (slice_is(key, "value"))
        return read_value(run, node, wish, err);
    if (slice_is(key, "minute"))
        return read_minute(run, node, wish, err);
    if (node->kind != YAML_SCALAR)
        return complain(run, node, "a text is wanted", err);
    if (slice_is(key, "name"))
        return pattern_compile(&wish->name, node->text, run->arena, err);
    if (!slice_is(key, "service") && !slice_is(key, "host"))
        return complain(run, node->key, "keys are service, host, name, value, minute",
                        err);
    wish->kind = slice_is(key, "host") ? MACKEREL_HOST : MACKEREL_SERVICE;
    wish->destination = node->text;
    return true;
}

static bool read_wish(struct mapping_run *run, const struct yaml_node *node,
                      struct wish *wish, struct error *err)
{
    *wish = (struct wish){0};
    for (const struct yaml_node *member = node->first; member; member = member->next) {
        if (!member->key)
            return complain(run, node, "{service: or host:, name: ...} is wanted", err);
        if (!read_member(run, member, wish, err))
            return false;
    }
    if (!wish->destination.len || !wish->name.text.len)
        return complain(run, node, "service or host, and name are wanted", err);
    return true;
}

static void report(struct mapping_run *run, const struct yaml_node *node,
                   const char *what, const struct wish *wish, const struct posted *posted)
{
    buffer_printf(&run->complaints, "  %s:%u: %s: %s %.*s, %.*s", run->path, node->line,
                  what, wish->kind == MACKEREL_HOST ? "host" : "service",
                  SLICE_ARG(wish->destination), SLICE_ARG(wish->name.text));
    if (posted)
        buffer_printf(&run->complaints, " is %s", posted->name);
    buffer_append_char(&run->complaints, '\n');
}

/* Says what has that name and another value. */
static void report_others(struct mapping_run *run, const struct wish *wish)
{
    struct wish any = *wish;
    size_t told = 0;

    any.has_value = false;
    for (size_t i = 0; i < run->count && told < 5; i++) {
        const struct posted *posted = &run->posted[i];

        if (posted->minute_s == 0 || !fits(run, &any, posted))
            continue;
        buffer_printf(&run->complaints, "    minute %llu is %.17g\n",
                      (unsigned long long)posted->minute_s, posted->value);
        told++;
    }
}

/* Each line of the list must be posted, or must not be. */
static bool check_list(struct mapping_run *run, const struct yaml_node *list,
                       bool is_wanted, struct error *err)
{
    if (list && list->kind != YAML_LIST)
        return complain(run, list, "a list is wanted", err);
    for (const struct yaml_node *node = list ? list->first : NULL; node;
         node = node->next) {
        struct wish wish;
        const struct posted *posted;

        if (!read_wish(run, node, &wish, err))
            return false;
        posted = find(run, &wish);
        if (is_wanted && !posted) {
            report(run, node, "not posted", &wish, NULL);
            report_others(run, &wish);
        } else if (!is_wanted && posted) {
            report(run, node, "posted", &wish, posted);
        }
    }
    return true;
}

/* ---- inputs ------------------------------------------------------------------------------- */

/* As seen from the test's file. */
static char *input_path(const struct mapping_run *run, struct slice name)
{
    const char *slash = strrchr(run->path, '/');
    struct buffer path = {0};

    if (slash && name.len && *name.ptr != '/')
        buffer_append(&path, (struct slice){run->path, (size_t)(slash + 1 - run->path)});
    buffer_append(&path, name);
    buffer_append_char(&path, '\0');
    return path.ptr;
}

static bool take_input(struct mapping_run *run, const struct yaml_node *node,
                       struct error *err)
{
    struct buffer body = {0};
    struct error why;
    char *path;
    bool is_taken;

    if (node->kind != YAML_SCALAR || node->text.len == 0)
        return complain(run, node, "the path of a request is wanted", err);
    path = input_path(run, node->text);
    is_taken = rehearsal_read_file(path, &body, &why) &&
               rehearsal_take(run->rehearsal, buffer_slice(&body), &why);
    buffer_release(&body);
    if (!is_taken)
        FAIL(err, why.kind, "%s:%u:%u: %s: %s", run->path, node->line, node->column, path,
             why.text);
    free(path);
    return is_taken;
}

static bool take_inputs(struct mapping_run *run, const struct yaml_node *test,
                        struct error *err)
{
    const struct yaml_node *input = yaml_find(test, "input");

    if (!input)
        return complain(run, test, "a test needs input", err);
    if (input->kind == YAML_SCALAR)
        return take_input(run, input, err);
    for (const struct yaml_node *node = input->first; node; node = node->next)
        if (!take_input(run, node, err))
            return false;
    return true;
}

/* ---- tests -------------------------------------------------------------------------------- */

static bool check_keys(const struct mapping_run *run, const struct yaml_node *test,
                       struct error *err)
{
    static const char *const known[] = {"name", "input", "expect", "absent"};

    for (const struct yaml_node *node = test->first; node; node = node->next) {
        size_t i = 0;

        if (!node->key)
            return complain(run, test, "a test is a map", err);
        while (i < sizeof(known) / sizeof(known[0]) &&
               !slice_is(node->key->text, known[i]))
            i++;
        if (i == sizeof(known) / sizeof(known[0]))
            return complain(run, node->key, "keys are name, input, expect, absent", err);
    }
    return true;
}

static bool run_test(struct mapping_run *run, const struct yaml_node *test,
                     struct error *err)
{
    if (!check_keys(run, test, err) || !take_inputs(run, test, err))
        return false;
    rehearsal_finish(run->rehearsal);
    keep_names(run);
    return check_list(run, yaml_find(test, "expect"), true, err) &&
           check_list(run, yaml_find(test, "absent"), false, err);
}

static void conclude(struct mapping_run *run, const struct yaml_node *test,
                     struct mapping_results *results)
{
    const struct yaml_node *name = yaml_find(test, "name");
    bool is_passed = run->complaints.len == 0;

    results->passed += is_passed;
    results->failed += !is_passed;
    buffer_append_text(run->out, is_passed ? "ok      " : "FAILED  ");
    if (name && name->kind == YAML_SCALAR)
        buffer_append(run->out, name->text);
    else
        buffer_printf(run->out, "%s:%u", run->path, test->line);
    buffer_append_char(run->out, '\n');
    buffer_append(run->out, buffer_slice(&run->complaints));
}

static bool run_all(struct mapping_run *run, const struct yaml_node *root,
                    struct mapping_results *results, struct error *err)
{
    bool is_run = true;

    if (!root || root->kind != YAML_LIST)
        return FAIL(err, ERROR_INVALID, "%s: a list of tests is wanted", run->path);
    for (const struct yaml_node *test = root->first; test && is_run; test = test->next) {
        run->rehearsal = rehearsal_new(run->options, keep, run);
        is_run = run_test(run, test, err);
        if (is_run)
            conclude(run, test, results);
        rehearsal_free(run->rehearsal);
        forget_posted(run);
        buffer_reset(&run->complaints);
    }
    return is_run;
}

bool mapping_test_run(const char *path, const struct pipeline_options *options,
                      struct mapping_results *results, struct buffer *out,
                      struct error *err)
{
    struct mapping_run run = {.path = path, .options = options, .out = out};
    struct buffer text = {0};
    struct yaml_tree *tree = NULL;
    bool is_run = false;

    run.arena = arena_new();
    run.patterns = pattern_run_new();
    if (rehearsal_read_file(path, &text, err))
        tree = yaml_tree_parse(buffer_slice(&text), path, err);
    if (tree)
        is_run = run_all(&run, yaml_tree_root(tree), results, err);
    yaml_tree_free(tree);
    buffer_release(&text);
    buffer_release(&run.complaints);
    pattern_run_free(run.patterns);
    arena_free(run.arena);
    free(run.posted);
    return is_run;
}
