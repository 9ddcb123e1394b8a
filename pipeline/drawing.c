#include "pipeline/drawing.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "pipeline/unit.h"

#include <stdlib.h>

static bool ends_with(struct slice text, const char *end)
{
    size_t len = strlen(end);

    return text.len >= len && memcmp(text.ptr + text.len - len, end, len) == 0;
}

static bool ends_with_wildcard(struct slice name)
{
    return ends_with(name, ".*") || ends_with(name, ".#");
}

/* ---- the pool ---------------------------------------------------------------------------- */

static struct hash128 hash_of(const struct drawing_seed *seed)
{
    uint64_t flags = (uint64_t)seed->kind * 8 + seed->has_stacked * 4u +
                     seed->has_title * 2u + seed->is_stacked;
    struct hash128 hash = hash_bytes(seed->name, flags);

    hash = hash_mix(hash, hash_bytes(seed->title, 1));
    hash = hash_mix(hash, hash_bytes(seed->unit, 2));
    return hash_mix(hash, hash_bytes(seed->graph_unit, 3));
}

static struct slice copy_part(char **at, struct slice part)
{
    struct slice copy = {*at, part.len};

    if (part.len)
        memcpy(*at, part.ptr, part.len);
    *at += part.len;
    return copy;
}

static void fill(struct drawing *drawing, const struct drawing_seed *seed)
{
    char *at = memory_new(
        seed->name.len + seed->title.len + seed->unit.len + seed->graph_unit.len + 1, 1);

    drawing->text = at;
    drawing->name = copy_part(&at, seed->name);
    drawing->title = copy_part(&at, seed->title);
    drawing->unit = copy_part(&at, seed->unit);
    drawing->graph_unit = copy_part(&at, seed->graph_unit);
    drawing->kind = (uint8_t)seed->kind;
    drawing->has_title = seed->has_title;
    drawing->is_stacked = seed->is_stacked;
    drawing->has_stacked = seed->has_stacked;
}

uint32_t drawing_take(struct pipeline *p, const struct drawing_seed *seed)
{
    struct hash128 hash = hash_of(seed);
    uint32_t index = table_find(&p->drawing_table, hash);

    if (index == TABLE_NONE) {
        index = pool_take(&p->drawings);
        fill(state_drawing(p, index), seed);
        state_drawing(p, index)->hash = hash;
        table_insert(&p->drawing_table, hash, index);
    }
    return drawing_share(p, index);
}

uint32_t drawing_share(struct pipeline *p, uint32_t index)
{
    if (index != POOL_NONE)
        state_drawing(p, index)->users++;
    return index;
}

void drawing_give(struct pipeline *p, uint32_t index)
{
    if (index == POOL_NONE)
        return;

    struct drawing *drawing = state_drawing(p, index);

    if (--drawing->users)
        return;
    table_remove(&p->drawing_table, drawing->hash);
    free(drawing->text);
    drawing->text = NULL;
    pool_give(&p->drawings, index);
}

/* ---- titles and units -------------------------------------------------------------------- */

static size_t last_dot(struct slice name)
{
    size_t at = name.len;

    while (at && name.ptr[at - 1] != '.')
        at--;
    return at ? at - 1 : 0;
}

uint32_t drawing_take_container(struct pipeline *p, enum native_group group,
                                struct slice name)
{
    struct drawing_seed seed = {.kind = CELL_INSTANTS, .has_title = true};
    uint32_t drawing;
    char *pattern;

    bool is_memory = group == NATIVE_CONTAINER_MEMORY;

    if (!slice_starts_with(name, "custom."))
        return POOL_NONE;
    seed.title = slice_of(is_memory ? "Memory of containers"
                                    : "CPU of containers (a core is 100)");
    seed.graph_unit = slice_of(is_memory ? "bytes" : "float");
    pattern = memory_copy(name);
    seed.name = (struct slice){pattern, last_dot(name) + 2};
    pattern[seed.name.len - 1] = '#';
    drawing = drawing_take(p, &seed);
    free(pattern);
    return drawing;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the first sentence ends: before a line break, or a full stop with a blank or nothing behind. */
static size_t sentence_end(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n' || text.ptr[i] == '\r')
            return i;
        if (text.ptr[i] == '.' && (i + 1 == text.len || is_blank(text.ptr[i + 1])))
            return i;
    }
    return text.len;
}

struct slice drawing_title(struct slice description)
{
    struct slice title = description;

    while (title.len && is_blank(*title.ptr))
        title = (struct slice){title.ptr + 1, title.len - 1};
    title.len = sentence_end(title);
    if (title.len > DRAWING_TITLE_MAX) {
        title.len = DRAWING_TITLE_MAX;
        /* Not through a character: bytes 10xxxxxx go on with one. */
        while (title.len && ((unsigned char)title.ptr[title.len] & 0xC0) == 0x80)
            title.len--;
    }
    while (title.len && is_blank(title.ptr[title.len - 1]))
        title.len--;
    return title;
}

static bool is_distribution(const struct drawing *drawing)
{
    return drawing->kind != CELL_RATE && drawing->kind != CELL_MEAN &&
           drawing->kind != CELL_SUM;
}

/* What Mackerel calls the unit of `<name><statistic>`; empty: no say. */
static const char *unit_of(const struct drawing *drawing, struct slice name,
                           struct slice statistic)
{
    if (ends_with(name, ".percentage"))
        return "percentage";
    if (slice_starts_with(statistic, ".saturation"))
        return "";
    if (slice_starts_with(statistic, ".count"))
        return is_distribution(drawing) ? "" : "integer";
    if (slice_starts_with(statistic, ".rate") && is_distribution(drawing))
        return "";
    return unit_graph(drawing->unit, slice_starts_with(statistic, ".rate") ||
                                         slice_starts_with(statistic, ".sum"));
}

/* ---- lists ------------------------------------------------------------------------------- */

/* A definition while texts may still move: all of them lie behind `at`. */
struct drawing_wish {
    uint32_t drawing;
    uint32_t at, graph_len, name_len; /* the graph's name, a dot, the line's segment */
    uint32_t statistic_len;
    bool is_part; /* its cell's last segment is a kept attribute */
};

static struct slice behind(struct slice text, size_t at)
{
    return (struct slice){text.ptr + at, text.len - at};
}

/* The part before the next dot, taken off the text. */
static struct slice cut_segment(struct slice *text)
{
    const char *dot = text->len ? memchr(text->ptr, '.', text->len) : NULL;
    size_t len = dot ? (size_t)(dot - text->ptr) : text->len;
    struct slice segment = {text->ptr, len};

    len += dot != NULL;
    *text = behind(*text, len);
    return segment;
}

/*
 * The cell's name with wildcards: attributes of points are segments that its family's name does not have,
 * has otherwise, or has as "_", because it knows no point.
 */
static void append_pattern(struct buffer *out, struct slice family, struct slice cell)
{
    bool has_group = false;

    while (cell.len) {
        struct slice segment = cut_segment(&cell), known = cut_segment(&family);

        if (known.len == 0 || slice_is(known, "_") || !slice_equal(segment, known)) {
            bool is_second = has_group || slice_is(known, "*");

            segment = slice_of(is_second ? "*" : "#");
            has_group = true;
        }
        buffer_append(out, segment);
        if (cell.len)
            buffer_append_char(out, '.');
    }
}

/* The value's own segment, where a wildcard may not stand in its place. */
static void name_line(struct buffer *text, size_t at, struct slice value)
{
    struct slice name = behind(buffer_slice(text), at);
    size_t dot = last_dot(name);
    struct slice graph = {name.ptr, dot};

    if (mackerel_is_graph_segment(graph, behind(name, dot + 1)))
        return;
    text->len = at + dot + 1;
    buffer_append(text, behind(value, last_dot(value) + 1));
}

static bool is_new(struct drawing_list *list, const struct drawing *drawing,
                   struct slice name)
{
    struct hash128 hash = hash_mix(drawing->hash, hash_bytes(name, 0));

    if (table_find(&list->seen, hash) != TABLE_NONE)
        return false;
    table_insert(&list->seen, hash, (uint32_t)list->count);
    return true;
}

static void wish(struct pipeline *p, const struct emission *emission)
{
    struct drawing_list *list = &p->drawing_list;
    const struct drawing *drawing = state_drawing(p, emission->drawing);
    struct slice value = {p->emission_text.ptr + emission->name_at, emission->name_len};
    struct slice statistic = behind(value, emission->base_len);
    size_t at = list->text.len;

    append_pattern(&list->text, drawing->name,
                   (struct slice){value.ptr, emission->base_len});

    bool is_part = ends_with_wildcard(behind(buffer_slice(&list->text), at));

    buffer_append(&list->text, statistic);
    name_line(&list->text, at, value);

    struct slice name = behind(buffer_slice(&list->text), at);
    struct slice graph = {name.ptr, last_dot(name)};

    if (!mackerel_is_graph_name(graph) || !is_new(list, drawing, name)) {
        list->text.len = at;
        return;
    }
    list->wishes = memory_grow(list->wishes, list->count + 1, &list->room,
                               sizeof(*list->wishes));
    list->wishes[list->count++] = (struct drawing_wish){
        .drawing = emission->drawing,
        .at = (uint32_t)at,
        .graph_len = (uint32_t)graph.len,
        .name_len = (uint32_t)name.len,
        .statistic_len = (uint32_t)statistic.len,
        .is_part = is_part,
    };
}

/* Parts of a sum, one a line, unless a rule says otherwise. */
static bool is_stacked_part(const struct drawing *drawing,
                            const struct drawing_wish *wish)
{
    return drawing->kind == CELL_SUM && !drawing->has_stacked && wish->is_part &&
           wish->statistic_len == 0;
}

/*
 * A title is the graph's where the metric has the graph for itself: before its statistics, or its kept
 * attribute. Else it is the line's, if a rule gave it.
 */
static void write(const struct pipeline *p, const struct drawing_wish *wish,
                  struct mackerel_graph *graph, struct mackerel_line *line)
{
    const struct drawing *drawing = state_drawing(p, wish->drawing);
    const char *text = p->drawing_list.text.ptr + wish->at;
    struct slice name = {text, wish->name_len};
    struct slice statistic = behind(name, wish->name_len - wish->statistic_len);
    bool is_own = wish->statistic_len || wish->is_part;

    *line = (struct mackerel_line){
        .segment = behind(name, wish->graph_len + 1),
        .is_stacked = drawing->is_stacked || is_stacked_part(drawing, wish),
    };
    *graph = (struct mackerel_graph){
        .name = {text, wish->graph_len},
        .unit = drawing->graph_unit,
        .lines = line,
        .count = 1,
    };
    if (drawing->graph_unit.len == 0)
        graph->unit = slice_of(unit_of(drawing, name, statistic));
    if (is_own)
        graph->display_name = drawing->title;
    else if (drawing->has_title)
        line->display_name = drawing->title;
}

size_t drawing_list(struct pipeline *p, const struct mackerel_graph **graphs)
{
    struct drawing_list *list = &p->drawing_list;

    list->count = 0;
    buffer_reset(&list->text);
    for (size_t i = 0; i < p->emission_count; i++)
        if (p->emissions[i].drawing != POOL_NONE)
            wish(p, &p->emissions[i]);
    table_release(&list->seen);
    list->graphs = memory_grow(list->graphs, list->count, &list->graph_room,
                               sizeof(*list->graphs));
    list->lines = memory_grow(list->lines, list->count, &list->line_room,
                              sizeof(*list->lines));
    for (size_t i = 0; i < list->count; i++)
        write(p, &list->wishes[i], &list->graphs[i], &list->lines[i]);
    *graphs = list->graphs;
    return list->count;
}

void drawing_release(struct drawing_list *list)
{
    table_release(&list->seen);
    buffer_release(&list->text);
    free(list->wishes);
    free(list->graphs);
    free(list->lines);
}
