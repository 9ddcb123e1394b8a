/*
 * A growing byte buffer with one owner. Zero-initialise it, append, release it.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include "base/compiler.h"
#include "base/slice.h"

#include <stddef.h>

struct buffer {
    char *ptr;
    size_t len, capacity;
};

/* Makes room for `more` bytes behind len and returns where they go, never NULL; len stays. */
char *buffer_reserve(struct buffer *buffer, size_t more);

void buffer_append(struct buffer *buffer, struct slice bytes);
void buffer_append_text(struct buffer *buffer, const char *text);
void buffer_append_char(struct buffer *buffer, char c);
void buffer_printf(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);

/* Empties it and keeps the memory. */
void buffer_reset(struct buffer *buffer);
void buffer_release(struct buffer *buffer);

static inline struct slice buffer_slice(const struct buffer *buffer)
{
    return (struct slice){buffer->ptr, buffer->len};
}

#endif
