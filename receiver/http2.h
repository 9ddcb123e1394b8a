/*
 * HTTP/2 on one connection, with nghttp2: gRPC and OTLP/HTTP requests, many at a time, each an
 * exchange on its stream.
 *
 * nghttp2 leaves several limits to the application, and its defaults serve browsers; every limit
 * is set here, each with the attack that it stops (http2.c). Bodies go straight from DATA frames
 * into uploads, which hold budget for every byte, so flow control windows need no further care:
 * they are large, and what the budget refuses is answered and dropped.
 *
 * Sources: RFC 9113; gRPC over HTTP/2; early answers: RFC 9113, 8.1.
 */
#ifndef RECEIVER_HTTP2_H
#define RECEIVER_HTTP2_H

#include "receiver/protocol.h"

/* What every HTTP/2 client sends first. */
enum {
    HTTP2_PREFACE_LEN = 24
};

#define HTTP2_PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

struct protocol *http2_new(const struct protocol_host *host);

#endif
