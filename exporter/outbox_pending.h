/*
 * Rows, without their graphs, on their way into an outbox on disk: copies, in the order in which they
 * were put, until the delivery thread merges them. One heap block per put. Owner: exporter/outbox.c,
 * under a lock that is never held across a disk.
 */
#ifndef EXPORTER_OUTBOX_PENDING_H
#define EXPORTER_OUTBOX_PENDING_H

#include "proto/mackerel.h"

#include <stddef.h>
#include <stdint.h>

/* The rows of one tick, in one block; free with free(). */
struct outbox_pending {
    struct outbox_pending *next;
    uint64_t lsn;
    struct mackerel_row *rows;
    size_t count;
    size_t values;
};

struct outbox_pending *outbox_pending_new(const struct mackerel_row *rows, size_t count,
                                          uint64_t lsn);

struct outbox_queue {
    struct outbox_pending *first, **end; /* end NULL: empty and never used */
    size_t values;
};

void outbox_queue_append(struct outbox_queue *queue, struct outbox_pending *pending);
/* Gives everything away; the queue is empty. */
struct outbox_pending *outbox_queue_take(struct outbox_queue *queue);
void outbox_pending_free_all(struct outbox_pending *first);

#endif
