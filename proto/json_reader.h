/*
 * A pull reader for JSON: the caller says what it expects next and gets it, in one pass over the
 * text, without a tree and without memory of its own.
 *
 *     json_reader_init(&reader, text);
 *     if (json_reader_enter(&reader))
 *         while (json_reader_next(&reader, &key))
 *             if (slice_is(key, "id")) json_reader_string(&reader, &raw);
 *             else json_reader_skip(&reader);
 *     return json_reader_end(&reader);
 *
 * After enter(), next() goes to the next element or member and is false behind the last; whatever
 * it went to must be read, entered or skipped. The first thing that is no JSON, or is not what was
 * asked for, sets `broken`; then every call is false, so a caller may look once at the end.
 *
 * Limits: JSON_DEPTH_MAX levels. Keys and strings are given raw (between the quotes, escapes as
 * they are); json_unescape() decodes. Strings may hold any bytes but control characters.
 *
 * Source: RFC 8259.
 */
#ifndef PROTO_JSON_READER_H
#define PROTO_JSON_READER_H

#include "base/buffer.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Answers of the Mackerel API nest 6 levels; one bit per level remembers what was entered. */
enum {
    JSON_DEPTH_MAX = 64
};

enum json_type {
    JSON_BROKEN,
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

struct json_reader {
    const char *at, *end;
    uint64_t objects; /* bit n: level n is an object */
    unsigned depth;
    bool first; /* no element of the innermost level was given yet */
    bool broken;
};

void json_reader_init(struct json_reader *reader, struct slice text);

/* What comes next, by its first character. */
enum json_type json_reader_peek(struct json_reader *reader);

/* Enters the array or object that comes next. */
bool json_reader_enter(struct json_reader *reader);
/* `key` is empty in arrays. */
bool json_reader_next(struct json_reader *reader, struct slice *key);

bool json_reader_string(struct json_reader *reader, struct slice *raw);
bool json_reader_number(struct json_reader *reader, double *value);
bool json_reader_bool(struct json_reader *reader, bool *value);
/* Any value. */
bool json_reader_skip(struct json_reader *reader);

/* True when nothing was broken and nothing but blanks follows. */
bool json_reader_end(struct json_reader *reader);

/* Appends a raw string decoded. Lone surrogates become U+FFFD. */
void json_unescape(struct slice raw, struct buffer *out);

#endif
