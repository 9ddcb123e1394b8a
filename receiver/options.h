/*
 * What can be set about the receiver. Zero means the default everywhere.
 */
#ifndef RECEIVER_OPTIONS_H
#define RECEIVER_OPTIONS_H

#include <stddef.h>

/* The two listeners. A connection remembers by which it came. */
enum receiver_port {
    RECEIVER_GRPC_PORT,
    RECEIVER_HTTP_PORT
};

struct receiver_options {
    const char
        *grpc_endpoint; /* "host:port", "[v6]:port"; port 0: any free; 127.0.0.1:4317 */
    const char *http_endpoint; /* 127.0.0.1:4318 */
    unsigned workers;          /* one per core */
    size_t
        max_grpc_message_bytes; /* before and after inflating; 64 MiB (OTLP specification) */
    size_t max_http_body_bytes; /* the same for HTTP */
    unsigned idle_timeout_ms; /* HTTP/1.1 between requests; HTTP/2 before a PING; 60 s */
    unsigned request_timeout_ms; /* from the first byte of a request to its last; 30 s */
    unsigned max_connections;    /* 4,096; more are closed at once */
};

/* A copy with every default filled in. */
struct receiver_options receiver_options_resolve(const struct receiver_options *options);

#endif
