/*
 * One row of the outbox in memory: the values of one destination and minute. A slot per name holds
 * the newest value; `flight` remembers which revision of it is on its way. The functions keep the
 * value ledger, because every change of a slot is an entry in the books.
 *
 * A slot counts as queued once for its newest value and once more for an older one in flight.
 * Names live in one buffer and are found through an open-addressing index, so that a minute of ten
 * thousand names merges in linear time. Used by exporter/outbox.c under its lock.
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
    uint64_t minute_s;
    enum mackerel_lane lane;
    uint32_t revision;
    struct outbox_slot *slots;
    size_t count, capacity;
    size_t queued, flights; /* slots that are queued, that are in flight */
    uint32_t *index;        /* slot number + 1; 0: free */
    size_t index_size;      /* a power of two, at least twice `count` */
    struct buffer names;
};

struct outbox_row *outbox_row_new(uint64_t minute_s, enum mackerel_lane lane);
void outbox_row_free(struct outbox_row *row);

/* Bytes of memory that the row holds. */
size_t outbox_row_bytes(const struct outbox_row *row);

/* A row with nothing queued and nothing in flight has ended. */
bool outbox_row_is_over(const struct outbox_row *row);

/* Merges one value: `ledger` gets it as closed, and what it replaces as replaced. */
void outbox_row_put(struct outbox_row *row, const struct mackerel_value *value,
                    struct value_ledger *ledger);

/* Marks up to `max` due values in flight and writes them, names borrowed from the row. */
size_t outbox_row_take(struct outbox_row *row, const struct outbox_query *query,
                       struct outbox_item *items, size_t max);

void outbox_row_settle(struct outbox_row *row, const struct outbox_item *item,
                       const struct outbox_verdict *verdict, struct value_ledger *ledger);

/* Ends what is queued and picked; what is in flight stays. Returns how many values. */
size_t outbox_row_drop(struct outbox_row *row, enum outbox_pick pick,
                       const struct outbox_verdict *verdict, struct value_ledger *ledger);

#endif
