#include "pipeline/template.h"

#include "pipeline/name.h"

/* ---- compiling ---------------------------------------------------------------------------- */

static struct slice copy(struct arena *arena, struct slice text)
{
    char *to = arena_alloc(arena, text.len + 1);

    if (text.len)
        memcpy(to, text.ptr, text.len);
    return (struct slice){to, text.len};
}

static size_t count_of(struct slice text, char c)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == c;
    return count;
}

/* Cuts what stands before the first `end` off the text; all of it where there is none. */
static struct slice cut(struct slice *text, char end)
{
    const char *at = text->len ? memchr(text->ptr, end, text->len) : NULL;
    struct slice head = {text->ptr, at ? (size_t)(at - text->ptr) : text->len};
    size_t used = head.len + (at != NULL);

    *text = (struct slice){text->ptr + used, text->len - used};
    return head;
}

static void add_literal(struct template *template, struct slice text, struct arena *arena)
{
    struct template_part *part = &template->parts[template->count++];

    part->is_literal = true;
    part->key_count = 1;
    part->keys = arena_alloc(arena, sizeof(*part->keys));
    part->keys[0] = copy(arena, text);
}

static bool add_keys(struct template *template, struct slice keys, struct arena *arena,
                     struct error *err)
{
    struct template_part *part = &template->parts[template->count++];
    size_t count = count_of(keys, '|') + 1;

    part->keys = arena_alloc(arena, count * sizeof(*part->keys));
    while (part->key_count < count) {
        struct slice key = cut(&keys, '|');

        if (key.len == 0)
            return FAIL(err, ERROR_INVALID, "an attribute without a name in braces");
        part->keys[part->key_count++] = copy(arena, key);
    }
    return true;
}

bool template_compile(struct template *template, struct slice text, struct arena *arena,
                      struct error *err)
{
    size_t braces = count_of(text, '{');

    if (braces != count_of(text, '}'))
        return FAIL(err, ERROR_INVALID, "a brace is not closed or not opened");
    if (braces * 2 + 1 > TEMPLATE_MAX_PARTS)
        return FAIL(err, ERROR_INVALID, "over %d pieces in braces",
                    TEMPLATE_MAX_PARTS / 2);
    *template = (struct template){0};
    template->parts = arena_alloc(arena, (braces * 2 + 1) * sizeof(*template->parts));
    while (text.len) {
        bool has_keys = memchr(text.ptr, '{', text.len) != NULL;
        struct slice literal = cut(&text, '{');

        if (count_of(literal, '}'))
            return FAIL(err, ERROR_INVALID, "a brace is closed that was not opened");
        if (literal.len)
            add_literal(template, literal, arena);
        if (has_keys && !add_keys(template, cut(&text, '}'), arena, err))
            return false;
    }
    return true;
}

static bool suits_a_name(struct slice text)
{
    struct slice rest = text;

    while (rest.len) {
        struct slice segment = cut(&rest, '.');
        struct buffer name = {0};
        bool is_same;

        if (segment.len == 0)
            continue;
        is_same = name_append_plain(&name, segment) &&
                  slice_equal(buffer_slice(&name), segment);
        buffer_release(&name);
        if (!is_same)
            return false;
    }
    return true;
}

bool template_compile_name(struct template *template, struct slice text,
                           struct arena *arena, struct error *err)
{
    if (text.len == 0)
        return FAIL(err, ERROR_INVALID, "a name must not be empty");
    if (!template_compile(template, text, arena, err))
        return false;
    for (size_t i = 0; i < template->count; i++)
        if (template->parts[i].is_literal && !suits_a_name(template->parts[i].keys[0]))
            return FAIL(err, ERROR_INVALID,
                        "'%.*s': names of metrics are made of A-Z a-z 0-9 _ - and dots",
                        SLICE_ARG(template->parts[i].keys[0]));
    return true;
}

/* ---- using -------------------------------------------------------------------------------- */

static bool append_value(struct otlp_attributes walk, const char *key, struct buffer *out)
{
    struct otlp_attribute attribute;
    size_t before = out->len;

    if (!otlp_attributes_find(walk, key, &attribute))
        return false;
    otlp_attribute_text(&attribute, out);
    return out->len > before;
}

bool template_look_up(const struct template_source *source, const char *key,
                      struct buffer *out)
{
    if (source->point &&
        append_value(
            otlp_point_attributes(source->point, (enum otlp_kind)source->metric->kind),
            key, out))
        return true;
    if (source->scope && append_value(otlp_scope_attributes(source->scope), key, out))
        return true;
    return source->resource &&
           append_value(otlp_resource_attributes(source->resource), key, out);
}

static bool append_first(const struct template_part *part,
                         const struct template_source *source, struct buffer *out)
{
    for (size_t i = 0; i < part->key_count; i++)
        if (template_look_up(source, part->keys[i].ptr, out))
            return true;
    return false;
}

bool template_append(const struct template *template,
                     const struct template_source *source, struct buffer *out)
{
    size_t before = out->len;

    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];

        if (part->is_literal) {
            buffer_append(out, part->keys[0]);
        } else if (!append_first(part, source, out)) {
            out->len = before;
            return false;
        }
    }
    return true;
}

/* {metric} and {unit} are the metric's own, whatever attributes it has. */
static bool append_own(const struct template_part *part,
                       const struct template_source *source, struct buffer *out)
{
    if (slice_is(part->keys[0], "metric"))
        name_append_metric(out, source->metric->name);
    else if (slice_is(part->keys[0], "unit"))
        name_append_segment(out, source->metric->unit);
    else
        return false;
    return true;
}

static void append_segment(const struct template_part *part,
                           const struct template_source *source, struct buffer *out)
{
    struct buffer value = {0};

    if (append_first(part, source, &value))
        name_append_segment(out, buffer_slice(&value));
    else
        buffer_append_char(out, '_');
    buffer_release(&value);
}

void template_append_name(const struct template *template,
                          const struct template_source *source, struct buffer *out)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];

        if (part->is_literal)
            buffer_append(out, part->keys[0]);
        else if (!append_own(part, source, out))
            append_segment(part, source, out);
    }
}

bool template_has_attributes(const struct template *template)
{
    for (size_t i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];

        if (!part->is_literal && !slice_is(part->keys[0], "metric") &&
            !slice_is(part->keys[0], "unit"))
            return true;
    }
    return false;
}
