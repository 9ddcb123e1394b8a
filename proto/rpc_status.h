/*
 * google.rpc.Status: what an error carries in both transports, with the RetryInfo that tells a
 * sender when to try again.
 *
 * Invalid UTF-8 in the text becomes U+FFFD. `retry_ms` 0 means no RetryInfo.
 *
 * Sources: googleapis google/rpc/status.proto and error_details.proto; OTLP specification,
 * "Failures" and "OTLP/gRPC Throttling"; protobuf documentation, "ProtoJSON" (Any, Duration).
 */
#ifndef PROTO_RPC_STATUS_H
#define PROTO_RPC_STATUS_H

#include "base/buffer.h"
#include "base/slice.h"

/* The protobuf message. */
void rpc_status_encode(int code, struct slice text, unsigned retry_ms,
                       struct buffer *out);

/* The same in unpadded base64, for the trailer grpc-status-details-bin. */
void rpc_status_base64(int code, struct slice text, unsigned retry_ms,
                       struct buffer *out);

/* The same as JSON. */
void rpc_status_json(int code, struct slice text, unsigned retry_ms, struct buffer *out);

#endif
