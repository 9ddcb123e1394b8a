/*
 * The mind of the delivery: what to send next, and what an answer means. No socket, no clock, no
 * thread: exporter/delivery.c moves the bytes, tests move the time.
 *
 *   dispatch_tend()    looks after what is stored: expiry, unknown hosts, withheld values
 *   dispatch_next()    gives an errand to send, as long as there is one
 *   dispatch_answer()  takes its answer; the errand belongs to the dispatch again
 *
 * Policy. Fresh values go first, in small requests, at this gateway's own place in the minute
 * (exporter/pace.h); then questions about hosts and services; then backlog, oldest minutes first,
 * one request of it at a time: two a minute for a service, for hosts below 100 a minute together with
 * fresh ones; in requests that grow as long as the API takes them (exporter/portion.h).
 *
 * An outage opens one circuit for the whole API: pauses grow from 1 s to 60 s with full jitter, or
 * are as long as Retry-After says, and after a pause one request goes first, of another destination
 * each time. A refused key pauses everything, to be tried again every minute or when it changed;
 * data is kept. 429 waits for the next minute, or as long as Retry-After says. A refused value is
 * found by halving and given up with the server's words; everything else is kept until it is 24 h
 * old.
 */
#ifndef EXPORTER_DISPATCH_H
#define EXPORTER_DISPATCH_H

#include "exporter/errand.h"
#include "exporter/health.h"
#include "exporter/host_registry.h"
#include "exporter/loader.h"
#include "exporter/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Values of unknown hosts may take a tenth of the outbox. */
enum {
    DISPATCH_UNKNOWN_SHARE = 10
};

struct dispatch_options {
    struct outbox *outbox;
    size_t outbox_max_bytes; /* 0: no limit */
    struct host_registry_options hosts;
    bool create_services;
    bool is_durable; /* what is left when the process ends is not lost */
    struct pace_offset offset;
    health_random *random;
};

struct dispatch;

struct dispatch *dispatch_new(const struct dispatch_options *options);
/* Values in flight stay marked so in the outbox: the caller stops using it, too. */
void dispatch_free(struct dispatch *dispatch);

/* Cheap; to be called before dispatch_next() whenever the thread wakes up. */
void dispatch_tend(struct dispatch *dispatch, struct instant now);

/*
 * The next request to send (errand->request), or NULL. While dispatch_is_paused() before the call,
 * it is an attempt with a key that was refused.
 */
struct errand *dispatch_next(struct dispatch *dispatch, struct instant now);

void dispatch_answer(struct dispatch *dispatch, struct errand *errand,
                     const struct api_answer *answer, struct instant now);

/* True while the API refuses the key. */
bool dispatch_is_paused(const struct dispatch *dispatch);

/* There is another key: it is tried at once if the old one was refused. */
void dispatch_renew_key(struct dispatch *dispatch, struct instant now);

/*
 * From now on values do not wait and gather. Where what is left would be lost, a value that was
 * accepted and waits only for its confirmation (exporter/outbox.h) is posted once more at once.
 */
void dispatch_drain(struct dispatch *dispatch);
/* True when nothing is in flight and waiting longer would not help what is left. */
bool dispatch_is_drained(const struct dispatch *dispatch, struct instant now);

void dispatch_read_status(const struct dispatch *dispatch, struct delivery_status *status,
                          struct instant now);

#endif
