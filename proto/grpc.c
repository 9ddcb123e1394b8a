#include "proto/grpc.h"

#include "base/utf8.h"

bool grpc_prefix_read(const char bytes[static GRPC_PREFIX_BYTES],
                      struct grpc_prefix *prefix, struct error *err)
{
    const uint8_t *p = (const uint8_t *)bytes;

    if (p[0] > 1)
        return FAIL(err, ERROR_CORRUPT, "unknown gRPC compressed flag %u", p[0]);
    prefix->compressed = p[0] == 1;
    prefix->length = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 |
                     (uint32_t)p[4];
    return true;
}

void grpc_prefix_write(char bytes[static GRPC_PREFIX_BYTES],
                       const struct grpc_prefix *prefix)
{
    bytes[0] = prefix->compressed ? 1 : 0;
    for (unsigned i = 0; i < 4; i++)
        bytes[1 + i] = (char)(prefix->length >> (24 - 8 * i) & 0xFF);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c <= 0x7E && c != '%';
}

static size_t encoded_len(struct slice text)
{
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++)
        len += is_plain((unsigned char)text.ptr[i]) ? 1 : 3;
    return len;
}

static void append_encoded(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (is_plain(c))
            buffer_append_char(out, (char)c);
        else
            buffer_printf(out, "%%%02X", c);
    }
}

void grpc_message_encode(struct slice text, struct buffer *out)
{
    size_t left = GRPC_MESSAGE_MAX;
    struct slice rest = text;
    uint32_t codepoint;

    while (utf8_next(&rest, &codepoint)) {
        struct slice character = {text.ptr, text.len - rest.len};

        if (codepoint == UTF8_REPLACEMENT)
            character = (struct slice)SLICE("\xEF\xBF\xBD");

        size_t need = encoded_len(character);

        if (need > left)
            return;
        append_encoded(out, character);
        left -= need;
        text = rest;
    }
}

static uint64_t unit_ns(char unit)
{
    switch (unit) {
    case 'H': return 3600000000000u;
    case 'M': return 60000000000u;
    case 'S': return 1000000000u;
    case 'm': return 1000000u;
    case 'u': return 1000u;
    case 'n': return 1u;
    default: return 0;
    }
}

bool grpc_timeout_parse(struct slice text, uint64_t *timeout_ns)
{
    enum {
        DIGITS_MAX = 8
    };

    uint64_t value = 0;

    if (text.len < 2 || text.len > DIGITS_MAX + 1)
        return false;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.ptr[i] - '0');
    }

    uint64_t unit = unit_ns(text.ptr[text.len - 1]);

    if (unit == 0)
        return false;
    *timeout_ns = value > UINT64_MAX / unit ? UINT64_MAX : value * unit;
    return true;
}
