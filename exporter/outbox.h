/*
 * The outbox: closed minutes on their way to Mackerel. One row per (destination, minute) holds all
 * values of that minute; putting a row again merges into it (same name: the newer value replaces
 * the older) and raises its revision. A value in flight that is changed stays and is sent again.
 *
 * take copies values out and marks them in flight; settle ends or returns exactly that revision of
 * them. Nothing that take returns points into the store, so that a store on disk can stand behind
 * the same functions. Every value is at any moment either queued (waiting or in flight) or ended
 * under one heading of the value ledger, which therefore always balances.
 *
 * After an ambiguous attempt (the request may or may not have arrived, and may arrive late) a value
 * that is accepted less than OUTBOX_CONFIRM_S later is posted once more at the end of that time, so
 * that the newest revision is the last one that Mackerel sees.
 *
 * Limits: max_bytes of rows, above it the oldest minutes expire; 24 h of age, because Mackerel
 * answers 200 to older values and ignores them (Mackerel API, "Host metrics").
 * Threads: put from the engine, everything else from the delivery thread; locked inside. The texts
 * of destinations belong to the outbox until outbox_prune().
 */
#ifndef EXPORTER_OUTBOX_H
#define EXPORTER_OUTBOX_H

#include "base/ledger.h"
#include "exporter/outbox_item.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

struct outbox_options {
    size_t max_bytes; /* oldest rows give way (expired) above it; 0 means no limit */
};

struct outbox *outbox_new(const struct outbox_options *options);
void outbox_free(struct outbox *outbox);

/* Takes copies of the rows, all or none, as closed by the tick with that LSN. */
void outbox_put(struct outbox *outbox, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn);

/* ---- destinations ------------------------------------------------------------------------ */

struct outbox_destination {
    uint64_t id; /* never reused */
    struct mackerel_destination destination;
    size_t values;            /* queued or in flight */
    size_t bytes;             /* of its rows */
    uint64_t oldest_minute_s; /* of its rows; 0 when there are none */
};

/* Writes up to `max` destinations with an id above `after_id`, in the order of ids. */
size_t outbox_list(struct outbox *outbox, uint64_t after_id,
                   struct outbox_destination *list, size_t max);

/* Forgets destinations that have no rows and got none since the Unix time `since_s`; calls gone()
 * with each id before its texts are freed. */
void outbox_prune(struct outbox *outbox, uint64_t since_s,
                  void (*gone)(void *self, uint64_t id), void *self);

/* ---- sending ----------------------------------------------------------------------------- */

struct outbox_names;

/* Values that were taken. Zero-initialise it; release it after settling every item. */
struct outbox_batch {
    struct outbox_item *items;
    size_t count, capacity;
    struct outbox_names *names;
};

void outbox_batch_release(struct outbox_batch *batch);

/* Appends values that are due, oldest minute first, and marks them in flight. Returns how many. */
size_t outbox_take(struct outbox *outbox, const struct outbox_query *query,
                   struct outbox_batch *batch);

/* Ends the flight of items that were taken. Each item is settled exactly once. */
void outbox_settle(struct outbox *outbox, const struct outbox_item *items, size_t count,
                   const struct outbox_verdict *verdict);

struct outbox_selection {
    uint64_t destination;    /* 0: all */
    uint64_t until_minute_s; /* rows up to and including this minute */
    enum outbox_pick pick;
};

/* Ends what is queued and not in flight, without sending. Returns how many values. */
size_t outbox_drop(struct outbox *outbox, const struct outbox_selection *selection,
                   const struct outbox_verdict *verdict);

/* ---- books ------------------------------------------------------------------------------- */

struct outbox_counts {
    size_t destinations, rows, values, bytes;
    uint64_t oldest_minute_s; /* 0 when empty */
    uint64_t last_lsn;        /* of the last put */
};

void outbox_read_counts(struct outbox *outbox, struct outbox_counts *counts);
void outbox_read_ledger(struct outbox *outbox, struct value_ledger *ledger);

#endif
