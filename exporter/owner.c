#include "exporter/owner.h"

#include "base/hash.h"
#include "base/memory.h"

#include <stdlib.h>

struct owner {
    struct hash128 key;
    uint64_t destination;
    uint64_t minute_s; /* newest that it claimed */
};

static struct owner *find_place(struct owner *owners, size_t size, struct hash128 key)
{
    size_t place = key.low & (size - 1);

    while (owners[place].destination && !hash_equal(owners[place].key, key))
        place = (place + 1) & (size - 1);
    return &owners[place];
}

static void rebuild(struct owner_table *table, size_t size, uint64_t since_s)
{
    struct owner *owners = memory_new(size, sizeof(*owners));
    size_t kept = 0;

    for (size_t i = 0; i < table->size; i++) {
        const struct owner *owner = &table->owners[i];

        if (!owner->destination || owner->minute_s < since_s)
            continue;
        *find_place(owners, size, owner->key) = *owner;
        kept++;
    }
    free(table->owners);
    *table = (struct owner_table){owners, kept, size};
}

bool owner_claim(struct owner_table *table, struct slice host_id, struct slice name,
                 uint64_t destination, uint64_t minute_s)
{
    if (table->size < 2 * (table->count + 1))
        rebuild(table, table->size ? table->size * 2 : 64, 0);

    struct hash128 key = hash_mix(hash_bytes(host_id, 0), hash_bytes(name, 1));
    struct owner *owner = find_place(table->owners, table->size, key);

    if (!owner->destination) {
        table->count++;
        *owner = (struct owner){key, destination, minute_s};
        return true;
    }
    if (owner->destination != destination && minute_s < owner->minute_s + OWNER_ALIVE_S)
        return false;
    owner->destination = destination;
    if (minute_s > owner->minute_s)
        owner->minute_s = minute_s;
    return true;
}

void owner_prune(struct owner_table *table, uint64_t since_s)
{
    if (table->size)
        rebuild(table, table->size, since_s);
}

void owner_table_release(struct owner_table *table)
{
    free(table->owners);
    *table = (struct owner_table){0};
}
