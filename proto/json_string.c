#include "proto/json_string.h"

#include "base/utf8.h"

#include <stdbool.h>

static void append_escape(struct buffer *out, unsigned char c)
{
    switch (c) {
    case '"': buffer_append_text(out, "\\\""); break;
    case '\\': buffer_append_text(out, "\\\\"); break;
    case '\n': buffer_append_text(out, "\\n"); break;
    case '\r': buffer_append_text(out, "\\r"); break;
    case '\t': buffer_append_text(out, "\\t"); break;
    default: buffer_printf(out, "\\u%04x", c); break;
    }
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7F;
}

void json_string_append(struct buffer *out, struct slice text)
{
    buffer_append_char(out, '"');
    while (text.len) {
        size_t plain = 0;

        while (plain < text.len && !needs_escape((unsigned char)text.ptr[plain]))
            plain++;
        utf8_sanitize((struct slice){text.ptr, plain}, out);
        if (plain == text.len)
            break;
        append_escape(out, (unsigned char)text.ptr[plain]);
        text.ptr += plain + 1;
        text.len -= plain + 1;
    }
    buffer_append_char(out, '"');
}
