/*
 * The receiver: listeners for OTLP/gRPC and OTLP/HTTP, an acceptor thread and one worker thread
 * per core. It reads requests, decodes them and gives them to the intake; it knows nothing of what
 * happens to them afterwards, except the one answer that comes back.
 *
 * The acceptor gives each connection to the worker with the fewest. A connection belongs to its
 * worker for life, so nothing in a connection is locked. Both ports tell HTTP/2 from HTTP/1.1 by
 * the first bytes.
 *
 * What is bounded, and what a sender sees beyond it:
 *   message and body size    8 RESOURCE_EXHAUSTED or 413, decided from the length where one is known
 *   bytes in flight          the intake's reserve() refuses: 14 UNAVAILABLE or 503, with a delay
 *   header block             16 KiB: stream reset or 431
 *   connections              closed at once
 *   time                     request_timeout_ms for a whole request, idle_timeout_ms between them
 *
 * Threads: receiver_start() to receiver_free() from one thread; receiver_read_stats() from any.
 * The intake must stay valid until every submitted request is answered or freed; answers that come
 * after receiver_free() are ignored.
 */
#ifndef RECEIVER_SERVER_H
#define RECEIVER_SERVER_H

#include "base/compiler.h"
#include "base/error.h"
#include "receiver/intake.h"
#include "receiver/options.h"
#include "receiver/stats.h"

#include <stdbool.h>
#include <stddef.h>

struct receiver;

/*
 * Binds both endpoints, starts the threads and listens. NULL when an endpoint cannot be parsed
 * (ERROR_INVALID) or bound (ERROR_INTERNAL). Options are copied, the intake's struct too.
 */
struct receiver *receiver_start(const struct receiver_options *options,
                                const struct intake *intake,
                                struct error *err) MUST_CHECK;

/* "host:port" as bound, with the port that the system chose; "[host]:port" for IPv6. */
enum {
    RECEIVER_ADDRESS_MAX = 64
};

void receiver_address(const struct receiver *receiver, enum receiver_port port,
                      char text[static RECEIVER_ADDRESS_MAX]);

/*
 * Stops accepting, says GOAWAY, answers what was accepted and closes connections as they fall
 * idle. Blocks until all are closed or deadline_ms has passed; true when all are closed. The intake
 * must go on answering meanwhile.
 */
bool receiver_drain(struct receiver *receiver, unsigned deadline_ms);

/* Closes what is left, at once, and ends the threads. NULL is fine. */
void receiver_free(struct receiver *receiver);

void receiver_read_stats(const struct receiver *receiver, struct receiver_stats *stats);

#endif
