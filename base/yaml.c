#include "base/yaml.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/table.h"

#include <yaml.h>

#include <stdint.h>
#include <stdlib.h>

struct yaml_tree {
    struct arena *arena;
    struct yaml_node *root;
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the current one; empty after it was taken */
    struct arena *arena;
    const char *file;
    struct error *err;
    unsigned depth, nodes;
};

static bool fail_at(struct reader *reader, yaml_mark_t mark, const char *what)
{
    return FAIL(reader->err, ERROR_INVALID, "%s:%zu:%zu: %s", reader->file, mark.line + 1,
                mark.column + 1, what);
}

static bool fail_here(struct reader *reader, const char *what)
{
    return fail_at(reader, reader->event.start_mark, what);
}

static bool next_event(struct reader *reader)
{
    yaml_parser_t *parser = &reader->parser;

    yaml_event_delete(&reader->event);
    if (yaml_parser_parse(parser, &reader->event))
        return true;
    if (parser->error == YAML_READER_ERROR) {
        return FAIL(reader->err, ERROR_INVALID, "%s: %s at byte %zu", reader->file,
                    parser->problem, parser->problem_offset);
    }
    return fail_at(reader, parser->problem_mark, parser->problem);
}

static struct slice keep_text(struct reader *reader, const unsigned char *text,
                              size_t len)
{
    char *copy = arena_alloc(reader->arena, len + 1);

    if (len)
        memcpy(copy, text, len);
    return (struct slice){copy, len};
}

static struct yaml_node *add_node(struct reader *reader, enum yaml_kind kind)
{
    struct yaml_node *node = arena_alloc(reader->arena, sizeof(*node));

    node->kind = kind;
    node->line = (unsigned)reader->event.start_mark.line + 1;
    node->column = (unsigned)reader->event.start_mark.column + 1;
    reader->nodes++;
    return node;
}

/* Anchors and tags are refused on every kind of node. */
static bool check_plainness(struct reader *reader, const void *anchor, const void *tag)
{
    if (anchor)
        return fail_here(reader, "anchors are not supported; write the value out");
    if (tag)
        return fail_here(reader,
                         "tags are not supported; quote a text that looks otherwise");
    if (reader->nodes >= YAML_MAX_NODES)
        return fail_here(reader, "too many values");
    return true;
}

static bool read_node(struct reader *reader, struct yaml_node **node);

static bool read_scalar(struct reader *reader, struct yaml_node **node)
{
    yaml_event_t *event = &reader->event;

    if (!check_plainness(reader, event->data.scalar.anchor, event->data.scalar.tag))
        return false;
    *node = add_node(reader, YAML_SCALAR);
    (*node)->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    (*node)->text = keep_text(reader, event->data.scalar.value,
                              event->data.scalar.length);
    return true;
}

static bool read_list(struct reader *reader, struct yaml_node **node)
{
    yaml_event_t *event = &reader->event;

    if (!check_plainness(reader, event->data.sequence_start.anchor,
                         event->data.sequence_start.tag))
        return false;
    *node = add_node(reader, YAML_LIST);

    struct yaml_node **end = &(*node)->first;

    while (next_event(reader)) {
        if (event->type == YAML_SEQUENCE_END_EVENT)
            return true;
        if (!read_node(reader, end))
            return false;
        end = &(*end)->next;
    }
    return false;
}

/* `keys` maps the hashes of the map's keys to their line numbers. */
static bool read_key(struct reader *reader, struct table *keys, struct yaml_node **key)
{
    if (reader->event.type == YAML_ALIAS_EVENT)
        return fail_here(reader, "aliases are not supported; write the value out");
    if (reader->event.type != YAML_SCALAR_EVENT)
        return fail_here(reader, "a key must be a text");
    if (!read_scalar(reader, key))
        return false;

    struct hash128 hash = hash_bytes((*key)->text, 0);
    uint32_t line = table_find(keys, hash);

    if (line != TABLE_NONE) {
        return FAIL(reader->err, ERROR_INVALID,
                    "%s:%u:%u: key \"%.100s\" is already on line %u", reader->file,
                    (*key)->line, (*key)->column, (*key)->text.ptr, line);
    }
    table_insert(keys, hash, (*key)->line);
    return true;
}

static bool read_members(struct reader *reader, struct table *keys,
                         struct yaml_node **end)
{
    while (next_event(reader)) {
        struct yaml_node *key = NULL; /* gcc 14 does not see that read_key() sets it */

        if (reader->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!read_key(reader, keys, &key) || !next_event(reader) ||
            !read_node(reader, end))
            return false;
        (*end)->key = key;
        end = &(*end)->next;
    }
    return false;
}

static bool read_map(struct reader *reader, struct yaml_node **node)
{
    yaml_event_t *event = &reader->event;
    struct table keys = {0};

    if (!check_plainness(reader, event->data.mapping_start.anchor,
                         event->data.mapping_start.tag))
        return false;
    *node = add_node(reader, YAML_MAP);

    bool ok = read_members(reader, &keys, &(*node)->first);

    table_release(&keys);
    return ok;
}

/* Reads the node that the current event begins. */
static bool read_node(struct reader *reader, struct yaml_node **node)
{
    bool ok;

    if (reader->depth == YAML_MAX_DEPTH)
        return fail_here(reader, "nested too deep");
    reader->depth++;
    if (reader->event.type == YAML_SCALAR_EVENT)
        ok = read_scalar(reader, node);
    else if (reader->event.type == YAML_SEQUENCE_START_EVENT)
        ok = read_list(reader, node);
    else if (reader->event.type == YAML_MAPPING_START_EVENT)
        ok = read_map(reader, node);
    else
        ok = fail_here(reader, "aliases are not supported; write the value out");
    reader->depth--;
    return ok;
}

static bool skip_events(struct reader *reader, int count)
{
    while (count-- > 0)
        if (!next_event(reader))
            return false;
    return true;
}

static bool read_stream(struct reader *reader, struct yaml_node **root)
{
    /* The stream's start, then the document's, if there is one. */
    if (!skip_events(reader, 2))
        return false;
    if (reader->event.type == YAML_STREAM_END_EVENT)
        return true;
    if (!next_event(reader) || !read_node(reader, root))
        return false;
    /* The document's end, then the stream's. */
    if (!skip_events(reader, 2))
        return false;
    if (reader->event.type != YAML_STREAM_END_EVENT)
        return fail_here(reader, "only one document is expected");
    return true;
}

struct yaml_tree *yaml_tree_parse(struct slice text, const char *file, struct error *err)
{
    struct reader reader = {.file = file, .err = err};
    struct yaml_tree *tree;

    if (text.len > YAML_MAX_BYTES) {
        FAIL(err, ERROR_INVALID, "%s: over %d bytes", file, YAML_MAX_BYTES);
        return NULL;
    }
    if (!yaml_parser_initialize(&reader.parser))
        abort(); /* out of memory */
    yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)text.ptr,
                                 text.len);
    tree = memory_new(1, sizeof(*tree));
    tree->arena = reader.arena = arena_new();
    if (!read_stream(&reader, &tree->root)) {
        yaml_tree_free(tree);
        tree = NULL;
    }
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    return tree;
}

void yaml_tree_free(struct yaml_tree *tree)
{
    if (!tree)
        return;
    arena_free(tree->arena);
    free(tree);
}

void yaml_tree_set_text(struct yaml_tree *tree, const struct yaml_node *node,
                        struct slice text)
{
    struct yaml_node *ours = (struct yaml_node *)(uintptr_t)node;
    char *copy = arena_alloc(tree->arena, text.len + 1);

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    ours->text = (struct slice){copy, text.len};
}

const struct yaml_node *yaml_tree_root(const struct yaml_tree *tree)
{
    return tree->root;
}

const struct yaml_node *yaml_find(const struct yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (const struct yaml_node *member = map->first; member; member = member->next)
        if (slice_is(member->key->text, key))
            return member;
    return NULL;
}

size_t yaml_count(const struct yaml_node *node)
{
    size_t count = 0;

    for (const struct yaml_node *member = node->first; member; member = member->next)
        count++;
    return count;
}

bool yaml_is_null(const struct yaml_node *node)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL"};

    if (node->kind != YAML_SCALAR || !node->is_plain)
        return false;
    for (size_t i = 0; i < sizeof(nulls) / sizeof(nulls[0]); i++)
        if (slice_is(node->text, nulls[i]))
            return true;
    return false;
}
