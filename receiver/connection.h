/*
 * A TCP connection on a worker's loop: moves bytes between the socket and its protocol, which it
 * chooses by the first bytes (the HTTP/2 preface, or HTTP/1.1; a TLS hello is counted and closed).
 *
 * Backpressure: at most one write is in flight, and while the socket takes no more, nothing is
 * read; so what a slow reader makes us hold is bounded by the answers to requests already accepted.
 *
 * A connection that closes with an answer is shut down for writing first, and what the peer still
 * sends is thrown away for a moment: a reset would destroy the answer before it is read.
 */
#ifndef RECEIVER_CONNECTION_H
#define RECEIVER_CONNECTION_H

#include "receiver/http2.h"
#include "receiver/protocol.h"

#include <uv.h>

#include <stdbool.h>

struct connection;

/* What the worker lends to its connections. */
struct connection_host {
    struct service *service;
    uv_loop_t *loop;
    char *read_buffer; /* one for all: libuv reads and delivers before it asks again */
    size_t read_bytes;
    /* The protocol may have something to send: settle it at the next settle(). */
    void (*dirty)(void *self, struct connection *connection);
    /* Hands out answers that are back and settles dirty connections until there are none. */
    void (*settle)(void *self);
    void (*closed)(void *self, struct connection *connection);
    void *self;
};

struct connection {
    struct connection *next, *previous; /* the worker's list */
    struct connection *next_dirty;
    bool is_dirty;

    const struct connection_host *host;
    enum receiver_port port;
    uv_tcp_t tcp;
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct protocol *protocol; /* NULL until the first bytes told which */
    char preface[HTTP2_PREFACE_LEN];
    size_t preface_len;
    struct buffer out;     /* to be sent */
    struct buffer sending; /* in flight, while `writing` */
    uint64_t since_ms;     /* accepted; the write in flight; the shutdown */
    bool writing, reading;
    bool peer_done; /* the peer sends no more */
    bool lingering; /* shut down for writing */
    bool draining;
    bool closing;
};

/* Takes the socket over. NULL (the socket is closed) when libuv refuses it. */
struct connection *connection_new(const struct connection_host *host, int socket,
                                  enum receiver_port port);

/* Sends what there is and starts, stops or closes as the protocol's state asks. */
void connection_settle(struct connection *connection);

void connection_tick(struct connection *connection);
void connection_drain(struct connection *connection);

/* Ends it at once; host->closed follows from the loop. */
void connection_close(struct connection *connection);

#endif
