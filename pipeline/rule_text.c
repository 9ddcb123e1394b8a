#include "pipeline/rule_text.h"

#include "pipeline/pack.h"
#include "pipeline/rule_read.h"
#include "proto/json_string.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- JSON --------------------------------------------------------------------------------- */

static size_t skip_digits(struct slice text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

/* Decimal digits with at most a sign and a point: JSON and YAML read them alike. */
static bool is_number(struct slice text)
{
    size_t begin = text.len && text.ptr[0] == '-', at = skip_digits(text, begin);

    if (at == begin || (text.ptr[begin] == '0' && at > begin + 1))
        return false;
    if (at < text.len && text.ptr[at] == '.') {
        size_t digits = at + 1;

        at = skip_digits(text, digits);
        if (at == digits)
            return false;
    }
    return at == text.len;
}

static void put_scalar(struct buffer *out, const struct yaml_node *node)
{
    if (yaml_is_null(node))
        buffer_append_text(out, "null");
    else if (node->is_plain && (slice_is(node->text, "true") ||
                                slice_is(node->text, "false") || is_number(node->text)))
        buffer_append(out, node->text);
    else
        json_string_append(out, node->text);
}

/* Recursion is bounded by YAML_MAX_DEPTH. `name`: of a map that has no such member; NULL: none. */
static void put_node(struct buffer *out, const struct yaml_node *node, const char *name)
{
    const char *comma = "";

    if (node->kind == YAML_SCALAR) {
        put_scalar(out, node);
        return;
    }
    buffer_append_char(out, node->kind == YAML_MAP ? '{' : '[');
    if (name) {
        buffer_append_text(out, "\"name\": ");
        json_string_append(out, slice_of(name));
        comma = ", ";
    }
    for (const struct yaml_node *member = node->first; member; member = member->next) {
        buffer_append_text(out, comma);
        comma = ", ";
        if (member->key) {
            json_string_append(out, member->key->text);
            buffer_append_text(out, ": ");
        }
        put_node(out, member, NULL);
    }
    buffer_append_char(out, node->kind == YAML_MAP ? '}' : ']');
}

/* ---- texts -------------------------------------------------------------------------------- */

void rule_text_begin(struct buffer *out)
{
    buffer_append_char(out, '[');
}

void rule_text_end(struct buffer *out)
{
    buffer_append_char(out, ']');
}

void rule_text_add(struct buffer *out, const struct yaml_node *list, const char *prefix)
{
    size_t index = 0;

    if (!list || list->kind != YAML_LIST)
        return;
    for (const struct yaml_node *rule = list->first; rule; rule = rule->next) {
        char name[128];
        bool is_nameless = rule->kind == YAML_MAP && !yaml_find(rule, "name");

        snprintf(name, sizeof(name), "%.100s[%zu]", prefix, index++);
        if (out->ptr[out->len - 1] != '[')
            buffer_append_text(out, ", ");
        put_node(out, rule, is_nameless ? name : NULL);
    }
}

bool rule_text_add_pack(struct buffer *out, const char *name)
{
    const struct pack *pack = packs;
    struct yaml_tree *tree;
    struct error err;

    while (pack->name && strcmp(pack->name, name) != 0)
        pack++;
    if (!pack->name)
        return false;
    tree = yaml_tree_parse(pack->text, pack->name, &err);
    if (!tree)
        abort(); /* it was built in, and a test reads every pack */
    rule_text_add(out, yaml_tree_root(tree), pack->name);
    yaml_tree_free(tree);
    return true;
}

void rule_text_default(struct buffer *out)
{
    static const char *const on[] = {"native-host", "container", "generic"};

    rule_text_begin(out);
    for (size_t i = 0; i < sizeof(on) / sizeof(on[0]); i++)
        if (!rule_text_add_pack(out, on[i]))
            abort();
    rule_text_end(out);
}

static struct rules *compile_default(void)
{
    struct buffer text = {0};
    struct error err;
    struct rules *rules;

    rule_text_default(&text);
    rules = rule_read_text(buffer_slice(&text), "packs", &err);
    if (!rules)
        abort();
    buffer_release(&text);
    return rules;
}

struct rules *rule_text_compile(const char *text)
{
    struct error err;
    struct rules *rules = NULL;

    if (*text)
        rules = rule_read_text(slice_of(text), "rules", &err);
    return rules ? rules : compile_default();
}
