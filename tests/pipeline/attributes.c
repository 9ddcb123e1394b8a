#include "tests/pipeline/attributes.h"

/* Length-delimited field: tag, length, content. */
static void append_field(struct buffer *out, uint32_t field, struct slice content)
{
    buffer_append_char(out, (char)(field << 3 | 2));
    buffer_append_char(out, (char)content.len);
    buffer_append(out, content);
}

static void add(struct buffer *message, uint32_t field, const char *key,
                struct slice any_value)
{
    struct buffer pair = {0};

    append_field(&pair, 1, slice_of(key));
    append_field(&pair, 2, any_value);
    append_field(message, field, buffer_slice(&pair));
    buffer_release(&pair);
}

void attributes_add_text(struct buffer *message, uint32_t field, const char *key,
                         const char *value)
{
    struct buffer any = {0};

    append_field(&any, 1, slice_of(value));
    add(message, field, key, buffer_slice(&any));
    buffer_release(&any);
}

void attributes_add_int(struct buffer *message, uint32_t field, const char *key,
                        uint8_t value)
{
    const char any[] = {3 << 3, (char)value};

    add(message, field, key, (struct slice){any, sizeof(any)});
}

void attributes_add_array(struct buffer *message, uint32_t field, const char *key,
                          const char *element)
{
    struct buffer text = {0}, array = {0}, any = {0};

    append_field(&text, 1, slice_of(element));
    append_field(&array, 1, buffer_slice(&text));
    append_field(&any, 5, buffer_slice(&array));
    add(message, field, key, buffer_slice(&any));
    buffer_release(&text);
    buffer_release(&array);
    buffer_release(&any);
}
