/*
 * 128-bit hashes (XXH3). Two different inputs are taken to be equal when their hashes are: with a
 * secret random seed the chance is 2^-128 a pair, also for inputs that an attacker chooses.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct hash128 {
    uint64_t low, high;
};

struct hash128 hash_bytes(struct slice bytes, uint64_t seed);

/* Ordered: hash_mix(a, b) differs from hash_mix(b, a). */
static inline struct hash128 hash_mix(struct hash128 a, struct hash128 b)
{
    const uint64_t k1 = 0x9E3779B97F4A7C15u, k2 = 0xC2B2AE3D27D4EB4Fu;
    uint64_t low = (a.low ^ (b.low * k1)) * k2;
    uint64_t high = (a.high ^ (b.high * k2)) * k1;

    low ^= low >> 29;
    high ^= high >> 32;
    return (struct hash128){low + (a.high * k2 ^ b.high), high + (a.low * k1 ^ b.low)};
}

/* Commutative: the sum of the hashes of a set's members is the hash of the set. */
static inline struct hash128 hash_add(struct hash128 a, struct hash128 b)
{
    return (struct hash128){a.low + b.low, a.high + b.high};
}

static inline bool hash_equal(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

#endif
