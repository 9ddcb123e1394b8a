/*
 * Borrowed bytes: a pointer and a length, passed by value. A slice owns nothing, may hold any
 * bytes (a zero byte is not special) and is valid as long as what it was cut from.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal, usable in constant initialisers. */
#define SLICE(literal)                  \
    {                                   \
        "" literal, sizeof(literal) - 1 \
    }

/* For printf's "%.*s". */
#define SLICE_ARG(slice) (int)(slice).len, (slice).ptr

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, strlen(text)};
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_is(struct slice s, const char *text)
{
    return slice_equal(s, slice_of(text));
}

static inline bool slice_starts_with(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);

    return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

#endif
