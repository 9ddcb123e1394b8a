#include "base/yaml.h"

#include "base/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct yaml_tree *parse(const char *text)
{
    struct error err;
    struct yaml_tree *tree = yaml_tree_parse(slice_of(text), "test.yaml", &err);

    if (!tree)
        fail_msg("%s", err.text);
    return tree;
}

static void check_refused(const char *text, const char *where, const char *what)
{
    struct error err;

    assert_null(yaml_tree_parse(slice_of(text), "test.yaml", &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_memory_equal(err.text, where, strlen(where));
    if (!strstr(err.text, what))
        fail_msg("\"%s\" does not say \"%s\"", err.text, what);
}

static void maps_lists_and_scalars_make_a_tree(void **state)
{
    (void)state;
    struct yaml_tree *tree = parse("a: 1\nb:\n  - x\n  - {c: \"d\"}\n");
    const struct yaml_node *root = yaml_tree_root(tree), *list = yaml_find(root, "b");

    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(yaml_count(root), 2);
    assert_true(slice_is(yaml_find(root, "a")->text, "1"));
    assert_int_equal(list->kind, YAML_LIST);
    assert_int_equal(yaml_count(list), 2);
    assert_true(slice_is(list->first->text, "x"));
    assert_true(slice_is(yaml_find(list->first->next, "c")->text, "d"));
    assert_null(yaml_find(root, "z"));
    assert_null(yaml_find(list, "a"));
    assert_null(list->first->key);
    yaml_tree_free(tree);
}

static void every_node_knows_where_it_stands(void **state)
{
    (void)state;
    struct yaml_tree *tree = parse("# comment\na: 1\nb:\n  c:   xyz\n");
    const struct yaml_node *c = yaml_find(yaml_find(yaml_tree_root(tree), "b"), "c");

    assert_int_equal(c->line, 4);
    assert_int_equal(c->column, 8);
    assert_int_equal(c->key->line, 4);
    assert_int_equal(c->key->column, 3);
    yaml_tree_free(tree);
}

static void plain_and_quoted_scalars_differ(void **state)
{
    (void)state;
    struct yaml_tree *tree = parse("- true\n- \"true\"\n- 'true'\n- |\n true\n- ~\n"
                                   "- \"\"\n- null\n- \"null\"\n");
    const bool plain[] = {true, false, false, false, true, false, true, false};
    const bool null[] = {false, false, false, false, true, false, true, false};
    const struct yaml_node *node = yaml_tree_root(tree)->first;

    for (size_t i = 0; i < 8; i++, node = node->next) {
        assert_int_equal(node->is_plain, plain[i]);
        assert_int_equal(yaml_is_null(node), null[i]);
    }
    assert_null(node);
    yaml_tree_free(tree);
}

static void a_text_without_content_has_no_root(void **state)
{
    (void)state;
    struct yaml_tree *tree = parse("# only a comment\n");

    assert_null(yaml_tree_root(tree));
    yaml_tree_free(tree);
    tree = parse("");
    assert_null(yaml_tree_root(tree));
    yaml_tree_free(tree);
    yaml_tree_free(NULL);
}

static void a_key_without_value_is_null(void **state)
{
    (void)state;
    struct yaml_tree *tree = parse("a:\nb: x\n");

    assert_true(yaml_is_null(yaml_find(yaml_tree_root(tree), "a")));
    yaml_tree_free(tree);
}

static void traps_are_refused_where_they_stand(void **state)
{
    (void)state;
    check_refused("a: &x 1\n", "test.yaml:1:4: ", "anchors");
    check_refused("a: 1\nb: *x\n", "test.yaml:2:4: ", "alias");
    check_refused("a: !!str 1\n", "test.yaml:1:4: ", "tags");
    check_refused("- !x [1]\n", "test.yaml:1:3: ", "tags");
    check_refused("{a: 1}: 2\n", "test.yaml:1:1: ", "key");
    check_refused("a: 1\nb: 2\na: 3\n", "test.yaml:3:1: ", "already on line 1");
    check_refused("a: 1\n---\nb: 2\n", "test.yaml:2:1: ", "one document");
    check_refused("a: [1\n", "test.yaml:2:1: ", "");
    check_refused("a:\n\t- 1\n", "test.yaml:2:1: ", "");
    check_refused("a: \xFF\n", "test.yaml: ", "UTF-8");
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[2 * YAML_MAX_DEPTH + 3];

    memset(text, '[', YAML_MAX_DEPTH);
    memset(text + YAML_MAX_DEPTH, ']', YAML_MAX_DEPTH);
    text[2 * YAML_MAX_DEPTH] = '\0';
    yaml_tree_free(parse(text));
    memset(text, '[', YAML_MAX_DEPTH + 1);
    memset(text + YAML_MAX_DEPTH + 1, ']', YAML_MAX_DEPTH + 1);
    text[2 * YAML_MAX_DEPTH + 2] = '\0';
    check_refused(text, "test.yaml:1:33: ", "deep");
}

static void size_and_count_are_bounded(void **state)
{
    (void)state;
    struct buffer text = {0};

    buffer_append_char(&text, '[');
    for (int i = 0; i < YAML_MAX_NODES; i++)
        buffer_append_text(&text, "a,");
    buffer_append_text(&text, "a]");
    buffer_append_char(&text, '\0');
    check_refused(text.ptr, "test.yaml:1:", "too many");
    buffer_reset(&text);
    for (int i = 0; i <= YAML_MAX_BYTES; i++)
        buffer_append_char(&text, ' ');
    buffer_append_char(&text, '\0');
    check_refused(text.ptr, "test.yaml: ", "bytes");
    buffer_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_lists_and_scalars_make_a_tree),
        cmocka_unit_test(every_node_knows_where_it_stands),
        cmocka_unit_test(plain_and_quoted_scalars_differ),
        cmocka_unit_test(a_text_without_content_has_no_root),
        cmocka_unit_test(a_key_without_value_is_null),
        cmocka_unit_test(traps_are_refused_where_they_stand),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(size_and_count_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
