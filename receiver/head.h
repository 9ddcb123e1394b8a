/*
 * What a request says before its body: the few header fields that decide how it is answered, copied
 * into fixed places so that neither parser's buffers need to live on. Everything else is counted
 * by the parser and forgotten.
 *
 * A value longer than its place is cut and marked; no value that we understand is that long. A
 * repeated field is joined with ", " (RFC 9110, 5.3), which makes "gzip" twice a coding that is
 * not understood, as it should be.
 */
#ifndef RECEIVER_HEAD_H
#define RECEIVER_HEAD_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* The longest value we use is a gRPC path of 62 bytes; the rest is for error messages. */
enum {
    HEAD_VALUE_MAX = 120
};

struct head_value {
    uint16_t len;
    bool present;
    bool cut; /* the value was longer */
    char text[HEAD_VALUE_MAX];
};

struct head {
    struct head_value method, path;
    struct head_value content_type, content_encoding, content_length;
    struct head_value expect, grpc_encoding, grpc_timeout;
    unsigned host_count; /* Host and :authority fields seen */
    bool http2;
    bool http10;    /* HTTP/1.0 needs no Host */
    bool chunked;   /* HTTP/1.1 only */
    bool too_large; /* over the limit of all fields together */
};

/* Takes one header field or HTTP/2 pseudo-header; the name in any case. */
void head_add(struct head *head, struct slice name, struct slice value);

/* Appends to a value; cuts what does not fit. */
void head_value_append(struct head_value *value, struct slice text);

static inline struct slice head_slice(const struct head_value *value)
{
    return (struct slice){value->text, value->len};
}

/* Case-insensitive comparison with lower-case ASCII text. */
bool head_is(struct slice value, const char *lower);

/*
 * Content-Length as a number; false when it is absent. Anything malformed or beyond 2^63 is
 * UINT64_MAX, which no limit allows.
 */
bool head_content_length(const struct head *head, uint64_t *length);

#endif
