#include "exporter/graph_book.h"

#include "base/memory.h"
#include "base/utf8.h"

#include <stdlib.h>

/* ---- looks ------------------------------------------------------------------------------- */

/* Parts of a stored text; neither can be in a text of a graph. */
#define PART_END "\x1f"
#define LINE_END "\n"

static char *copy_text(struct slice text)
{
    char copy[GRAPH_TITLE_MAX + 1];

    return memory_copy((struct slice){copy, utf8_copy(copy, sizeof(copy), text)});
}

static struct graph_look make_look(const struct mackerel_graph *graph,
                                   const struct mackerel_line *line)
{
    return (struct graph_look){
        .title = copy_text(graph->display_name),
        .unit = copy_text(graph->unit),
        .label = copy_text(line->display_name),
        .is_stacked = line->is_stacked,
    };
}

static void release_look(struct graph_look *look)
{
    free(look->title);
    free(look->unit);
    free(look->label);
    *look = (struct graph_look){0};
}

static bool looks_equal(const struct graph_look *a, const struct graph_look *b)
{
    return a->is_stacked == b->is_stacked && strcmp(a->title, b->title) == 0 &&
           strcmp(a->unit, b->unit) == 0 && strcmp(a->label, b->label) == 0;
}

/* ---- graphs ------------------------------------------------------------------------------ */

static void release_graph(struct graph *graph)
{
    for (size_t i = 0; i < graph->count; i++) {
        release_look(&graph->lines[i].look);
        release_look(&graph->lines[i].other);
        free(graph->lines[i].segment);
    }
    free(graph->lines);
    free(graph->name);
}

void graph_book_release(struct graph_book *book)
{
    for (size_t i = 0; i < book->count; i++)
        release_graph(&book->graphs[i]);
    for (size_t i = 0; i < book->gone_count; i++)
        free(book->gone[i]);
    free(book->graphs);
    free(book->gone);
    table_release(&book->index);
    *book = (struct graph_book){0};
}

static struct hash128 hash_name(struct slice name)
{
    return hash_bytes(name, 0);
}

struct graph *graph_book_find(const struct graph_book *book, struct slice name)
{
    uint32_t at = table_find(&book->index, hash_name(name));

    return at == TABLE_NONE ? NULL : &book->graphs[at];
}

static struct graph *add_graph(struct graph_book *book, struct slice name)
{
    if (book->count >= GRAPHS_MAX || !mackerel_is_graph_name(name))
        return NULL;
    book->graphs = memory_grow(book->graphs, book->count + 1, &book->capacity,
                               sizeof(book->graphs[0]));
    table_insert(&book->index, hash_name(name), (uint32_t)book->count);
    book->graphs[book->count] = (struct graph){.name = memory_copy(name)};
    return &book->graphs[book->count++];
}

static struct graph_line *find_line(const struct graph *graph, struct slice segment)
{
    for (size_t i = 0; i < graph->count; i++)
        if (slice_is(segment, graph->lines[i].segment))
            return &graph->lines[i];
    return NULL;
}

/* The look becomes the line's. */
static void add_line(struct graph *graph, struct slice segment,
                     const struct graph_look *look)
{
    graph->lines = memory_grow(graph->lines, graph->count + 1, &graph->capacity,
                               sizeof(graph->lines[0]));
    graph->lines[graph->count++] = (struct graph_line){
        .segment = memory_copy(segment),
        .look = *look,
        .is_wanted = true,
    };
}

/* The look becomes the line's, as its first or its second opinion. */
static void hear(struct graph_line *line, struct graph_look *look)
{
    if (looks_equal(&line->look, look)) {
        line->is_wanted = true;
        release_look(look);
        return;
    }
    release_look(&line->other);
    line->other = *look;
}

static bool want_line(struct graph *graph, struct slice segment, struct graph_look *look)
{
    struct graph_line *line = find_line(graph, segment);

    graph->is_wanted = true;
    if (line)
        hear(line, look);
    else if (graph->count < GRAPH_LINES_MAX &&
             mackerel_is_graph_segment(slice_of(graph->name), segment))
        add_line(graph, segment, look);
    else
        return false;
    return true;
}

void graph_book_want(struct graph_book *book, const struct mackerel_graph *wanted)
{
    struct graph *graph = graph_book_find(book, wanted->name);

    if (!graph)
        graph = add_graph(book, wanted->name);
    for (size_t i = 0; i < wanted->count; i++) {
        struct graph_look look = make_look(wanted, &wanted->lines[i]);

        if (graph && want_line(graph, wanted->lines[i].segment, &look))
            continue;
        book->refused++;
        release_look(&look);
    }
}

/* ---- moving ------------------------------------------------------------------------------ */

static void move_look(struct graph_book *book, struct graph *to, const char *segment,
                      struct graph_look *look)
{
    if (!look->title)
        return;
    if (!to || !want_line(to, slice_of(segment), look)) {
        book->refused++;
        release_look(look);
    }
    *look = (struct graph_look){0};
}

void graph_book_move(struct graph_book *book, struct graph_book *from)
{
    for (size_t i = 0; i < from->count; i++) {
        struct graph *graph = &from->graphs[i];
        struct graph *to = graph_book_find(book, slice_of(graph->name));

        if (!to)
            to = add_graph(book, slice_of(graph->name));
        for (size_t k = 0; k < graph->count; k++) {
            move_look(book, to, graph->lines[k].segment, &graph->lines[k].look);
            move_look(book, to, graph->lines[k].segment, &graph->lines[k].other);
        }
    }
    book->refused += from->refused;
    graph_book_release(from);
}

/* ---- time -------------------------------------------------------------------------------- */

static void tend_line(struct graph_line *line, uint64_t now_s)
{
    if (line->is_wanted)
        line->held_s = now_s;
    else if (line->other.title && now_s >= line->held_s + GRAPH_CHANGE_S) {
        release_look(&line->look);
        line->look = line->other;
        line->other = (struct graph_look){0};
        line->held_s = now_s;
    }
    line->is_wanted = false;
}

static bool has_wildcard(const struct graph *graph)
{
    return strpbrk(graph->name, "*#") != NULL;
}

/* Mackerel has forgotten it, if nothing that fits has arrived for long. */
static void tend_life(struct graph *graph, uint64_t now_s, bool arrive)
{
    uint64_t seen_s = graph->posted_s > graph->used_s ? graph->posted_s : graph->used_s;

    if (has_wildcard(graph) && graph->posted && now_s >= seen_s + GRAPH_LIFE_S) {
        graph->posted = 0;
        graph->is_dirty = true;
    }
    if (!arrive)
        return;
    graph->used_s = now_s;
    if (graph->posted && now_s >= graph->stored_s + GRAPH_STORE_S)
        graph->is_dirty = true;
}

static void tend_hash(struct graph *graph, struct buffer *text, uint64_t now_s)
{
    uint64_t hash;

    buffer_reset(text);
    hash = graph_write(graph, text);
    if (hash != graph->hash)
        graph->changed_s = now_s;
    graph->hash = hash;
}

static void tend_graph(struct graph *graph, struct buffer *text, uint64_t now_s,
                       bool arrive)
{
    for (size_t i = 0; i < graph->count; i++)
        tend_line(&graph->lines[i], now_s);
    tend_hash(graph, text, now_s);
    graph->wanted_s = now_s;
    graph->is_wanted = false;
    tend_life(graph, now_s, arrive);
}

static void forget(struct graph_book *book, size_t at)
{
    struct graph *graph = &book->graphs[at];

    table_remove(&book->index, hash_name(slice_of(graph->name)));
    book->gone = memory_grow(book->gone, book->gone_count + 1, &book->gone_capacity,
                             sizeof(book->gone[0]));
    book->gone[book->gone_count++] = memory_copy(slice_of(graph->name));
    release_graph(graph);
    *graph = book->graphs[--book->count];
    if (at < book->count)
        table_insert(&book->index, hash_name(slice_of(graph->name)), (uint32_t)at);
}

void graph_book_tend(struct graph_book *book, uint64_t now_s, bool arrive)
{
    struct buffer text = {0};

    for (size_t i = book->count; i-- > 0;) {
        struct graph *graph = &book->graphs[i];

        if (graph->is_wanted)
            tend_graph(graph, &text, now_s, arrive);
        else if (graph->wanted_s == 0)
            graph->wanted_s = now_s; /* from disk */
        else if (now_s >= graph->wanted_s + GRAPH_FORGET_S)
            forget(book, i);
    }
    buffer_release(&text);
}

/* ---- posting ----------------------------------------------------------------------------- */

static bool is_due(const struct graph *graph, uint64_t now_s)
{
    uint64_t gather_s = graph->posted_s ? GRAPH_EXTEND_S : GRAPH_GATHER_S;

    return graph->hash && graph->hash != graph->posted && graph->hash != graph->refused &&
           now_s >= graph->changed_s + gather_s;
}

struct graph *graph_book_due(const struct graph_book *book, size_t at, uint64_t now_s)
{
    for (; at < book->count; at++)
        if (is_due(&book->graphs[at], now_s))
            return &book->graphs[at];
    return NULL;
}

static const char *common_title(const struct graph *graph)
{
    for (size_t i = 1; i < graph->count; i++)
        if (strcmp(graph->lines[i].look.title, graph->lines[0].look.title) != 0)
            return "";
    return graph->count ? graph->lines[0].look.title : "";
}

/* Lines without a unit have no say. */
static const char *common_unit(const struct graph *graph)
{
    const char *common = NULL;

    for (size_t i = 0; i < graph->count; i++) {
        const char *unit = graph->lines[i].look.unit;

        if (!*unit)
            continue;
        if (common && strcmp(common, unit) != 0)
            return "float";
        common = unit;
    }
    return common ? common : "float";
}

uint64_t graph_write(const struct graph *graph, struct buffer *out)
{
    struct mackerel_line lines[GRAPH_LINES_MAX];
    size_t begin = out->len;

    for (size_t i = 0; i < graph->count; i++)
        lines[i] = (struct mackerel_line){
            .segment = slice_of(graph->lines[i].segment),
            .display_name = slice_of(graph->lines[i].look.label),
            .is_stacked = graph->lines[i].look.is_stacked,
        };
    mackerel_write_graph(out, &(struct mackerel_graph){
                                  .name = slice_of(graph->name),
                                  .display_name = slice_of(common_title(graph)),
                                  .unit = slice_of(common_unit(graph)),
                                  .lines = lines,
                                  .count = graph->count,
                              });

    uint64_t hash = hash_bytes((struct slice){out->ptr + begin, out->len - begin}, 0).low;

    return hash ? hash : 1;
}

void graph_posted(struct graph *graph, uint64_t hash, uint64_t now_s)
{
    graph->posted = hash;
    graph->posted_s = now_s;
    graph->refused = 0;
    graph->is_dirty = true;
}

void graph_refused(struct graph *graph, uint64_t hash)
{
    graph->refused = hash;
}

/* ---- on disk ----------------------------------------------------------------------------- */

bool graph_book_is_dirty(const struct graph_book *book)
{
    for (size_t i = 0; i < book->count; i++)
        if (book->graphs[i].is_dirty)
            return true;
    return book->gone_count > 0;
}

void graph_book_stored(struct graph_book *book)
{
    for (size_t i = 0; i < book->count; i++) {
        struct graph *graph = &book->graphs[i];

        if (graph->is_dirty)
            graph->stored_s = graph->used_s;
        graph->is_dirty = false;
    }
    for (size_t i = 0; i < book->gone_count; i++)
        free(book->gone[i]);
    book->gone_count = 0;
}

void graph_store(const struct graph *graph, struct buffer *out)
{
    for (size_t i = 0; i < graph->count; i++) {
        const struct graph_line *line = &graph->lines[i];

        buffer_printf(
            out, "%s" PART_END "%s" PART_END "%s" PART_END "%s" PART_END "%d" LINE_END,
            line->segment, line->look.title, line->look.unit, line->look.label,
            line->look.is_stacked);
    }
}

/* Takes what is before the end mark off the text. */
static struct slice cut(struct slice *text, const char *end)
{
    const char *found = text->len ? memchr(text->ptr, *end, text->len) : NULL;
    size_t len = found ? (size_t)(found - text->ptr) : text->len;
    struct slice part = {text->ptr, len};

    len += found != NULL;
    *text = (struct slice){text->ptr + len, text->len - len};
    return part;
}

static void restore_line(struct graph *graph, struct slice text)
{
    struct slice segment = cut(&text, PART_END);
    struct mackerel_graph head = {0};
    struct mackerel_line line = {0};
    struct graph_look look;

    head.display_name = cut(&text, PART_END);
    head.unit = cut(&text, PART_END);
    line.display_name = cut(&text, PART_END);
    line.is_stacked = slice_is(text, "1");
    look = make_look(&head, &line);
    if (!want_line(graph, segment, &look))
        release_look(&look);
}

struct graph *graph_book_restore(struct graph_book *book, struct slice name,
                                 struct slice text)
{
    struct graph *graph = graph_book_find(book, name) ? NULL : add_graph(book, name);

    if (!graph)
        return NULL;
    while (text.len)
        restore_line(graph, cut(&text, LINE_END));
    graph->is_wanted = false;
    for (size_t i = 0; i < graph->count; i++)
        graph->lines[i].is_wanted = false;
    return graph;
}
