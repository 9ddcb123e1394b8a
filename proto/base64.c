#include "proto/base64.h"

#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_append(struct buffer *out, struct slice bytes, enum base64_padding padding)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;

    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = bytes.len - at;
        uint32_t word = (uint32_t)p[at] << 16;

        if (left > 1)
            word |= (uint32_t)p[at + 1] << 8;
        if (left > 2)
            word |= p[at + 2];
        buffer_append_char(out, alphabet[word >> 18]);
        buffer_append_char(out, alphabet[word >> 12 & 63]);
        if (left > 1)
            buffer_append_char(out, alphabet[word >> 6 & 63]);
        if (left > 2)
            buffer_append_char(out, alphabet[word & 63]);
        else if (padding == BASE64_PADDED)
            buffer_append_text(out, left > 1 ? "=" : "==");
    }
}
