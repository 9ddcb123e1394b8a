/*
 * The thread that accepts connections on both ports and gives each to the worker with the fewest.
 * (Letting the kernel spread them over several listening sockets puts four connections 4:0 on two
 * workers one time in eight.)
 *
 * When file descriptors run out, a spare one is given up to accept and close the waiting
 * connection: otherwise it would stay in the queue and poll() would spin.
 */
#ifndef RECEIVER_ACCEPTOR_H
#define RECEIVER_ACCEPTOR_H

#include "base/compiler.h"
#include "base/error.h"
#include "receiver/options.h"
#include "receiver/stats.h"
#include "receiver/worker.h"

#include <stddef.h>

enum {
    ACCEPTOR_PORTS = 2
};

struct acceptor;

struct acceptor_options {
    int sockets
        [ACCEPTOR_PORTS]; /* listening, indexed by enum receiver_port; closed at the end */
    struct worker **workers; /* borrowed */
    size_t worker_count;
    size_t max_connections;
};

/* Starts the thread; takes the sockets over on success only. */
struct acceptor *acceptor_new(const struct acceptor_options *options,
                              struct error *err) MUST_CHECK;

/* Stops accepting and closes the sockets; may be called again. */
void acceptor_stop(struct acceptor *acceptor);

/* Stops and frees. NULL is fine. */
void acceptor_free(struct acceptor *acceptor);

const struct stats *acceptor_stats(const struct acceptor *acceptor);

#endif
