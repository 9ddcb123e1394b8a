/*
 * The outbox: closed minutes on their way to Mackerel. One row per (destination, minute) holds all
 * values of that minute; putting a row again merges into it (same name: the newer value replaces
 * the older) and raises its revision. A row in flight that is changed stays and is sent again.
 *
 * Today's store is memory; SQLite takes its place behind the same functions.
 * Threads: put from the engine, everything else from the delivery thread (locked inside).
 */
#ifndef EXPORTER_OUTBOX_H
#define EXPORTER_OUTBOX_H

#include "base/ledger.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

struct outbox_options {
    size_t max_bytes; /* oldest rows give way (expired) above it */
};

struct outbox *outbox_new(const struct outbox_options *options);
void outbox_free(struct outbox *outbox);

/* Takes copies of the rows, all or none, as closed by the tick with that LSN. */
void outbox_put(struct outbox *outbox, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn);

#endif
