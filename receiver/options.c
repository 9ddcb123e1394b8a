#include "receiver/options.h"

enum {
    DEFAULT_MAX_BYTES =
        64 << 20, /* OTLP specification 1.11: recommended for both transports */
    DEFAULT_IDLE_MS = 60000,
    DEFAULT_REQUEST_MS = 30000, /* three times the export timeout of SDKs */
    DEFAULT_CONNECTIONS = 4096,
};

struct receiver_options receiver_options_resolve(const struct receiver_options *options)
{
    struct receiver_options copy = *options;

    if (!copy.grpc_endpoint)
        copy.grpc_endpoint = "127.0.0.1:4317";
    if (!copy.http_endpoint)
        copy.http_endpoint = "127.0.0.1:4318";
    if (!copy.max_grpc_message_bytes)
        copy.max_grpc_message_bytes = DEFAULT_MAX_BYTES;
    if (!copy.max_http_body_bytes)
        copy.max_http_body_bytes = DEFAULT_MAX_BYTES;
    if (!copy.idle_timeout_ms)
        copy.idle_timeout_ms = DEFAULT_IDLE_MS;
    if (!copy.request_timeout_ms)
        copy.request_timeout_ms = DEFAULT_REQUEST_MS;
    if (!copy.max_connections)
        copy.max_connections = DEFAULT_CONNECTIONS;
    return copy;
}
