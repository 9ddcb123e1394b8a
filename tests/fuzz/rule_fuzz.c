/*
 * Any bytes as rules: they are refused with a place, or compile; then their canonical text compiles to as
 * many, and a metric is matched and named by each.
 */
#include "base/yaml.h"
#include "pipeline/rule_match.h"
#include "pipeline/rule_read.h"
#include "pipeline/rule_text.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct rules *rules)
{
    struct otlp_resource resource = {0};
    struct otlp_scope scope = {.name = SLICE("io.opentelemetry.tomcat")};
    struct otlp_metric metric = {.kind = OTLP_SUM,
                                 .name = SLICE("http.server.aaaaaaaaaaaaaaaa!"),
                                 .unit = SLICE("ms")};
    struct otlp_point point = {0};
    struct template_source source = {&metric, &point, &scope, &resource};
    struct buffer name = {0};

    if (rule_match_family(rules, &source) != RULE_NONE && rules->count == 0)
        abort();
    for (size_t i = 0; i < rules->count; i++) {
        const struct rule *rule = &rules->items[i];

        if (rule_match_point(rules, rule, &source) && rule->metric)
            template_append_name(rule->metric, &source, &name);
        if (rule_match_labels(rules, rule, &source) >> rule->label_count)
            abort();
    }
    buffer_release(&name);
}

static void compile_again(struct slice text, size_t count)
{
    struct buffer canonical = {0};
    struct error err;
    struct yaml_tree *tree = yaml_tree_parse(text, "fuzz", &err);
    struct rules *again;

    if (!tree)
        abort();
    rule_text_begin(&canonical);
    rule_text_add(&canonical, yaml_tree_root(tree), "fuzz");
    rule_text_end(&canonical);
    again = rule_read_text(buffer_slice(&canonical), "again", &err);
    /* Long keys and deep nesting that block style allows are refused where flow style does not. */
    if (again && again->count != count)
        abort();
    rules_free(again);
    buffer_release(&canonical);
    yaml_tree_free(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size};
    struct error err = {0};
    struct rules *rules = rule_read_text(text, "fuzz", &err);

    if (!rules) {
        if (err.text[0] == '\0')
            abort();
        return 0;
    }
    use(rules);
    compile_again(text, rules->count);
    rules_free(rules);
    return 0;
}
