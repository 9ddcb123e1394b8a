/*
 * The shelves of the outbox in memory: one per destination, holding its rows in the order of
 * minutes. A shelf is found by identity (a hash index) when rows are put, and by id (a number that
 * is never reused; shelves are kept in its order) for everything else.
 *
 * Owner: exporter/outbox.c, under its lock; that module also keeps the sums of values and bytes.
 */
#ifndef EXPORTER_SHELF_H
#define EXPORTER_SHELF_H

#include "base/hash.h"
#include "exporter/outbox_row.h"

struct shelf {
    uint64_t id;
    struct mackerel_destination destination; /* texts are heap copies */
    struct hash128 identity;
    struct outbox_row **rows; /* in the order of minutes */
    size_t count, capacity;
    size_t values, bytes;
    uint64_t last_put_s; /* newest minute that was put */
};

struct shelf_table {
    struct shelf **shelves; /* in the order of ids */
    size_t count, capacity;
    uint64_t last_id;
    struct shelf **index; /* open addressing by identity */
    size_t index_size;    /* a power of two, at least twice `count` */
};

void shelf_table_release(struct shelf_table *table);

/* The destination's shelf; added if there is none. */
struct shelf *shelf_table_add(struct shelf_table *table,
                              const struct mackerel_destination *destination);

/* Position of the first shelf with an id of at least `id`. */
size_t shelf_table_at(const struct shelf_table *table, uint64_t id);
/* NULL when there is no such shelf. */
struct shelf *shelf_table_find(const struct shelf_table *table, uint64_t id);

/* As outbox_prune(). */
void shelf_table_prune(struct shelf_table *table, uint64_t since_s,
                       void (*gone)(void *self, uint64_t id), void *self);

/* Position of the first row with a minute of at least `minute_s`. */
size_t shelf_row_at(const struct shelf *shelf, uint64_t minute_s);
/* The minute's row; added if there is none. A live value makes the whole row live. */
struct outbox_row *shelf_add_row(struct shelf *shelf, uint64_t minute_s,
                                 enum mackerel_lane lane);
void shelf_remove_row(struct shelf *shelf, size_t at);

#endif
