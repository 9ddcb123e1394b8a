#include "pipeline/name.h"

#include <openssl/evp.h>

#include <stdlib.h>

/* Mackerel API, "Services": 2 to 63 characters. */
enum {
    SERVICE_MIN = 2,
    SERVICE_MAX = 63,
    HASH_DIGITS = 6
};

/* Well-formed UTF-8 by first byte: range of the second byte, and length (Unicode, table 3-7). */
static const struct {
    unsigned char first, last, second_low, second_high, len;
} forms[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static size_t form_of(unsigned char first)
{
    size_t i = 0;

    while (i < sizeof(forms) / sizeof(forms[0]) &&
           !(first >= forms[i].first && first <= forms[i].last))
        i++;
    return i;
}

/* Cuts one code point off the text; what is no code point is cut as the longest part of one. */
static struct slice take_code_point(struct slice *text, bool *is_valid)
{
    const unsigned char *bytes = (const unsigned char *)text->ptr;
    size_t form = form_of(bytes[0]), len = 1, want = 0;

    if (form < sizeof(forms) / sizeof(forms[0]))
        want = forms[form].len;
    for (; len < want && len < text->len; len++) {
        unsigned char low = len == 1 ? forms[form].second_low : 0x80;
        unsigned char high = len == 1 ? forms[form].second_high : 0xBF;

        if (bytes[len] < low || bytes[len] > high)
            break;
    }
    *is_valid = len == want;

    struct slice taken = {text->ptr, len};

    *text = (struct slice){text->ptr + len, text->len - len};
    return taken;
}

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
    bool is_all_ascii = true, is_valid;

    while (text.len) {
        struct slice point = take_code_point(&text, &is_valid);

        buffer_append_char(out, is_allowed(*point.ptr) ? *point.ptr : '_');
        is_all_ascii &= is_ascii(*point.ptr);
    }
    return is_all_ascii;
}

/* A dash and the first digits of the SHA-256 of the text as well-formed UTF-8. */
static void append_hash(struct buffer *out, struct slice text)
{
    static const struct slice replacement = SLICE("\xEF\xBF\xBD");
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct buffer clean = {0};
    bool is_valid;

    while (text.len) {
        struct slice point = take_code_point(&text, &is_valid);

        buffer_append(&clean, is_valid ? point : replacement);
    }
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
