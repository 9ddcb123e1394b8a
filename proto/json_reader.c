#include "proto/json_reader.h"

#include <stdlib.h>

void json_reader_init(struct json_reader *reader, struct slice text)
{
    *reader = (struct json_reader){.at = text.ptr, .end = text.ptr};
    if (text.len)
        reader->end += text.len;
}

static bool fail(struct json_reader *reader)
{
    reader->broken = true;
    reader->at = reader->end;
    return false;
}

static void skip_blanks(struct json_reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
}

/* Takes the character if it comes next, behind blanks. */
static bool take(struct json_reader *reader, char c)
{
    skip_blanks(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum json_type json_reader_peek(struct json_reader *reader)
{
    skip_blanks(reader);
    if (reader->at == reader->end)
        return JSON_BROKEN;
    switch (*reader->at) {
    case '{': return JSON_OBJECT;
    case '[': return JSON_ARRAY;
    case '"': return JSON_STRING;
    case 't':
    case 'f': return JSON_BOOL;
    case 'n': return JSON_NULL;
    default:
        return *reader->at == '-' || is_digit(*reader->at) ? JSON_NUMBER : JSON_BROKEN;
    }
}

bool json_reader_enter(struct json_reader *reader)
{
    enum json_type type = json_reader_peek(reader);

    if ((type != JSON_ARRAY && type != JSON_OBJECT) || reader->depth == JSON_DEPTH_MAX)
        return fail(reader);
    reader->at++;
    if (type == JSON_OBJECT)
        reader->objects |= UINT64_C(1) << reader->depth;
    else
        reader->objects &= ~(UINT64_C(1) << reader->depth);
    reader->depth++;
    reader->first = true;
    return true;
}

static bool leave(struct json_reader *reader)
{
    reader->depth--;
    reader->first = false;
    return false;
}

bool json_reader_next(struct json_reader *reader, struct slice *key)
{
    *key = (struct slice){0};
    if (reader->broken || reader->depth == 0)
        return fail(reader);

    bool is_object = reader->objects >> (reader->depth - 1) & 1;

    if (take(reader, is_object ? '}' : ']'))
        return leave(reader);
    if (!reader->first && !take(reader, ','))
        return fail(reader);
    reader->first = false;
    if (is_object && (!json_reader_string(reader, key) || !take(reader, ':')))
        return fail(reader);
    return json_reader_peek(reader) != JSON_BROKEN || fail(reader);
}

/* The length of the escape behind a backslash, 0 when there is no such escape. */
static size_t escape_len(const char *at, const char *end)
{
    if (at == end)
        return 0;
    if (*at != 'u')
        return strchr("\"\\/bfnrt", *at) && *at ? 1 : 0;
    for (size_t i = 1; i <= 4; i++) {
        if (at + i == end)
            return 0;

        char c = at[i];

        if (!is_digit(c) && !(c >= 'a' && c <= 'f') && !(c >= 'A' && c <= 'F'))
            return 0;
    }
    return 5;
}

bool json_reader_string(struct json_reader *reader, struct slice *raw)
{
    if (!take(reader, '"'))
        return fail(reader);

    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at != '"') {
        size_t escape = 0;

        if ((unsigned char)*reader->at < 0x20)
            return fail(reader);
        if (*reader->at == '\\') {
            escape = escape_len(reader->at + 1, reader->end);
            if (!escape)
                return fail(reader);
        }
        reader->at += 1 + escape;
    }
    if (reader->at == reader->end)
        return fail(reader);
    *raw = (struct slice){start, (size_t)(reader->at - start)};
    reader->at++;
    return true;
}

static size_t count_digits(const char *at, const char *end)
{
    size_t count = 0;

    while (at + count < end && is_digit(at[count]))
        count++;
    return count;
}

/* The length of the number at the front by RFC 8259, section 6; 0 when there is none. */
static size_t number_len(const char *start, const char *end)
{
    const char *at = start;

    if (at < end && *at == '-')
        at++;

    size_t whole = count_digits(at, end);

    if (whole == 0 || (whole > 1 && *at == '0'))
        return 0;
    at += whole;
    if (at < end && *at == '.') {
        size_t part = count_digits(at + 1, end);

        if (part == 0)
            return 0;
        at += 1 + part;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;

        size_t exponent = count_digits(at, end);

        if (exponent == 0)
            return 0;
        at += exponent;
    }
    return (size_t)(at - start);
}

bool json_reader_number(struct json_reader *reader, double *value)
{
    /* A double needs 17 digits; longer spellings than this are nobody's. */
    enum {
        TEXT_MAX = 128
    };

    char text[TEXT_MAX];

    skip_blanks(reader);

    size_t len = number_len(reader->at, reader->end);

    if (len == 0 || len >= TEXT_MAX)
        return fail(reader);
    memcpy(text, reader->at, len);
    text[len] = '\0';
    reader->at += len;
    *value = strtod(text, NULL);
    return true;
}

static bool take_word(struct json_reader *reader, const char *word)
{
    size_t len = strlen(word);

    skip_blanks(reader);
    if ((size_t)(reader->end - reader->at) < len || memcmp(reader->at, word, len) != 0)
        return false;
    reader->at += len;
    return true;
}

bool json_reader_bool(struct json_reader *reader, bool *value)
{
    *value = take_word(reader, "true");
    return *value || take_word(reader, "false") || fail(reader);
}

static bool skip_scalar(struct json_reader *reader)
{
    struct slice raw;
    bool truth;

    switch (json_reader_peek(reader)) {
    case JSON_STRING: return json_reader_string(reader, &raw);
    case JSON_BOOL: return json_reader_bool(reader, &truth);
    case JSON_NULL: return take_word(reader, "null") || fail(reader);
    case JSON_NUMBER: {
        size_t len = number_len(reader->at, reader->end);

        reader->at += len;
        return len > 0 || fail(reader);
    }
    case JSON_BROKEN:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return fail(reader);
}

static bool skip_one(struct json_reader *reader)
{
    enum json_type type = json_reader_peek(reader);

    return type == JSON_ARRAY || type == JSON_OBJECT ? json_reader_enter(reader)
                                                     : skip_scalar(reader);
}

/* Without recursion: the reader's own depth says when the value is over. */
bool json_reader_skip(struct json_reader *reader)
{
    unsigned depth = reader->depth;
    struct slice key;

    if (!skip_one(reader))
        return false;
    while (!reader->broken && reader->depth > depth) {
        if (json_reader_next(reader, &key))
            skip_one(reader);
    }
    return !reader->broken;
}

bool json_reader_end(struct json_reader *reader)
{
    skip_blanks(reader);
    return !reader->broken && reader->depth == 0 && reader->at == reader->end;
}

/* ---- unescaping ---------------------------------------------------------------------------- */

static uint32_t hex4(const char *at)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < 4; i++) {
        char c = at[i];

        value = value << 4 | (uint32_t)(is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static void append_utf8(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_append_char(out, (char)code);
        return;
    }
    if (code < 0x800) {
        buffer_append_char(out, (char)(0xC0 | code >> 6));
    } else {
        if (code < 0x10000) {
            buffer_append_char(out, (char)(0xE0 | code >> 12));
        } else {
            buffer_append_char(out, (char)(0xF0 | code >> 18));
            buffer_append_char(out, (char)(0x80 | (code >> 12 & 0x3F)));
        }
        buffer_append_char(out, (char)(0x80 | (code >> 6 & 0x3F)));
    }
    buffer_append_char(out, (char)(0x80 | (code & 0x3F)));
}

/* \uXXXX, with its partner when it is a surrogate pair. Returns the bytes behind the backslash. */
static size_t append_unicode(struct buffer *out, struct slice rest)
{
    enum {
        ONE = 5,
        PAIR = 11
    }; /* uXXXX and uXXXX\uXXXX */

    uint32_t code = hex4(rest.ptr + 1);

    if (code < 0xD800 || code > 0xDFFF) {
        append_utf8(out, code);
        return ONE;
    }
    if (code < 0xDC00 && rest.len >= PAIR && rest.ptr[5] == '\\' && rest.ptr[6] == 'u') {
        uint32_t low = hex4(rest.ptr + 7);

        if (low >= 0xDC00 && low <= 0xDFFF) {
            append_utf8(out, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
            return PAIR;
        }
    }
    append_utf8(out, 0xFFFD);
    return ONE;
}

static size_t append_escape(struct buffer *out, struct slice rest)
{
    switch (*rest.ptr) {
    case 'u': return append_unicode(out, rest);
    case 'b': buffer_append_char(out, '\b'); break;
    case 'f': buffer_append_char(out, '\f'); break;
    case 'n': buffer_append_char(out, '\n'); break;
    case 'r': buffer_append_char(out, '\r'); break;
    case 't': buffer_append_char(out, '\t'); break;
    default: buffer_append_char(out, *rest.ptr); break;
    }
    return 1;
}

void json_unescape(struct slice raw, struct buffer *out)
{
    while (raw.len) {
        const char *backslash = memchr(raw.ptr, '\\', raw.len);
        size_t plain = backslash ? (size_t)(backslash - raw.ptr) : raw.len;

        buffer_append(out, (struct slice){raw.ptr, plain});
        if (!backslash)
            return;
        raw = (struct slice){raw.ptr + plain + 1, raw.len - plain - 1};

        size_t used = append_escape(out, raw);

        raw = (struct slice){raw.ptr + used, raw.len - used};
    }
}
