#include "base/utf8.h"

#include <stddef.h>

struct sequence {
    size_t len; /* bytes to consume: of the sequence, or of its malformed part */
    uint32_t codepoint;
    bool is_valid;
};

/* Number of bytes that a first byte announces; 0 when it begins nothing. */
static size_t announced(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    if (first >= 0xF0 && first <= 0xF4)
        return 4;
    return 0;
}

/* Unicode table 3-7: the second byte's range depends on the first, the others' does not. */
static bool may_follow(unsigned char first, size_t position, unsigned char byte)
{
    unsigned char low = 0x80, high = 0xBF;

    if (position == 1) {
        if (first == 0xE0)
            low = 0xA0;
        else if (first == 0xED)
            high = 0x9F;
        else if (first == 0xF0)
            low = 0x90;
        else if (first == 0xF4)
            high = 0x8F;
    }
    return byte >= low && byte <= high;
}

static struct sequence read_sequence(struct slice text)
{
    static const unsigned char payload[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    unsigned char first = (unsigned char)text.ptr[0];
    size_t len = announced(first);

    if (len == 0)
        return (struct sequence){1, UTF8_REPLACEMENT, false};

    uint32_t codepoint = first & payload[len];

    for (size_t i = 1; i < len; i++) {
        if (i == text.len || !may_follow(first, i, (unsigned char)text.ptr[i]))
            return (struct sequence){i, UTF8_REPLACEMENT, false};
        codepoint = codepoint << 6 | ((unsigned char)text.ptr[i] & 0x3F);
    }
    return (struct sequence){len, codepoint, true};
}

static struct slice skip(struct slice text, size_t bytes)
{
    return (struct slice){text.ptr + bytes, text.len - bytes};
}

/* Do eight bytes follow that are all ASCII? */
static bool has_eight_ascii(struct slice text, size_t at)
{
    uint64_t eight;

    if (text.len - at < sizeof(eight))
        return false;
    memcpy(&eight, text.ptr + at, sizeof(eight));
    return (eight & UINT64_C(0x8080808080808080)) == 0;
}

/* Length of the valid text at the front. */
static size_t valid_prefix(struct slice text)
{
    size_t at = 0;

    while (at < text.len) {
        /* Names and labels are ASCII nearly always. */
        if (has_eight_ascii(text, at)) {
            at += 8;
            continue;
        }

        struct sequence sequence = read_sequence(skip(text, at));

        if (!sequence.is_valid)
            break;
        at += sequence.len;
    }
    return at;
}

bool utf8_valid(struct slice text)
{
    return valid_prefix(text) == text.len;
}

bool utf8_next(struct slice *rest, uint32_t *codepoint)
{
    if (rest->len == 0)
        return false;

    struct sequence sequence = read_sequence(*rest);

    *codepoint = sequence.codepoint;
    *rest = skip(*rest, sequence.len);
    return true;
}

void utf8_sanitize(struct slice text, struct buffer *out)
{
    while (text.len > 0) {
        size_t good = valid_prefix(text);

        buffer_append(out, (struct slice){text.ptr, good});
        text = skip(text, good);
        if (text.len > 0) {
            buffer_append_text(out, "\xEF\xBF\xBD");
            text = skip(text, read_sequence(text).len);
        }
    }
}

size_t utf8_copy(char *to, size_t size, struct slice text)
{
    size_t written = 0;

    while (text.len > 0) {
        struct sequence sequence = read_sequence(text);
        bool is_plain = sequence.is_valid && sequence.codepoint >= 0x20 &&
                        sequence.codepoint != 0x7F;
        size_t len = is_plain ? sequence.len : 1;

        if (written + len >= size)
            break;
        if (is_plain)
            memcpy(to + written, text.ptr, len);
        else
            to[written] = '?';
        written += len;
        text = skip(text, sequence.len);
    }
    to[written] = '\0';
    return written;
}
