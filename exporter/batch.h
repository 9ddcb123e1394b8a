/*
 * From values to request bodies. Pure.
 *
 * A body is a JSON array of values of one lane: values of any hosts and minutes for
 * POST /api/v0/tsdb, of one service for POST /api/v0/services/<name>/tsdb. Sizes: the developers of
 * the time series store ask for medium requests (their own senders post 100 values and cut at
 * 100 kB), the front refuses large ones. How many values: exporter/portion.h.
 * No (host, name, minute) occurs twice: the outbox has one row per destination and minute, one slot
 * per name, and exporter/owner.h lets one destination of a host own a name.
 */
#ifndef EXPORTER_BATCH_H
#define EXPORTER_BATCH_H

#include "base/buffer.h"
#include "exporter/outbox.h"

enum {
    BATCH_BYTES = 100 * 1000,
    /* Backlog after an outage, once the API has taken smaller ones (exporter/portion.h). */
    BATCH_BACKLOG_BYTES = 500 * 1000,
    /* A service may post only four times a minute: what would not fit goes in bodies of up to
     * this size, under the 1 MB that fronts commonly take. */
    BATCH_SERVICE_BYTES_MAX = 900 * 1000,
};

struct batch_limits {
    size_t max_values; /* 0: no limit */
    size_t max_bytes;
};

struct batch_entry {
    struct slice host_id; /* empty for a service */
    const struct outbox_item *item;
};

/*
 * Appends the array of the longest run of entries, from the first, that fits the limits, and
 * returns its length: at least 1, since one value is never too large to try. `count` is not 0.
 */
size_t batch_write(const struct batch_entry *entries, size_t count,
                   const struct batch_limits *limits, struct buffer *body);

/* Where to cut a refused run of at least two entries: in the middle. */
size_t batch_halve(size_t count);

/*
 * Where to cut a run in which some host is unknown to the API: at the change of host nearest to the
 * middle; 0 when all values are of one host.
 */
size_t batch_host_cut(const struct batch_entry *entries, size_t count);

/* Body size for a service with `bytes` to post and `posts` left in this minute. */
size_t batch_service_bytes(size_t bytes, unsigned posts);

#endif
