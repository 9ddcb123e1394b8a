/*
 * Hashes of attribute sets: what makes two streams the same stream.
 *
 * A set's hash is the sum of its members' hashes, so order never matters and nothing is sorted. A
 * member that is short and plain (string, boolean, number, empty; the usual case) hashes as its
 * canonical protobuf encoding, which is nearly always the very bytes that were sent. Longer and
 * nested ones are hashed part by part with hash_bytes(). Which way is taken depends on what a
 * member means, never on how it was encoded. Arrays are ordered, maps are sets. A key that comes
 * twice, which is forbidden, counts twice: such a set is a stream of its own.
 *
 * Short members are most of what the decoder does, so they have a hash of their own that costs half
 * of XXH3's: one 64 x 64 -> 128 bit product for every 16 bytes, both halves kept, operands masked
 * with secrets that are drawn from the seed (so an attacker cannot choose zeros or equal products),
 * and two products at the end, without which the sum over members would be linear.
 *
 * Source: opentelemetry-specification, metrics/data-model.md, "Timeseries Model"; common/README.md.
 */
#ifndef PROTO_OTLP_HASH_H
#define PROTO_OTLP_HASH_H

#include "base/hash.h"
#include "base/slice.h"
#include "proto/wire.h"

#include <stdbool.h>
#include <stdint.h>

enum otlp_hash_verdict {
    OTLP_HASH_OK,
    OTLP_HASH_TOO_DEEP,
    OTLP_HASH_BROKEN
};

enum {
    OTLP_HASH_SECRETS = 4
};

struct otlp_hasher {
    uint64_t seed;
    uint64_t secrets[OTLP_HASH_SECRETS];
    uint32_t max_depth;
};

void otlp_hasher_init(struct otlp_hasher *hasher, uint64_t seed, uint32_t max_depth);

/* Adds one KeyValue that lies `depth` message levels deep to the set. */
enum otlp_hash_verdict otlp_hash_member(const struct otlp_hasher *hasher,
                                        struct slice key_value, uint32_t depth,
                                        struct hash128 *set);

/*
 * Is the KeyValue the canonical encoding of a short string, boolean or double attribute? Then its
 * bytes hash as they are. (1-byte lengths are minimal by themselves.)
 */
static ALWAYS_INLINE bool otlp_hash_is_plain(struct slice key_value)
{
    const uint8_t *p = (const uint8_t *)key_value.ptr;

    if (key_value.len < 6 || p[0] != 0x0A || p[1] >= 0x80 || p[1] + 6u > key_value.len)
        return false;

    const uint8_t *value = p + 2 + p[1];
    size_t len = value[1];

    if (value[0] != 0x12 || len >= 0x80 || 4u + p[1] + len != key_value.len)
        return false;
    if (value[2] == 0x0A)
        return value[3] + 2u == len;
    return (value[2] == 0x10 && len == 2 && value[3] <= 1) ||
           (value[2] == 0x21 && len == 9);
}

static ALWAYS_INLINE struct hash128 otlp_hash_product(uint64_t a, uint64_t b)
{
    wide product = (wide)a * b;

    return (struct hash128){(uint64_t)product, (uint64_t)(product >> 64)};
}

static ALWAYS_INLINE struct hash128 otlp_hash_window(struct hash128 state, uint64_t a,
                                                     uint64_t b)
{
    struct hash128 product = otlp_hash_product(a ^ state.low, b ^ state.high);

    /* The operands come back in, so that a product that is zero by chance forgets nothing. */
    return (struct hash128){product.low + b, product.high + a};
}

/* The last 16 bytes may overlap those before; fewer than 16 overlap themselves. */
static ALWAYS_INLINE struct hash128 otlp_hash_tail(struct hash128 state, const char *p,
                                                   size_t len)
{
    uint32_t first, last;

    if (LIKELY(len >= 8))
        return otlp_hash_window(state, wire_load64(p), wire_load64(p + len - 8));
    memcpy(&first, p, sizeof first);
    memcpy(&last, p + len - sizeof last, sizeof last);
    return otlp_hash_window(state, le32toh(first), le32toh(last));
}

/* At least 4 bytes. */
static ALWAYS_INLINE struct hash128 otlp_hash_short(const struct otlp_hasher *hasher,
                                                    struct slice bytes)
{
    const uint64_t *secrets = hasher->secrets;
    struct hash128 state = {secrets[0] + bytes.len, secrets[1]};
    const char *p = bytes.ptr;
    size_t left = bytes.len;

    for (; left > 16; p += 16, left -= 16)
        state = otlp_hash_window(state, wire_load64(p), wire_load64(p + 8));
    if (left < bytes.len) {
        p -= 16 - left;
        left = 16;
    }
    state = otlp_hash_tail(state, p, left);

    struct hash128 one = otlp_hash_product(state.low ^ secrets[2],
                                           state.high ^ secrets[3]);
    struct hash128 two = otlp_hash_product(state.low + secrets[3],
                                           state.high + secrets[2]);

    return (struct hash128){one.low ^ one.high ^ state.high,
                            two.low ^ two.high ^ state.low};
}

/* otlp_hash_member() with the usual case inline. */
static ALWAYS_INLINE enum otlp_hash_verdict otlp_hash_add(
    const struct otlp_hasher *hasher, struct slice key_value, uint32_t depth,
    struct hash128 *set)
{
    if (UNLIKELY(!otlp_hash_is_plain(key_value)))
        return otlp_hash_member(hasher, key_value, depth, set);
    *set = hash_add(*set, otlp_hash_short(hasher, key_value));
    return OTLP_HASH_OK;
}

/* The hash of all attributes (`field`) of a message at that depth. */
enum otlp_hash_verdict otlp_hash_set(const struct otlp_hasher *hasher,
                                     struct slice message, uint32_t field, uint32_t depth,
                                     struct hash128 *set);

#endif
