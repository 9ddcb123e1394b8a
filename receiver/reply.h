/*
 * Answers as bytes: what became of a request, in the form that its transport asks for. Pure.
 *
 *   gRPC success   headers, one message, trailers (grpc-status: 0)
 *   gRPC error     trailers only: one header block with status, message and details
 *   HTTP           status, content type of the request, ExportMetricsServiceResponse or
 *                  google.rpc.Status in protobuf, Status in JSON where the request's type is unknown
 *
 * Sources: gRPC over HTTP/2 "Responses"; OTLP specification 1.11 "OTLP/HTTP Response".
 */
#ifndef RECEIVER_REPLY_H
#define RECEIVER_REPLY_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"
#include "receiver/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What became of a request. */
struct outcome {
    enum error_kind kind;
    const char *text;     /* for people; not for ERROR_NONE */
    unsigned retry_s;     /* with ERROR_BUSY */
    uint64_t rejected;    /* with ERROR_NONE: points that the data model forbids */
    struct slice warning; /* with ERROR_NONE: partial_success.error_message */
};

enum {
    REPLY_FIELDS = 8
};

struct reply_field {
    const char *name;
    size_t at, len; /* the value, inside reply.values */
};

struct reply {
    int status;         /* HTTP */
    bool grpc_trailers; /* grpc-status: 0 follows the body */
    struct reply_field fields[REPLY_FIELDS];
    size_t field_count;
    struct buffer values;
    struct buffer body;
};

/* Renders into `reply`, which is emptied first and keeps its memory. */
void reply_render(struct reply *reply, const struct route *route,
                  const struct outcome *outcome);
void reply_release(struct reply *reply);

struct slice reply_value(const struct reply *reply, size_t index);

/* The reason phrase of an HTTP status that reply_render() uses. */
const char *reply_reason(int status);

#endif
