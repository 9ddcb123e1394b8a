#include "pipeline/name.h"

#include "base/utf8.h"

#include <openssl/evp.h>

#include <stdlib.h>

/* Mackerel API, "Services": 2 to 63 characters. */
enum {
    SERVICE_MIN = 2,
    SERVICE_MAX = 63,
    HASH_DIGITS = 6
};

static bool is_allowed(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
}

static bool is_ascii(char c)
{
    return ((unsigned char)c & 0x80) == 0;
}

bool name_append_plain(struct buffer *out, struct slice text)
{
    bool is_all_ascii = true;
    uint32_t codepoint;

    for (struct slice rest = text; utf8_next(&rest, &codepoint); text = rest) {
        buffer_append_char(out, is_allowed(*text.ptr) ? *text.ptr : '_');
        is_all_ascii &= is_ascii(*text.ptr);
    }
    return is_all_ascii;
}

/* A dash and the first digits of the SHA-256 of the text as well-formed UTF-8. */
static void append_hash(struct buffer *out, struct slice text)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct buffer clean = {0};

    utf8_sanitize(text, &clean);
    if (EVP_Digest(clean.ptr, clean.len, digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    buffer_printf(out, "-%02x%02x%02x", digest[0], digest[1], digest[2]);
    buffer_release(&clean);
}

void name_append_segment(struct buffer *out, struct slice text)
{
    if (text.len == 0)
        buffer_append_char(out, '_');
    else if (!name_append_plain(out, text))
        append_hash(out, text);
}

/* Removes `count` bytes at `from`. */
static void cut(struct buffer *out, size_t from, size_t count)
{
    memmove(out->ptr + from, out->ptr + from + count, out->len - from - count);
    out->len -= count;
}

void name_append_metric(struct buffer *out, struct slice name)
{
    size_t begin = out->len, extra = 0;

    for (;;) {
        const char *dot = name.len ? memchr(name.ptr, '.', name.len) : NULL;
        size_t len = dot ? (size_t)(dot - name.ptr) : name.len;

        name_append_segment(out, (struct slice){name.ptr, len});
        if (!dot)
            break;
        buffer_append_char(out, '.');
        name = (struct slice){dot + 1, name.len - len - 1};
    }
    while (begin + extra + 1 < out->len && out->ptr[begin + extra] == '_' &&
           out->ptr[begin + extra + 1] == '_')
        extra++;
    cut(out, begin, extra);
}

void name_bound(struct buffer *out, size_t begin, size_t most)
{
    struct buffer whole = {0};

    if (out->len - begin <= most)
        return;
    buffer_append(&whole, (struct slice){out->ptr + begin, out->len - begin});
    out->len = begin + most - HASH_DIGITS - 1;
    append_hash(out, buffer_slice(&whole));
    buffer_release(&whole);
}

void name_append_service(struct buffer *out, struct slice name)
{
    size_t begin = out->len, lead = 0;

    name_append_segment(out, name);
    while (begin + lead < out->len && strchr("-_", out->ptr[begin + lead]))
        lead++;
    cut(out, begin, lead);
    if (out->len - begin < SERVICE_MIN) {
        buffer_append_text(out, "s-");
        memmove(out->ptr + begin + 2, out->ptr + begin, out->len - begin - 2);
        memcpy(out->ptr + begin, "s-", 2);
    } else if (out->len - begin > SERVICE_MAX) {
        out->len = begin + SERVICE_MAX - HASH_DIGITS - 1;
        append_hash(out, name);
    }
}
