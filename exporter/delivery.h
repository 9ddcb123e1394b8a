/*
 * The delivery: one thread that takes closed minutes out of the outbox and posts them to Mackerel
 * until each was answered 2xx or is 24 h old. What is sent when, and what answers mean, is decided
 * in exporter/dispatch.h; here are the thread, the clock, the key and the sockets.
 *
 * Without a key the delivery is a preview: values are printed, and printing counts as delivered.
 * Thread: all functions may be called from any thread; start, drain and free from one.
 */
#ifndef EXPORTER_DELIVERY_H
#define EXPORTER_DELIVERY_H

#include "base/error.h"
#include "exporter/outbox.h"
#include "exporter/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct delivery;

/* Texts are borrowed until delivery_free(); NULL and "" mean the same. */
struct delivery_options {
    const char *apikey; /* wins over apikey_file; neither: preview */
    const char
        *apikey_file; /* read at start, when it changes, and while the key is refused */
    const char *apibase;             /* default https://api.mackerelio.com */
    const char *ca_file;             /* default: the system's */
    const char *version;             /* of this program, for User-Agent */
    const char *hosts_create;        /* "never" (default), "listed" or "any" */
    const char *const *hosts_listed; /* names or custom identifiers, for "listed" */
    size_t hosts_listed_count;
    const char *native_metrics; /* "auto" (default), "on" or "off" */
    bool create_services;
    size_t outbox_max_bytes; /* as given to the outbox; 0: no limit */
    /* Fresh values wait for this gateway's place in the minute (exporter/pace.h): `grace_ms` past the
     * minute, when minutes close, and then up to `spread_ms`, as `identity` decides. 0: no wait. */
    uint64_t grace_ms, spread_ms;
    const char
        *identity; /* a text that no other gateway has and that stays; read at start */
    FILE *preview; /* NULL: stdout */
    /* The outbox cannot be written because the disk is full: give up a reserve. On the delivery's
     * thread, at most once a second. NULL: nothing to give up. */
    void (*disk_full)(void *self);
    void *disk_full_self;
};

/* NULL with an error when the options cannot work. The outbox must outlive the delivery. */
struct delivery *delivery_start(const struct delivery_options *options,
                                struct outbox *outbox, struct error *err);

/* Something was put into the outbox. */
void delivery_wake(struct delivery *delivery);

/*
 * Posts what can be posted within `timeout_ms`, then stops the thread. Returns how many values are
 * left in the outbox.
 */
size_t delivery_drain(struct delivery *delivery, uint64_t timeout_ms);

/* Stops at once. NULL-safe. */
void delivery_free(struct delivery *delivery);

/* A picture of now; release it with delivery_status_release(). */
void delivery_read_status(struct delivery *delivery, struct delivery_status *status);

#endif
