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
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OUTBOX_MAX_AGE_S = 24 * 3600,
    /* Twice the 30 s that a request may take: a request that is later than this is dead. */
    OUTBOX_CONFIRM_S = 60,
    /* LIVE rows older than this are backlog (after an outage): the newest minutes go first. */
    OUTBOX_LIVE_S = 5 * 60,
};

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

enum outbox_pick {
    OUTBOX_ALL,
    OUTBOX_CUSTOM,
    OUTBOX_NATIVE
};

struct outbox_item {
    uint64_t destination;
    uint64_t minute_s;
    uint32_t revision;
    bool native;
    double value;
    struct slice name; /* belongs to the batch */
};

struct outbox_names;

/* Values that were taken. Zero-initialise it; release it after settling every item. */
struct outbox_batch {
    struct outbox_item *items;
    size_t count, capacity;
    struct outbox_names *names;
};

void outbox_batch_release(struct outbox_batch *batch);

struct outbox_query {
    uint64_t destination;
    enum mackerel_lane lane; /* LIVE: fresh rows; BACKFILL: late rows and backlog */
    enum outbox_pick pick;
    uint64_t now_s;
    size_t max_values;
};

/* Appends values that are due, oldest minute first, and marks them in flight. Returns how many. */
size_t outbox_take(struct outbox *outbox, const struct outbox_query *query,
                   struct outbox_batch *batch);

enum outbox_end {
    OUTBOX_DELIVERED, /* answered 2xx */
    OUTBOX_RETURNED,  /* surely not taken: back to the queue */
    OUTBOX_AMBIGUOUS, /* back to the queue; the attempt may still take effect */
    OUTBOX_REJECTED,  /* Mackerel will never take it */
    OUTBOX_EXPIRED,   /* too old, or no room */
    OUTBOX_WITHHELD,  /* held back for good for `reason` */
};

struct outbox_verdict {
    enum outbox_end end;
    enum withheld reason; /* only with OUTBOX_WITHHELD */
    uint64_t now_ns;      /* Unix time */
};

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
