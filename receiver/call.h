/*
 * A call is one request on one HTTP/2 stream: an exchange, and its answer on the way out through
 * nghttp2.
 *
 * The calls of a connection are listed by age. `owed` counts those whose request is complete and
 * whose answer is not yet known.
 */
#ifndef RECEIVER_CALL_H
#define RECEIVER_CALL_H

#include "base/buffer.h"
#include "receiver/exchange.h"
#include "receiver/protocol.h"

#include <nghttp2/nghttp2.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct call_list {
    nghttp2_session *session;
    struct protocol_host host;
    struct call *oldest, *newest;
    size_t owed;
};

struct call {
    struct call_list *list;
    struct call *older, *younger;
    int32_t id;
    size_t header_bytes;
    size_t sent;        /* of body */
    bool in_trailers;   /* the request's head is over */
    bool received;      /* END_STREAM came */
    bool owed;          /* counted in list->owed */
    bool grpc_trailers; /* send grpc-status: 0 after the body */
    struct buffer body; /* of the answer */
    struct exchange exchange;
};

/* Begins a request; nghttp2 keeps the call as the stream's user data from here on. */
struct call *call_new(struct call_list *list, int32_t id);
void call_free(struct call *call);

/* The call on that stream, or NULL. */
struct call *call_find(const struct call_list *list, int32_t id);

/* The request is complete. */
void call_end(struct call *call);

#endif
