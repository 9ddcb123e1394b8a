/*
 * The small texts and frames of gRPC.
 *
 * Source: grpc/grpc, doc/PROTOCOL-HTTP2.md ("Length-Prefixed-Message", "Status-Message",
 * "Timeout").
 */
#ifndef PROTO_GRPC_H
#define PROTO_GRPC_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    GRPC_PREFIX_BYTES = 5
};

/*
 * Most bytes of an encoded grpc-message. Clients may take no more than 8 KiB of trailers in all,
 * and the details hold the message a second time.
 */
enum {
    GRPC_MESSAGE_MAX = 1024
};

struct grpc_prefix {
    bool compressed;
    uint32_t length;
};

/* False (ERROR_CORRUPT) when the flag is neither 0 nor 1. */
bool grpc_prefix_read(const char bytes[static GRPC_PREFIX_BYTES],
                      struct grpc_prefix *prefix, struct error *err) MUST_CHECK;
void grpc_prefix_write(char bytes[static GRPC_PREFIX_BYTES],
                       const struct grpc_prefix *prefix);

/*
 * Appends the text as a grpc-message value: what is no UTF-8 becomes U+FFFD, then every byte
 * outside 20..24 and 26..7E becomes %XX. Cut behind a whole character at GRPC_MESSAGE_MAX.
 */
void grpc_message_encode(struct slice text, struct buffer *out);

/*
 * grpc-timeout: 1 to 8 digits and a unit of "HMSmun". Times beyond 64 bits of nanoseconds are the
 * longest that fits. False when it is malformed.
 */
bool grpc_timeout_parse(struct slice text, uint64_t *timeout_ns) MUST_CHECK;

#endif
