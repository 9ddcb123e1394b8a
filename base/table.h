/*
 * From a 128-bit hash to a record's index: the engine's hot path. Open addressing with linear
 * probing over slots of hash and index; at most half the slots are taken, so that a look-up
 * touches one cache line nearly always. Removal moves later slots back, which leaves no
 * tombstones: a table does not age. The hash is its own position, so keys must be well mixed
 * (base/hash.h with a secret seed).
 *
 * A look-up that misses the cache costs more than the work around it; callers that know their
 * next keys prefetch them a small group ahead.
 *
 * A zeroed table is empty and ready. It holds up to 2^31 entries, doubles as it grows and does not
 * shrink. One owner, one thread.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include "base/compiler.h"
#include "base/hash.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The index of no record. */
#define TABLE_NONE UINT32_MAX

/* 20 bytes: a million entries are 42 MB. */
struct table_slot {
    uint32_t hash[4]; /* of struct hash128, which would be padded to 24 */
    uint32_t index;   /* TABLE_NONE: free */
};

static inline struct hash128 table_slot_hash(const struct table_slot *slot)
{
    struct hash128 hash;

    memcpy(&hash, slot->hash, sizeof(hash));
    return hash;
}

struct table {
    struct table_slot *slots;
    size_t mask; /* number of slots - 1 */
    size_t count;
};

/* Adds the entry, or gives the hash that is there already its new index. */
void table_insert(struct table *table, struct hash128 hash, uint32_t index);

/* Makes room for so many entries in all, so that they are added without growing. */
void table_reserve(struct table *table, size_t entries);

/* Removes the entry if there is one. */
void table_remove(struct table *table, struct hash128 hash);

/* Frees the memory; the table is empty and ready again. */
void table_release(struct table *table);

/* Bytes of memory that the table holds. */
size_t table_bytes(const struct table *table);

/* The index, or TABLE_NONE. */
static inline uint32_t table_find(const struct table *table, struct hash128 hash)
{
    if (UNLIKELY(table->count == 0))
        return TABLE_NONE;

    size_t at = hash.low & table->mask;

    while (table->slots[at].index != TABLE_NONE) {
        if (hash_equal(table_slot_hash(&table->slots[at]), hash))
            return table->slots[at].index;
        at = (at + 1) & table->mask;
    }
    return TABLE_NONE;
}

/* Begins to load what table_find() will read. */
static inline void table_prefetch(const struct table *table, struct hash128 hash)
{
    if (LIKELY(table->slots))
        PREFETCH(&table->slots[hash.low & table->mask]);
}

#endif
