/*
 * What the receiver counts. Each worker owns one set of counters that only it writes, so that a
 * request costs no shared cache line; readers add the sets up.
 */
#ifndef RECEIVER_STATS_H
#define RECEIVER_STATS_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdint.h>

enum receiver_transport {
    RECEIVER_GRPC,
    RECEIVER_HTTP
};

enum {
    RECEIVER_TRANSPORTS = 2,
    RECEIVER_OUTCOMES = ERROR_INTERNAL + 1
};

struct receiver_stats {
    uint64_t connections_open;
    uint64_t connections_total;
    uint64_t connections_refused; /* over max_connections or out of file descriptors */
    /* Answered requests by outcome; [ERROR_NONE] is success, partial success included. */
    uint64_t requests[RECEIVER_TRANSPORTS][RECEIVER_OUTCOMES];
    uint64_t partial_successes;
    uint64_t cancelled;  /* requests whose sender went away before the answer */
    uint64_t body_bytes; /* as received, of decoded requests */
    uint64_t
        inflated_bytes; /* of decoded requests; equal to body_bytes without compression */
    uint64_t
        protocol_errors;    /* connections closed because of malformed or abusive bytes */
    uint64_t timeouts;      /* connections or requests ended by a deadline */
    uint64_t tls_hellos;    /* TLS clients on a port that speaks cleartext */
    uint64_t other_signals; /* traces, logs and profiles sent here */
};

/* Same shape, written by one thread and read by any. */
struct stats {
    _Atomic uint64_t connections_open;
    _Atomic uint64_t connections_total;
    _Atomic uint64_t connections_refused;
    _Atomic uint64_t requests[RECEIVER_TRANSPORTS][RECEIVER_OUTCOMES];
    _Atomic uint64_t partial_successes;
    _Atomic uint64_t cancelled;
    _Atomic uint64_t body_bytes;
    _Atomic uint64_t inflated_bytes;
    _Atomic uint64_t protocol_errors;
    _Atomic uint64_t timeouts;
    _Atomic uint64_t tls_hellos;
    _Atomic uint64_t other_signals;
};

static inline void stats_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

/* Adds one worker's counters to the sum. */
void stats_sum(const struct stats *stats, struct receiver_stats *sum);

#endif
