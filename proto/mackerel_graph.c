#include "proto/mackerel.h"

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

static bool is_wildcard(struct slice segment)
{
    return slice_is(segment, "*") || slice_is(segment, "#");
}

static bool is_segment(struct slice segment)
{
    for (size_t i = 0; i < segment.len; i++)
        if (!is_name_char(segment.ptr[i]))
            return is_wildcard(segment);
    return segment.len > 0;
}

/* Takes the part before the next dot off the text. */
static struct slice cut_segment(struct slice *text)
{
    const char *dot = text->len ? memchr(text->ptr, '.', text->len) : NULL;
    size_t len = dot ? (size_t)(dot - text->ptr) : text->len;
    struct slice segment = {text->ptr, len};

    len += dot != NULL;
    *text = (struct slice){text->ptr + len, text->len - len};
    return segment;
}

bool mackerel_is_graph_name(struct slice name)
{
    struct slice rest = name;
    int groups = 0;

    if (!slice_is(cut_segment(&rest), "custom") || rest.len == 0 ||
        name.ptr[name.len - 1] == '.')
        return false;
    while (rest.len) {
        struct slice segment = cut_segment(&rest);

        groups += slice_is(segment, "#");
        if (!is_segment(segment))
            return false;
    }
    return groups <= 1;
}

bool mackerel_is_graph_segment(struct slice graph, struct slice segment)
{
    bool has_group = graph.len && memchr(graph.ptr, '#', graph.len);
    bool has_any = graph.len && memchr(graph.ptr, '*', graph.len);

    if (slice_is(segment, "#"))
        return has_any && !has_group;
    if (slice_is(segment, "*"))
        return has_any || has_group;
    return is_segment(segment);
}

static void write_line(struct buffer *out, struct slice graph,
                       const struct mackerel_line *line)
{
    /* Both parts are of characters that JSON leaves alone. */
    buffer_printf(out, "{\"name\":\"%.*s.%.*s\"", SLICE_ARG(graph),
                  SLICE_ARG(line->segment));
    if (line->display_name.len) {
        buffer_append_text(out, ",\"displayName\":");
        mackerel_write_string(out, line->display_name);
    }
    buffer_append_text(out, line->is_stacked ? ",\"isStacked\":true}"
                                             : ",\"isStacked\":false}");
}

void mackerel_write_graph(struct buffer *out, const struct mackerel_graph *graph)
{
    buffer_append_text(out, "{\"name\":");
    mackerel_write_string(out, graph->name);
    if (graph->display_name.len) {
        buffer_append_text(out, ",\"displayName\":");
        mackerel_write_string(out, graph->display_name);
    }
    buffer_append_text(out, ",\"unit\":");
    mackerel_write_string(out, graph->unit);
    buffer_append_text(out, ",\"metrics\":[");
    for (size_t i = 0; i < graph->count; i++) {
        if (i)
            buffer_append_char(out, ',');
        write_line(out, graph->name, &graph->lines[i]);
    }
    buffer_append_text(out, "]}");
}
