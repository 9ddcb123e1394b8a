/*
 * A worker: one thread, one libuv loop, the connections that the acceptor gave it. Sockets and
 * requests to drain or stop come from other threads through a small locked inbox and one async
 * wake-up; libuv merges wake-ups, so each empties the inbox.
 */
#ifndef RECEIVER_WORKER_H
#define RECEIVER_WORKER_H

#include "base/compiler.h"
#include "base/error.h"
#include "receiver/intake.h"
#include "receiver/options.h"
#include "receiver/stats.h"

#include <stdbool.h>
#include <stddef.h>

struct worker;

/* Starts the thread. Both pointers must outlive the worker. */
struct worker *worker_new(const struct receiver_options *options,
                          const struct intake *intake, struct error *err) MUST_CHECK;

/* Stops the thread, closing what is open, and frees. NULL is fine. */
void worker_free(struct worker *worker);

/* Any thread: gives a connected socket away. */
void worker_give(struct worker *worker, int socket, enum receiver_port port);

/* Any thread: no new requests; connections close as they fall idle. */
void worker_drain(struct worker *worker);

/* Any thread: connections that the worker has or was given. */
size_t worker_load(const struct worker *worker);

const struct stats *worker_stats(const struct worker *worker);

#endif
