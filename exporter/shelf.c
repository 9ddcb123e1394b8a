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
    };
    return shelf;
}

static void free_shelf(struct shelf *shelf)
{
    for (size_t i = 0; i < shelf->count; i++)
        outbox_row_free(shelf->rows[i]);
    drop(shelf->destination.name);
    drop(shelf->destination.host_id);
    drop(shelf->destination.custom_identifier);
    drop(shelf->destination.roles);
    free(shelf->rows);
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

struct shelf *shelf_table_add(struct shelf_table *table,
                              const struct mackerel_destination *destination)
{
    if (table->index_size < 2 * (table->count + 1))
        build_index(table);

    struct shelf **place = find_place(table, identity_of(destination));

    if (*place)
        return *place;
    table->shelves = memory_grow(table->shelves, table->count + 1, &table->capacity,
                                 sizeof(struct shelf *));
    *place = new_shelf(++table->last_id, destination);
    table->shelves[table->count++] = *place;
    return *place;
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

size_t shelf_row_at(const struct shelf *shelf, uint64_t minute_s)
{
    size_t low = 0, high = shelf->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (shelf->rows[middle]->minute_s < minute_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct outbox_row *shelf_add_row(struct shelf *shelf, uint64_t minute_s,
                                 enum mackerel_lane lane)
{
    size_t at = shelf_row_at(shelf, minute_s);

    if (at < shelf->count && shelf->rows[at]->minute_s == minute_s) {
        if (lane == MACKEREL_LIVE)
            shelf->rows[at]->lane = MACKEREL_LIVE;
        return shelf->rows[at];
    }
    shelf->rows = memory_grow(shelf->rows, shelf->count + 1, &shelf->capacity,
                              sizeof(struct outbox_row *));
    memmove(shelf->rows + at + 1, shelf->rows + at,
            (shelf->count - at) * sizeof(struct outbox_row *));
    shelf->rows[at] = outbox_row_new(minute_s, lane);
    shelf->count++;
    return shelf->rows[at];
}

void shelf_remove_row(struct shelf *shelf, size_t at)
{
    outbox_row_free(shelf->rows[at]);
    shelf->count--;
    memmove(shelf->rows + at, shelf->rows + at + 1,
            (shelf->count - at) * sizeof(struct outbox_row *));
}
