/*
 * One row of the outbox in memory: the values of one destination and minute. A slot per name holds
 * the newest value; `flight` remembers which revision of it is on its way. The functions keep the
 * value ledger, because every change of a slot is an entry in the books.
 *
 * A slot counts as queued once for its newest value and once more for an older one in flight.
 * Names live in one buffer and are found through an open-addressing index, so that a minute of ten
 * thousand names merges in linear time. Used by the modules around
 * exporter/outbox_stock.h, under the outbox's lock.
 */
#ifndef EXPORTER_OUTBOX_ROW_H
#define EXPORTER_OUTBOX_ROW_H

#include "base/buffer.h"
#include "exporter/outbox_item.h"

struct outbox_slot {
    double value;
    uint32_t name_at, name_len;
    uint32_t hash;
    uint32_t revision; /* of `value` */
    uint32_t flight;   /* revision in flight; 0: none */
    uint32_t
        accepted; /* revision that was answered 2xx and waits for its confirmation; 0: none */
    uint32_t
        confirm_s; /* Unix time until which an ambiguous attempt may still take effect */
    bool queued;   /* `value` waits to be sent */
    bool native;
};

struct outbox_row {
    uint64_t destination;
    uint64_t minute_s;
    enum mackerel_lane lane;
    uint32_t revision;
    struct outbox_slot *slots;
    size_t count, capacity;
    size_t queued, natives,
        flights;       /* slots that are queued, of these native; in flight */
    uint64_t taken_s;  /* when values were last taken for a flight */
    uint32_t *index;   /* slot number + 1; 0: free */
    size_t index_size; /* a power of two, at least twice `count` */
    struct buffer names;
    /* Of the owner: */
    struct outbox_row *before, *after; /* in its list of rows that may be unloaded */
    bool is_linked;                    /* is in that list */
    bool is_dirty;                     /* differs from what is on disk */
    bool is_changed;                   /* its key waits for the next commit */
    size_t counted_bytes;              /* in the owner's sum of loaded rows */
};

struct outbox_row *outbox_row_new(uint64_t destination, uint64_t minute_s,
                                  enum mackerel_lane lane);
void outbox_row_free(struct outbox_row *row);

/* Bytes of memory that the row holds. */
size_t outbox_row_bytes(const struct outbox_row *row);

/* A row with nothing queued and nothing in flight has ended. */
bool outbox_row_is_over(const struct outbox_row *row);

/* When the first of what is queued is due; 0: at once. */
uint64_t outbox_row_due_s(const struct outbox_row *row);

struct slice outbox_row_name(const struct outbox_row *row,
                             const struct outbox_slot *slot);

/* A slot for the name, new or found; its values are the caller's business. */
struct outbox_slot *outbox_row_slot(struct outbox_row *row, struct slice name);

/* Marks the slot as queued. */
void outbox_row_enqueue(struct outbox_row *row, struct outbox_slot *slot);

/* Merges one value: `ledger` gets it as closed, and what it replaces as replaced. */
void outbox_row_put(struct outbox_row *row, const struct mackerel_value *value,
                    struct value_ledger *ledger);

/* Marks up to `max` due values in flight and writes them, names borrowed from the row. */
size_t outbox_row_take(struct outbox_row *row, const struct outbox_query *query,
                       struct outbox_item *items, size_t max);

/* False when the row is as it was before it was taken. */
bool outbox_row_settle(struct outbox_row *row, const struct outbox_item *item,
                       const struct outbox_verdict *verdict, struct value_ledger *ledger);

/* Ends what is queued and picked; what is in flight stays. Returns how many values. */
size_t outbox_row_drop(struct outbox_row *row, enum outbox_pick pick,
                       const struct outbox_verdict *verdict, struct value_ledger *ledger);

/* Whoever sent values of this row is gone: what is queued may arrive until `until_s`. */
void outbox_row_doubt(struct outbox_row *row, uint64_t until_s);

/* What only waits for its confirmation is due now. True when there was any. */
bool outbox_row_retry(struct outbox_row *row, enum outbox_pick pick, uint64_t now_s);

#endif
