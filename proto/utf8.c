#include "proto/utf8.h"

#include <stdint.h>

/* What the second byte of a sequence may be; the others are 80..BF. */
struct lead {
    uint8_t from, to; /* first byte */
    uint8_t len;
    uint8_t low, high; /* second byte */
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 2, 0x80, 0xBF}, {0xE0, 0xE0, 3, 0xA0, 0xBF}, {0xE1, 0xEC, 3, 0x80, 0xBF},
    {0xED, 0xED, 3, 0x80, 0x9F}, {0xEE, 0xEF, 3, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x90, 0xBF},
    {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F},
};

static const struct lead *find_lead(uint8_t byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++) {
        if (byte >= leads[i].from && byte <= leads[i].to)
            return &leads[i];
    }
    return NULL;
}

size_t utf8_next(struct slice text, size_t *broken)
{
    const uint8_t *p = (const uint8_t *)text.ptr;

    *broken = 0;
    if (p[0] < 0x80)
        return 1;

    const struct lead *lead = find_lead(p[0]);

    for (size_t i = 1; lead && i < lead->len; i++) {
        uint8_t low = i == 1 ? lead->low : 0x80, high = i == 1 ? lead->high : 0xBF;

        if (i == text.len || p[i] < low || p[i] > high) {
            *broken = i;
            return 0;
        }
    }
    if (lead)
        return lead->len;
    *broken = 1;
    return 0;
}

bool utf8_is_valid(struct slice text)
{
    size_t broken, len;

    for (; text.len; text.ptr += len, text.len -= len) {
        len = utf8_next(text, &broken);
        if (!len)
            return false;
    }
    return true;
}

void utf8_append(struct buffer *out, struct slice text)
{
    size_t broken, at = 0;

    while (at < text.len) {
        size_t len = utf8_next((struct slice){text.ptr + at, text.len - at}, &broken);

        if (len) {
            at += len;
            continue;
        }
        buffer_append(out, (struct slice){text.ptr, at});
        buffer_append_text(out, "\xEF\xBF\xBD");
        text.ptr += at + broken;
        text.len -= at + broken;
        at = 0;
    }
    buffer_append(out, text);
}

size_t utf8_copy(char *to, size_t size, struct slice text)
{
    size_t written = 0, broken;

    while (text.len) {
        size_t len = utf8_next(text, &broken);
        size_t read = len ? len : broken;
        bool plain = len > 1 ||
                     (len == 1 && (uint8_t)*text.ptr >= 0x20 && *text.ptr != 0x7F);

        if (written + (plain ? len : 1) >= size)
            break;
        if (plain)
            memcpy(to + written, text.ptr, len);
        else
            to[written] = '?';
        written += plain ? len : 1;
        text.ptr += read;
        text.len -= read;
    }
    to[written] = '\0';
    return written;
}
