#include "receiver/route.h"

#include "proto/grpc.h"

#define GRPC_TYPE     "application/grpc"
#define SERVICE_START "/opentelemetry.proto.collector."
#define EXPORT_PATH   SERVICE_START "metrics.v1.MetricsService/Export"

/* Media type without parameters (RFC 9110, 8.3.1); `; charset=utf-8` and the like are ignored. */
static struct slice media_type(const struct head *head)
{
    struct slice type = head_slice(&head->content_type);
    size_t len = 0;

    while (len < type.len && type.ptr[len] != ';' && type.ptr[len] != ' ')
        len++;
    type.len = len;
    return type;
}

/* application/grpc with or without a subtype after '+'; application/grpc-web is another protocol. */
static bool is_grpc_type(struct slice type)
{
    const size_t len = sizeof(GRPC_TYPE) - 1;

    if (type.len < len || !head_is((struct slice){type.ptr, len}, GRPC_TYPE))
        return false;
    return type.len == len || type.ptr[len] == '+';
}

static bool too_large(struct error *err)
{
    return FAIL(err, ERROR_HEADERS_TOO_LARGE, "the header fields are over the limit");
}

static bool decide_coding(const struct head_value *value, struct route *route,
                          struct error *err)
{
    struct slice name = head_slice(value);

    route->coding = OTLP_IDENTITY;
    if (!value->present || name.len == 0 || head_is(name, "identity"))
        return true;
    if (head_is(name, "gzip") || head_is(name, "x-gzip")) {
        route->coding = OTLP_GZIP;
        return true;
    }
    return FAIL(err, ERROR_CODING,
                "compression '%.*s' is not supported; use gzip or identity",
                SLICE_ARG(name));
}

/* ---- gRPC ---------------------------------------------------------------------------------- */

static bool unknown_method(struct slice path, struct error *err)
{
    const char *slash = path.len > 1 ? memchr(path.ptr + 1, '/', path.len - 1) : NULL;

    if (path.len < 2 || *path.ptr != '/' || !slash)
        return FAIL(err, ERROR_NOT_FOUND, "malformed method name: '%.*s'",
                    SLICE_ARG(path));

    struct slice service = {path.ptr + 1, (size_t)(slash - path.ptr) - 1};
    struct slice method = {slash + 1, path.len - service.len - 2};

    if (slice_is(service, "opentelemetry.proto.collector.metrics.v1.MetricsService"))
        return FAIL(err, ERROR_NOT_FOUND, "unknown method %.*s for service %.*s",
                    SLICE_ARG(method), SLICE_ARG(service));
    return FAIL(err, ERROR_NOT_FOUND, "unknown service %.*s", SLICE_ARG(service));
}

static bool decide_timeout(const struct head_value *value, struct route *route,
                           struct error *err)
{
    uint64_t timeout_ns;

    if (!value->present)
        return true;
    if (!grpc_timeout_parse(head_slice(value), &timeout_ns))
        return FAIL(err, ERROR_CORRUPT, "malformed grpc-timeout: '%.*s'",
                    SLICE_ARG(head_slice(value)));
    if (timeout_ns == 0)
        return FAIL(err, ERROR_TIMEOUT, "the deadline had passed on arrival");
    route->timeout_ms = timeout_ns / 1000000 + 1;
    return true;
}

static bool decide_grpc(const struct head *head, struct route *route, struct error *err)
{
    struct slice path = head_slice(&head->path);

    if (head->too_large)
        return too_large(err);
    if (!slice_is(path, EXPORT_PATH) || head->path.cut) {
        route->other_signal = slice_starts_with(path, SERVICE_START);
        return unknown_method(path, err);
    }
    return decide_timeout(&head->grpc_timeout, route, err) &&
           decide_coding(&head->grpc_encoding, route, err);
}

/* What makes a request gRPC is decided; what it may not be is answered in plain HTTP. */
static bool check_grpc_envelope(const struct head *head, struct slice type,
                                struct route *route, struct error *err)
{
    struct slice subtype = {type.ptr + sizeof(GRPC_TYPE) - 1,
                            type.len - sizeof(GRPC_TYPE) + 1};

    if (!head->http2)
        return FAIL(err, ERROR_MEDIA_TYPE, "gRPC needs HTTP/2");
    if (subtype.len > 0 && !head_is(subtype, "+proto"))
        return FAIL(err, ERROR_MEDIA_TYPE,
                    "OTLP over gRPC is protobuf: application/grpc+proto");
    if (!slice_is(head_slice(&head->method), "POST"))
        return FAIL(err, ERROR_METHOD, "gRPC requests are POST");
    route->transport = RECEIVER_GRPC;
    route->grpc_proto = subtype.len > 0;
    return true;
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

/* Path without query string and one trailing slash (the SDK specification's examples have one). */
static struct slice plain_path(const struct head *head)
{
    struct slice path = head_slice(&head->path);
    const char *query = path.len ? memchr(path.ptr, '?', path.len) : NULL;

    if (query)
        path.len = (size_t)(query - path.ptr);
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

static bool decide_path(const struct head *head, struct route *route, struct error *err)
{
    struct slice path = plain_path(head);

    if (slice_is(path, "/v1/metrics"))
        return true;
    route->other_signal = slice_is(path, "/v1/traces") || slice_is(path, "/v1/logs") ||
                          slice_is(path, "/v1development/profiles");
    if (route->other_signal)
        return FAIL(err, ERROR_NOT_FOUND,
                    "only metrics are taken here: POST /v1/metrics");
    return FAIL(err, ERROR_NOT_FOUND, "unknown path '%.*s': POST metrics to /v1/metrics",
                SLICE_ARG(path));
}

static bool decide_media(struct slice type, struct route *route, struct error *err)
{
    if (route->protobuf)
        return true;
    if (head_is(type, "application/json"))
        return FAIL(err, ERROR_MEDIA_TYPE,
                    "JSON is not understood yet; send protobuf (application/x-protobuf)");
    if (type.len == 0)
        return FAIL(err, ERROR_MEDIA_TYPE,
                    "no content type; send protobuf (application/x-protobuf)");
    return FAIL(err, ERROR_MEDIA_TYPE,
                "content type '%.*s' is not understood; send application/x-protobuf",
                SLICE_ARG(type));
}

static bool decide_size(const struct head *head, const struct route *route,
                        struct error *err)
{
    uint64_t length;

    if (head_content_length(head, &length) && length > route->max_bytes)
        return FAIL(err, ERROR_TOO_LARGE, "the body is over the limit of %zu bytes",
                    route->max_bytes);
    return true;
}

static bool decide_http(const struct head *head, struct slice type, struct route *route,
                        struct error *err)
{
    if (!head->http2 &&
        (head->host_count > 1 || (head->host_count == 0 && !head->http10)))
        return FAIL(err, ERROR_INVALID, "a request needs exactly one Host field");
    if (head->too_large)
        return too_large(err);
    if (!decide_path(head, route, err))
        return false;
    if (!slice_is(head_slice(&head->method), "POST"))
        return FAIL(err, ERROR_METHOD, "use POST");
    if (!decide_media(type, route, err) ||
        !decide_coding(&head->content_encoding, route, err))
        return false;
    if (head->expect.present && !head_is(head_slice(&head->expect), "100-continue")) {
        route->http_status = 417;
        return FAIL(err, ERROR_INVALID, "unknown expectation");
    }
    return decide_size(head, route, err);
}

static bool refuse_grpc_port(const struct head *head, struct error *err)
{
    if (head->http2)
        return FAIL(err, ERROR_MEDIA_TYPE,
                    "this port speaks gRPC (content type application/grpc); OTLP/HTTP is "
                    "usually on port 4318");
    return FAIL(err, ERROR_INVALID,
                "this port speaks gRPC over HTTP/2; OTLP/HTTP is usually on port 4318");
}

bool route_decide(const struct head *head, enum receiver_port port,
                  const struct receiver_options *options, struct route *route,
                  struct error *err)
{
    struct slice type = media_type(head);

    *route = (struct route){
        .transport = RECEIVER_HTTP,
        .protobuf = head_is(type, "application/x-protobuf") ||
                    head_is(type, "application/protobuf"),
        .media = OTLP_PROTOBUF,
        .timeout_ms = UINT64_MAX,
        .max_bytes = options->max_http_body_bytes,
    };
    if (is_grpc_type(type)) {
        route->max_bytes = options->max_grpc_message_bytes;
        return check_grpc_envelope(head, type, route, err) &&
               decide_grpc(head, route, err);
    }
    if (port == RECEIVER_GRPC_PORT)
        return refuse_grpc_port(head, err);
    return decide_http(head, type, route, err);
}
