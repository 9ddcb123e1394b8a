/*
 * Decides from a request's head alone whether its body is wanted and in which form its answer
 * goes out. Pure: a head and a few limits in, a route and possibly an error out.
 *
 * gRPC is recognised by its content type, never by the port, so both ports serve it. What is
 * not gRPC is OTLP/HTTP, which the gRPC port refuses with a hint (senders mix the ports up).
 *
 * Sources: OTLP specification 1.11 "OTLP/gRPC", "OTLP/HTTP"; gRPC over HTTP/2; RFC 9110.
 */
#ifndef RECEIVER_ROUTE_H
#define RECEIVER_ROUTE_H

#include "base/compiler.h"
#include "base/error.h"
#include "proto/otlp.h"
#include "receiver/head.h"
#include "receiver/options.h"
#include "receiver/stats.h"

#include <stdbool.h>
#include <stdint.h>

struct route {
    enum receiver_transport transport; /* form of the answer */
    bool grpc_proto;                   /* mirror "application/grpc+proto" */
    bool protobuf;                     /* HTTP: error bodies in protobuf, else JSON */
    bool other_signal;                 /* traces, logs or profiles */
    int http_status;                   /* instead of the error kind's; 0: the kind's */
    enum otlp_media media;
    enum otlp_coding coding;
    uint64_t timeout_ms; /* grpc-timeout; UINT64_MAX: none */
    size_t max_bytes;    /* of the body or message */
};

/*
 * False with the reason when the request must be refused; `route` is filled far enough to answer
 * it in either case.
 */
bool route_decide(const struct head *head, enum receiver_port port,
                  const struct receiver_options *options, struct route *route,
                  struct error *err) MUST_CHECK;

#endif
