/*
 * Hashes of attribute sets: what makes two streams the same stream.
 *
 * A set's hash is the sum of its members' hashes, so order never matters and nothing is sorted. A
 * member that is short and plain (string, boolean, number, empty; the usual case) hashes as its
 * canonical protobuf encoding, which is nearly always the very bytes that were sent. Longer and
 * nested ones are hashed part by part. Which way is taken depends on what a member means, never on
 * how it was encoded. Arrays are ordered, maps are sets.
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

struct otlp_hasher {
    uint64_t seed;
    uint32_t max_depth;
};

/* Adds one KeyValue that lies `depth` message levels deep to the set. */
enum otlp_hash_verdict otlp_hash_member(const struct otlp_hasher *hasher,
                                        struct slice key_value, uint32_t depth,
                                        struct hash128 *set);

/*
 * Is the KeyValue the canonical encoding of a short string, boolean or double attribute? Then its
 * bytes hash as they are. (1-byte lengths are minimal by themselves.)
 */
static inline bool otlp_hash_is_plain(struct slice key_value)
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

/* otlp_hash_member() with the usual case inline. */
static inline enum otlp_hash_verdict otlp_hash_add(const struct otlp_hasher *hasher,
                                                   struct slice key_value, uint32_t depth,
                                                   struct hash128 *set)
{
    if (UNLIKELY(!otlp_hash_is_plain(key_value)))
        return otlp_hash_member(hasher, key_value, depth, set);
    *set = hash_add(*set, hash_bytes(key_value, hasher->seed));
    return OTLP_HASH_OK;
}

/* The hash of all attributes (`field`) of a message at that depth. */
enum otlp_hash_verdict otlp_hash_set(const struct otlp_hasher *hasher,
                                     struct slice message, uint32_t field, uint32_t depth,
                                     struct hash128 *set);

#endif
