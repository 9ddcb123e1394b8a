#include "exporter/shelf.h"

#include "base/memory.h"

#include <stdlib.h>

static struct slice keep(struct slice text)
{
    return (struct slice){memory_copy(text), text.len};
}

static void drop(struct slice text)
{
    free((void *)(uintptr_t)text.ptr);
}

static struct hash128 identity_of(const struct mackerel_destination *destination)
{
    const struct slice parts[] = {destination->name, destination->host_id,
                                  destination->custom_identifier};
    struct hash128 hash = {(uint64_t)destination->kind, 0};

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        hash = hash_mix(hash, hash_bytes(parts[i], i));
    return hash;
}

static struct shelf *new_shelf(uint64_t id, const struct mackerel_destination *from)
{
    struct shelf *shelf = memory_new(1, sizeof(*shelf));

    shelf->id = id;
    shelf->identity = identity_of(from);
    shelf->destination = (struct mackerel_destination){
        .kind = from->kind,
        .name = keep(from->name),
        .host_id = keep(from->host_id),
        .custom_identifier = keep(from->custom_identifier),
        .roles = keep(from->roles),
        .meta = keep(from->meta),
    };
    return shelf;
}

static void free_shelf(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        outbox_row_free(shelf->entries[i].row);
    drop(shelf->destination.name);
    drop(shelf->destination.host_id);
    drop(shelf->destination.custom_identifier);
    drop(shelf->destination.roles);
    drop(shelf->destination.meta);
    free(shelf->entries);
    free(shelf);
}

void shelf_table_release(struct shelf_table *table)
{
    for (size_t i = 0; i < table->count; i++)
        free_shelf(table->shelves[i]);
    free(table->shelves);
    free(table->index);
    *table = (struct shelf_table){0};
}

/* Where the identity is, or the free place where it belongs. */
static struct shelf **find_place(const struct shelf_table *table, struct hash128 identity)
{
    size_t mask = table->index_size - 1, place = identity.low & mask;

    while (table->index[place] && !hash_equal(table->index[place]->identity, identity))
        place = (place + 1) & mask;
    return &table->index[place];
}

static void build_index(struct shelf_table *table)
{
    if (table->index_size < 2 * (table->count + 1))
        table->index_size = table->index_size ? table->index_size * 2 : 16;
    free(table->index);
    table->index = memory_new(table->index_size, sizeof(struct shelf *));
    for (size_t i = 0; i < table->count; i++)
        *find_place(table, table->shelves[i]->identity) = table->shelves[i];
}

/* Where the destination is, or the free place where it belongs, with room for one more. */
static struct shelf **make_place(struct shelf_table *table,
                                 const struct mackerel_destination *destination)
{
    if (table->index_size < 2 * (table->count + 1))
        build_index(table);
    table->shelves = memory_grow(table->shelves, table->count + 1, &table->capacity,
                                 sizeof(struct shelf *));
    return find_place(table, identity_of(destination));
}

struct shelf *shelf_table_add(struct shelf_table *table,
                              const struct mackerel_destination *destination)
{
    struct shelf **place = make_place(table, destination);

    if (*place)
        return *place;
    *place = new_shelf(++table->last_id, destination);
    (*place)->is_dirty = true;
    table->shelves[table->count++] = *place;
    return *place;
}

bool shelf_table_restore(struct shelf_table *table, uint64_t id,
                         const struct mackerel_destination *destination)
{
    struct shelf **place = make_place(table, destination);
    size_t at = shelf_table_at(table, id);

    if (*place || (at < table->count && table->shelves[at]->id == id))
        return false;
    *place = new_shelf(id, destination);
    memmove(table->shelves + at + 1, table->shelves + at,
            (table->count - at) * sizeof(struct shelf *));
    table->shelves[at] = *place;
    table->count++;
    if (id > table->last_id)
        table->last_id = id;
    return true;
}

size_t shelf_table_at(const struct shelf_table *table, uint64_t id)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (table->shelves[middle]->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct shelf *shelf_table_find(const struct shelf_table *table, uint64_t id)
{
    size_t at = shelf_table_at(table, id);

    if (at == table->count || table->shelves[at]->id != id)
        return NULL;
    return table->shelves[at];
}

void shelf_table_prune(struct shelf_table *table, uint64_t since_s,
                       void (*gone)(void *self, uint64_t id), void *self)
{
    size_t kept = 0, before = table->count;

    for (size_t i = 0; i < before; i++) {
        struct shelf *shelf = table->shelves[i];

        if (shelf->count || shelf->last_put_s >= since_s) {
            table->shelves[kept++] = shelf;
            continue;
        }
        gone(self, shelf->id);
        free_shelf(shelf);
    }
    table->count = kept;
    if (kept < before)
        build_index(table);
}

size_t shelf_entry_values(const struct shelf_entry *entry)
{
    return entry->row ? entry->row->queued + entry->row->flights : entry->values;
}

size_t shelf_entry_queued(const struct shelf_entry *entry, enum outbox_pick pick)
{
    size_t queued = entry->row ? entry->row->queued : entry->values;
    size_t natives = entry->row ? entry->row->natives : entry->natives;

    switch (pick) {
    case OUTBOX_ALL: return queued;
    case OUTBOX_CUSTOM: return queued - natives;
    case OUTBOX_NATIVE: return natives;
    }
    return queued;
}

bool shelf_entry_is_idle(const struct shelf_entry *entry)
{
    return !entry->row || entry->row->flights == 0;
}

size_t shelf_row_at(const struct shelf *shelf, uint64_t minute_s)
{
    size_t low = 0, high = shelf->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (shelf->entries[middle].minute_s < minute_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct shelf_entry *shelf_find_row(const struct shelf *shelf, uint64_t minute_s)
{
    size_t at = shelf_row_at(shelf, minute_s);

    if (at == shelf->count || shelf->entries[at].minute_s != minute_s)
        return NULL;
    return &shelf->entries[at];
}

struct shelf_entry *shelf_add_row(struct shelf *shelf, uint64_t minute_s)
{
    size_t at = shelf_row_at(shelf, minute_s);

    shelf->entries = memory_grow(shelf->entries, shelf->count + 1, &shelf->capacity,
                                 sizeof(shelf->entries[0]));
    memmove(shelf->entries + at + 1, shelf->entries + at,
            (shelf->count - at) * sizeof(shelf->entries[0]));
    shelf->entries[at] = (struct shelf_entry){.minute_s = minute_s};
    shelf->count++;
    return &shelf->entries[at];
}

void shelf_remove_row(struct shelf *shelf, size_t at)
{
    outbox_row_free(shelf->entries[at].row);
    shelf->count--;
    memmove(shelf->entries + at, shelf->entries + at + 1,
            (shelf->count - at) * sizeof(shelf->entries[0]));
}
