/*
 * One HTTP version on one connection: bytes in, bytes out. A protocol never sees a socket, so that
 * it can be tested and fuzzed with plain bytes; connection.c moves the bytes.
 *
 * After receive(), tick() or an answer the connection calls produce() and sends what it got, then
 * asks state().
 */
#ifndef RECEIVER_PROTOCOL_H
#define RECEIVER_PROTOCOL_H

#include "base/buffer.h"
#include "base/slice.h"
#include "receiver/service.h"

#include <stdbool.h>

enum protocol_state {
    PROTOCOL_READING, /* wants bytes */
    PROTOCOL_PAUSED,  /* owes an answer before it can read on */
    PROTOCOL_CLOSING, /* send what was produced, then close; no further bytes are wanted */
};

struct protocol;

struct protocol_class {
    void (*receive)(struct protocol *protocol, struct slice bytes);
    /* Appends what is to be sent. */
    void (*produce)(struct protocol *protocol, struct buffer *out);
    /* Deadlines; called about four times a second. */
    void (*tick)(struct protocol *protocol);
    /* No new requests: answer what was accepted, then close. Called once. */
    void (*drain)(struct protocol *protocol);
    enum protocol_state (*state)(const struct protocol *protocol);
    /* Is a complete request waiting for its answer? */
    bool (*owes)(const struct protocol *protocol);
    void (*free)(struct protocol *protocol);
};

struct protocol {
    const struct protocol_class *class;
};

/* What a protocol is given: whom to tell that produce() has something after an answer. */
struct protocol_host {
    struct service *service;
    enum receiver_port port;
    void (*wake)(void *self);
    void *self;
};

#endif
