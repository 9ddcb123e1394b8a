#include "proto/wire.h"

enum {
    MAX_VARINT_BYTES = 10,
    MAX_TAG_BYTES = 5
};

const uint8_t *wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < MAX_VARINT_BYTES && at < end; i++) {
        uint8_t byte = *at++;

        sum |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *value = sum;
            return at;
        }
    }
    return NULL;
}

const uint8_t *wire_long_tag(const uint8_t *at, const uint8_t *end, uint32_t *tag)
{
    uint64_t value = 0;
    const uint8_t *behind = wire_long_varint(at, end, &value);

    if (!behind || behind - at > MAX_TAG_BYTES || value > UINT32_MAX)
        return NULL;
    *tag = (uint32_t)value;
    return behind;
}

/*
 * Skips to behind the end of the group whose start tag was just read. An end tag must carry the
 * number of the innermost open group, hence the stack.
 */
const uint8_t *wire_skip_group(const uint8_t *at, const uint8_t *end, uint32_t number)
{
    struct wire wire = {at, end, false};
    uint32_t open[WIRE_MAX_GROUPS] = {number}, tag;
    unsigned depth = 1;
    uint64_t ignored;
    struct slice bytes;

    while (wire.at < wire.end && wire_tag(&wire, &tag)) {
        switch (tag & 7) {
        case WIRE_VARINT: wire_varint(&wire, &ignored); break;
        case WIRE_FIXED64: wire_fixed64(&wire, &ignored); break;
        case WIRE_LENGTH: wire_length(&wire, &bytes); break;
        case WIRE_FIXED32: wire_fixed32(&wire, &ignored); break;
        case WIRE_GROUP:
            if (depth == WIRE_MAX_GROUPS)
                return NULL;
            open[depth++] = tag >> 3;
            break;
        case WIRE_GROUP_END:
            if (open[--depth] != tag >> 3)
                return NULL;
            if (depth == 0)
                return wire.at;
            break;
        default: return NULL;
        }
    }
    return NULL;
}
