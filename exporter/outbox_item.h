/*
 * What goes into and comes out of the outbox's operations: queries, items in flight, verdicts.
 * Values only; exporter/outbox.h says what the operations do with them.
 */
#ifndef EXPORTER_OUTBOX_ITEM_H
#define EXPORTER_OUTBOX_ITEM_H

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
    /* What went wrong with the file, in words. */
    OUTBOX_ERROR_MAX = 256,
};

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

struct outbox_query {
    uint64_t destination;
    enum mackerel_lane lane; /* LIVE: fresh rows; BACKFILL: late rows and backlog */
    enum outbox_pick pick;
    uint64_t now_s;
    size_t max_values;
};

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
    bool is_doubtful;     /* an earlier attempt, too, may still take effect */
};

struct outbox_names;

/* Values that were taken. Zero-initialise it; release it after settling every item. */
struct outbox_batch {
    struct outbox_item *items;
    size_t count, capacity;
    struct outbox_names *names;
};

struct outbox_selection {
    uint64_t destination;    /* 0: all */
    uint64_t until_minute_s; /* rows up to and including this minute */
    enum outbox_pick pick;
    uint64_t from_minute_s; /* and from this one on */
};

struct outbox_destination {
    uint64_t id; /* never reused */
    struct mackerel_destination destination;
    size_t values;            /* queued or in flight */
    size_t bytes;             /* of its rows */
    uint64_t oldest_minute_s; /* of its rows; 0 when there are none */
};

/* A row, for people. */
struct outbox_row_view {
    uint64_t destination, minute_s;
    enum mackerel_lane lane;
    uint32_t revision;
    size_t queued, in_flight; /* values */
    uint64_t due_s; /* all that is queued waits for its confirmation until then; 0: due */
    size_t bytes;
};

struct outbox_value_view {
    struct slice name; /* borrowed for the call */
    double value;
    uint32_t revision;
    bool native, queued, in_flight;
    bool is_accepted; /* answered 2xx once, and sent again after confirm_s */
    uint64_t
        confirm_s; /* an ambiguous attempt may take effect until then; 0: there was none */
};

/* What is known of the Mackerel host of a destination. */
struct outbox_host {
    char host_id[64];
    uint64_t verify_s;     /* Unix time at which to look it up again; 0: at once */
    uint32_t native;       /* enum native_state: who writes its native metrics */
    uint64_t native_due_s; /* when to look again; 0: at once */
};

#endif
