/*
 * One request and its answer, whatever the HTTP version. The transport reports what arrives; the
 * exchange decides, collects, decodes, submits, and says once what became of it:
 *
 *   head complete -> body ... -> end -> submitted -> answered
 *        \------------\---------\--> answered early, with an error
 *
 * `respond` is called exactly once, unless the exchange is released before; it may run inside
 * any exchange_* call except release. After it no further call but release does anything.
 *
 * Belongs to the transport (a stream or a connection) and to its worker's thread.
 */
#ifndef RECEIVER_EXCHANGE_H
#define RECEIVER_EXCHANGE_H

#include "base/buffer.h"
#include "proto/grpc.h"
#include "receiver/head.h"
#include "receiver/reply.h"
#include "receiver/route.h"
#include "receiver/service.h"
#include "receiver/upload.h"

#include <stdbool.h>
#include <stdint.h>

enum exchange_stage {
    EXCHANGE_HEAD,
    EXCHANGE_BODY,
    EXCHANGE_SUBMITTED,
    EXCHANGE_ANSWERED,
};

enum {
    EXCHANGE_PREFIX = 5
}; /* flag and length before a gRPC message */

struct exchange {
    struct service *service;
    enum receiver_port port;
    void (*respond)(void *self, const struct outcome *outcome);
    void *self;

    enum exchange_stage stage;
    struct head head;
    struct route route;
    struct upload upload;
    char prefix[GRPC_PREFIX_BYTES];
    unsigned prefix_len;
    size_t message_bytes; /* gRPC: announced by the prefix */
    uint64_t deadline_ms; /* by which the request must be complete */

    struct ticket *ticket; /* while submitted */
    uint64_t rejected;     /* what to say on success */
    struct buffer warning;
};

void exchange_init(struct exchange *exchange, struct service *service,
                   enum receiver_port port);
void exchange_release(struct exchange *exchange);

/* exchange->head is complete. */
void exchange_head_done(struct exchange *exchange);
void exchange_body(struct exchange *exchange, struct slice bytes);
void exchange_end(struct exchange *exchange);

/* Ends the request with an error that the transport found. */
void exchange_fail(struct exchange *exchange, enum error_kind kind, const char *text);

/* Fails an incomplete request whose deadline has passed; true when it did. */
bool exchange_expire(struct exchange *exchange);

/*
 * Hands out the answers that came back to their exchanges. True when there were any: answering may
 * submit more, so the caller repeats until it is false.
 */
bool exchange_deliver(struct service *service);

#endif
