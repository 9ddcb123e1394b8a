/*
 * The protobuf wire format, read in place.
 *
 * A `struct wire` is a cursor over the bytes of one message. wire_next() gives one field after the
 * other with its tag and its value; it never enters a sub-message and never copies. Every length
 * is checked against the bytes that are left, so a field that was given is inside the message.
 * Bytes that are no message set `broken` and end the walk.
 *
 * Numbers and types are joined in the tag (`switch (field.tag) { case WIRE_TAG(7, ...)`), so a
 * known number with a wire type that it must not have falls through like an unknown field, as the
 * specification asks. Groups (wire types 3 and 4) are skipped whole and come out as one field.
 *
 * Limits: tags of 5 bytes, varints of 10 bytes (bits beyond the 64th are dropped), field number 0
 * is no field, groups nest at most WIRE_MAX_GROUPS deep.
 *
 * Source: protobuf documentation, "Encoding".
 */
#ifndef PROTO_WIRE_H
#define PROTO_WIRE_H

#include "base/compiler.h"
#include "base/slice.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum wire_type {
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_LENGTH = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_FIXED32 = 5,
};

/* OTLP has no groups; C++ and Go refuse more than 100 levels of anything. */
enum {
    WIRE_MAX_GROUPS = 100
};

#define WIRE_TAG(number, type) ((uint32_t)(number) << 3 | (uint32_t)(type))

struct wire {
    const uint8_t *at, *end;
    bool broken;
};

struct wire_field {
    uint32_t tag;
    uint64_t number;    /* varint, fixed64, fixed32 */
    struct slice bytes; /* length-delimited */
};

/* The rare shapes, out of line. Each gives the place behind what it read, NULL when broken. */
const uint8_t *wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *value);
const uint8_t *wire_long_tag(const uint8_t *at, const uint8_t *end, uint32_t *tag);
const uint8_t *wire_skip_group(const uint8_t *at, const uint8_t *end, uint32_t number);

static inline struct wire wire_of(struct slice message)
{
    const uint8_t *at = (const uint8_t *)message.ptr;

    return (struct wire){at, message.len ? at + message.len : at, false};
}

/* A little-endian 64-bit word at any address. */
static inline uint64_t wire_load64(const void *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

static inline double wire_double(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static ALWAYS_INLINE bool wire_break(struct wire *wire)
{
    wire->broken = true;
    wire->at = wire->end;
    return false;
}

static ALWAYS_INLINE bool wire_varint(struct wire *wire, uint64_t *value)
{
    if (LIKELY(wire->at < wire->end && *wire->at < 0x80)) {
        *value = *wire->at++;
        return true;
    }

    const uint8_t *behind = wire_long_varint(wire->at, wire->end, value);

    if (!behind)
        return wire_break(wire);
    wire->at = behind;
    return true;
}

static ALWAYS_INLINE bool wire_fixed64(struct wire *wire, uint64_t *value)
{
    if (UNLIKELY(wire->end - wire->at < 8))
        return wire_break(wire);
    *value = wire_load64(wire->at);
    wire->at += 8;
    return true;
}

static ALWAYS_INLINE bool wire_fixed32(struct wire *wire, uint64_t *value)
{
    uint32_t word;

    if (UNLIKELY(wire->end - wire->at < 4))
        return wire_break(wire);
    memcpy(&word, wire->at, sizeof word);
    *value = le32toh(word);
    wire->at += 4;
    return true;
}

static ALWAYS_INLINE bool wire_length(struct wire *wire, struct slice *bytes)
{
    uint64_t len;

    if (!wire_varint(wire, &len))
        return false;
    if (UNLIKELY(len > (uint64_t)(wire->end - wire->at)))
        return wire_break(wire);
    *bytes = (struct slice){(const char *)wire->at, (size_t)len};
    wire->at += len;
    return true;
}

static inline bool wire_group(struct wire *wire, uint32_t tag)
{
    const uint8_t *behind = wire_skip_group(wire->at, wire->end, tag >> 3);

    if (!behind)
        return wire_break(wire);
    wire->at = behind;
    return true;
}

static ALWAYS_INLINE bool wire_tag(struct wire *wire, uint32_t *tag)
{
    if (LIKELY(*wire->at < 0x80)) {
        *tag = *wire->at++;
    } else {
        const uint8_t *behind = wire_long_tag(wire->at, wire->end, tag);

        if (!behind)
            return wire_break(wire);
        wire->at = behind;
    }
    return LIKELY(*tag >> 3 != 0) || wire_break(wire);
}

/* The next field; false at the end of the message and when it is broken. */
static ALWAYS_INLINE bool wire_next(struct wire *wire, struct wire_field *field)
{
    if (wire->at == wire->end || !wire_tag(wire, &field->tag))
        return false;

    uint32_t type = field->tag & 7;

    /* Sub-messages and times are nearly all that OTLP is made of. */
    if (LIKELY(type == WIRE_LENGTH))
        return wire_length(wire, &field->bytes);
    if (LIKELY(type == WIRE_FIXED64))
        return wire_fixed64(wire, &field->number);
    if (type == WIRE_VARINT)
        return wire_varint(wire, &field->number);
    if (type == WIRE_FIXED32)
        return wire_fixed32(wire, &field->number);
    return type == WIRE_GROUP ? wire_group(wire, field->tag) : wire_break(wire);
}

/* The next length-delimited field of that number; false at the end and when it is broken. */
static ALWAYS_INLINE bool wire_find(struct wire *wire, uint32_t number,
                                    struct slice *bytes)
{
    struct wire_field field = {0};

    while (wire_next(wire, &field)) {
        if (field.tag == WIRE_TAG(number, WIRE_LENGTH)) {
            *bytes = field.bytes;
            return true;
        }
    }
    return false;
}

#endif
