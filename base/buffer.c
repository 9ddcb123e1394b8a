#include "base/buffer.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t room = more > 0 ? more : 1; /* nothing has a place as well: never NULL */

    buffer->ptr = memory_grow(buffer->ptr, buffer->len + room, &buffer->capacity, 1);
    return buffer->ptr + buffer->len;
}

void buffer_append(struct buffer *buffer, struct slice bytes)
{
    if (bytes.len == 0)
        return;
    memcpy(buffer_reserve(buffer, bytes.len), bytes.ptr, bytes.len);
    buffer->len += bytes.len;
}

void buffer_append_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, slice_of(text));
}

void buffer_append_char(struct buffer *buffer, char c)
{
    *buffer_reserve(buffer, 1) = c;
    buffer->len++;
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);

    int len = vsnprintf(NULL, 0, format, args);

    va_end(args);
    if (len > 0) {
        vsnprintf(buffer_reserve(buffer, (size_t)len + 1), (size_t)len + 1, format,
                  again);
        buffer->len += (size_t)len;
    }
    va_end(again);
}

void buffer_reset(struct buffer *buffer)
{
    buffer->len = 0;
}

void buffer_release(struct buffer *buffer)
{
    free(buffer->ptr);
    *buffer = (struct buffer){0};
}
