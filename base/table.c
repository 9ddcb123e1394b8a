#include "base/table.h"

#include "base/memory.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    FIRST_SLOTS = 16
};

/* Where the hash is, or the free slot where it belongs. */
static struct table_slot *seek(const struct table *table, struct hash128 hash)
{
    size_t at = hash.low & table->mask;

    while (table->slots[at].index != TABLE_NONE &&
           !hash_equal(table_slot_hash(&table->slots[at]), hash))
        at = (at + 1) & table->mask;
    return &table->slots[at];
}

static void resize(struct table *table, size_t slots)
{
    struct table old = *table;

    table->slots = memory_new(slots, sizeof(*table->slots));
    table->mask = slots - 1;
    for (size_t i = 0; i < slots; i++)
        table->slots[i].index = TABLE_NONE;
    for (size_t i = 0; old.slots && i <= old.mask; i++)
        if (old.slots[i].index != TABLE_NONE)
            *seek(table, table_slot_hash(&old.slots[i])) = old.slots[i];
    free(old.slots);
}

void table_reserve(struct table *table, size_t entries)
{
    size_t slots = FIRST_SLOTS;

    while (slots < entries * 2)
        slots *= 2;
    if (entries && slots > (table->slots ? table->mask + 1 : 0))
        resize(table, slots);
}

void table_insert(struct table *table, struct hash128 hash, uint32_t index)
{
    assert(index != TABLE_NONE && table->count < UINT32_C(1) << 31);
    if (!table->slots)
        resize(table, FIRST_SLOTS);
    else if ((table->count + 1) * 2 > table->mask + 1)
        resize(table, (table->mask + 1) * 2);

    struct table_slot *slot = seek(table, hash);

    table->count += slot->index == TABLE_NONE;
    memcpy(slot->hash, &hash, sizeof(hash));
    slot->index = index;
}

/* May the entry at `at` move to the free slot `hole` before it? Not in front of its own place. */
static bool may_move(const struct table *table, size_t hole, size_t at)
{
    size_t home = table_slot_hash(&table->slots[at]).low & table->mask;

    return ((at - home) & table->mask) >= ((at - hole) & table->mask);
}

void table_remove(struct table *table, struct hash128 hash)
{
    if (table->count == 0)
        return;

    struct table_slot *slot = seek(table, hash);

    if (slot->index == TABLE_NONE)
        return;

    size_t hole = (size_t)(slot - table->slots);

    for (size_t at = (hole + 1) & table->mask; table->slots[at].index != TABLE_NONE;
         at = (at + 1) & table->mask) {
        if (!may_move(table, hole, at))
            continue;
        table->slots[hole] = table->slots[at];
        hole = at;
    }
    table->slots[hole].index = TABLE_NONE;
    table->count--;
}

void table_release(struct table *table)
{
    free(table->slots);
    *table = (struct table){0};
}

size_t table_bytes(const struct table *table)
{
    return table->slots ? (table->mask + 1) * sizeof(*table->slots) : 0;
}
