#include "base/hash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

struct hash128 hash_bytes(struct slice bytes, uint64_t seed)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(bytes.ptr, bytes.len, seed);

    return (struct hash128){hash.low64, hash.high64};
}
