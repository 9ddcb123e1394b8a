/*
 * How many values go in one request. Pure.
 *
 * The developers of Mackerel's time series store ask for medium requests, so every portion begins
 * small. Backlog grows: after an outage of a day there are millions of values and only so many
 * requests a minute, so a portion doubles as long as the API takes full ones quickly. It halves
 * after a timeout or an outage, and stays below a size that was refused as too large. Live portions
 * stay as they are; only "too many requests" (429) makes them larger, since then fewer, larger
 * requests are what the API asks for. What was learned is forgotten after an hour.
 */
#ifndef EXPORTER_PORTION_H
#define EXPORTER_PORTION_H

#include <stddef.h>
#include <stdint.h>

enum {
    /* Of any hosts: what Mackerel's own senders post at a time. */
    PORTION_LIVE = 100,
    PORTION_LIVE_MAX = 1600,
    /* A day of 1,500 values a minute in half an hour takes 1,150 values a second. */
    PORTION_BACKLOG_MAX = 2000,
    /* Of one service, which may post four times a minute only. */
    PORTION_SERVICE = 1000,
    PORTION_SERVICE_MAX = 5000,
    /* An answer that took longer than this is no sign that more would be welcome. */
    PORTION_QUICK_MS = 3000,
    PORTION_MEMORY_MS = 60 * 60 * 1000,
};

struct portion {
    size_t first, most; /* what it begins with; what it never exceeds */
    size_t values, ceiling;
    uint64_t forget_ms; /* monotonic; 0: nothing to forget */
};

struct portion portion_of(size_t first, size_t most);

/* Values of the next request. */
size_t portion_size(struct portion *portion, uint64_t now_ms);

/* `count` values were accepted after `took_ms`. */
void portion_accepted(struct portion *portion, size_t count, uint64_t took_ms);
/* `count` values were too large a request (413). */
void portion_refused(struct portion *portion, size_t count, uint64_t now_ms);
/* A request timed out or the API failed. */
void portion_failed(struct portion *portion);
/* Too many requests (429). */
void portion_pressed(struct portion *portion, uint64_t now_ms);

#endif
