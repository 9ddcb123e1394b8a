/*
 * The shelves of the outbox in memory: one per destination, holding an entry per row in the order
 * of minutes; the row itself may be on disk only. A shelf is found by identity (a hash index) when
 * rows are put, and by id (a number that is never reused; shelves are kept in its order) for
 * everything else.
 *
 * Owner: exporter/outbox_stock.h, which also keeps the sums of values and bytes.
 */
#ifndef EXPORTER_SHELF_H
#define EXPORTER_SHELF_H

#include "base/hash.h"
#include "exporter/outbox_code.h"
#include "exporter/outbox_row.h"

/* What is known of a row without loading it. */
struct shelf_entry {
    struct outbox_row *row; /* NULL: on disk only */
    uint64_t minute_s;
    uint64_t due_s;            /* unloaded: when the first of its values is due */
    uint64_t marked_s;         /* the flight that is noted on disk; 0: none */
    uint32_t values, natives;  /* unloaded: queued, of these native */
    uint32_t revision;         /* unloaded */
    uint32_t bytes;            /* as they count against the limit */
    struct outbox_older older; /* as the books on disk take them */
    enum mackerel_lane lane;
    bool is_stored;      /* a row of it is on disk */
    bool is_uncommitted; /* holds values that are not on disk */
};

struct shelf {
    uint64_t id;
    struct mackerel_destination destination; /* texts are heap copies */
    struct hash128 identity;
    struct shelf_entry *entries; /* in the order of minutes */
    size_t count, capacity;
    size_t values, bytes;
    uint64_t last_put_s;     /* newest minute that was put */
    struct outbox_host host; /* host_id empty: not known */
    bool has_service;        /* known to exist in Mackerel */
    bool is_dirty;           /* differs from what is on disk */
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
/* As it was stored. False when the id or the destination is there already. */
bool shelf_table_restore(struct shelf_table *table, uint64_t id,
                         const struct mackerel_destination *destination);

/* Position of the first shelf with an id of at least `id`. */
size_t shelf_table_at(const struct shelf_table *table, uint64_t id);
/* NULL when there is no such shelf. */
struct shelf *shelf_table_find(const struct shelf_table *table, uint64_t id);

/* As outbox_prune(). */
void shelf_table_prune(struct shelf_table *table, uint64_t since_s,
                       void (*gone)(void *self, uint64_t id), void *self);

/* Values that are queued or in flight. */
size_t shelf_entry_values(const struct shelf_entry *entry);
/* Values that are queued and picked. */
size_t shelf_entry_queued(const struct shelf_entry *entry, enum outbox_pick pick);
/* Nothing of it is in flight. */
bool shelf_entry_is_idle(const struct shelf_entry *entry);

/* Position of the first row with a minute of at least `minute_s`. */
size_t shelf_row_at(const struct shelf *shelf, uint64_t minute_s);
/* NULL when there is no such row. */
struct shelf_entry *shelf_find_row(const struct shelf *shelf, uint64_t minute_s);
/* A new entry for the minute, which has none. */
struct shelf_entry *shelf_add_row(struct shelf *shelf, uint64_t minute_s);
/* Frees the row, too. */
void shelf_remove_row(struct shelf *shelf, size_t at);

#endif
