#include "receiver/reply.h"

#include "proto/export_response.h"
#include "proto/grpc.h"
#include "proto/rpc_status.h"

#include <assert.h>

/* Codings that we accept, as both protocols list them. */
#define GRPC_CODINGS "identity,gzip"
#define HTTP_CODINGS "gzip, identity"

const char *reply_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {400, "Bad Request"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "";
}

struct slice reply_value(const struct reply *reply, size_t index)
{
    const struct reply_field *field = &reply->fields[index];

    return (struct slice){reply->values.ptr + field->at, field->len};
}

/* Opens a field whose value is then appended to reply->values. */
static void open_field(struct reply *reply, const char *name)
{
    assert(reply->field_count < REPLY_FIELDS);
    reply->fields[reply->field_count] = (struct reply_field){name, reply->values.len, 0};
}

static void close_field(struct reply *reply)
{
    struct reply_field *field = &reply->fields[reply->field_count++];

    field->len = reply->values.len - field->at;
}

static void add_field(struct reply *reply, const char *name, const char *value)
{
    open_field(reply, name);
    buffer_append_text(&reply->values, value);
    close_field(reply);
}

static void add_number(struct reply *reply, const char *name, unsigned long long value)
{
    open_field(reply, name);
    buffer_printf(&reply->values, "%llu", value);
    close_field(reply);
}

static unsigned retry_ms(const struct outcome *outcome)
{
    return outcome->kind == ERROR_BUSY ? outcome->retry_s * 1000 : 0;
}

/* ---- gRPC ---------------------------------------------------------------------------------- */

static void render_grpc_error(struct reply *reply, const struct outcome *outcome)
{
    int code = error_grpc_status(outcome->kind);
    struct slice text = slice_of(outcome->text);

    add_number(reply, "grpc-status", (unsigned long long)code);
    open_field(reply, "grpc-message");
    grpc_message_encode(text, &reply->values);
    close_field(reply);
    if (outcome->kind != ERROR_BUSY)
        return;
    open_field(reply, "grpc-status-details-bin");
    rpc_status_base64(code, text, retry_ms(outcome), &reply->values);
    close_field(reply);
}

static void append_message(struct buffer *out, const struct outcome *outcome)
{
    memset(buffer_reserve(out, GRPC_PREFIX_BYTES), 0, GRPC_PREFIX_BYTES);
    out->len += GRPC_PREFIX_BYTES;
    export_response_encode(outcome->rejected, outcome->warning, out);

    struct grpc_prefix prefix = {.length = (uint32_t)(out->len - GRPC_PREFIX_BYTES)};

    grpc_prefix_write(out->ptr, &prefix);
}

static void render_grpc(struct reply *reply, const struct route *route,
                        const struct outcome *outcome)
{
    reply->status = 200;
    add_field(reply, "content-type",
              route->grpc_proto ? "application/grpc+proto" : "application/grpc");
    add_field(reply, "grpc-accept-encoding", GRPC_CODINGS);
    if (outcome->kind != ERROR_NONE) {
        render_grpc_error(reply, outcome);
        return;
    }
    reply->grpc_trailers = true;
    append_message(&reply->body, outcome);
}

/* ---- HTTP ---------------------------------------------------------------------------------- */

static void render_http(struct reply *reply, const struct route *route,
                        const struct outcome *outcome)
{
    bool ok = outcome->kind == ERROR_NONE;

    reply->status = !ok && route->http_status ? route->http_status
                                              : error_http_status(outcome->kind);
    add_field(reply, "content-type",
              ok || route->protobuf ? "application/x-protobuf" : "application/json");
    if (ok)
        export_response_encode(outcome->rejected, outcome->warning, &reply->body);
    else if (route->protobuf)
        rpc_status_encode(error_grpc_status(outcome->kind), slice_of(outcome->text),
                          retry_ms(outcome), &reply->body);
    else
        rpc_status_json(error_grpc_status(outcome->kind), slice_of(outcome->text),
                        retry_ms(outcome), &reply->body);
    add_number(reply, "content-length", reply->body.len);
    if (outcome->kind == ERROR_BUSY)
        add_number(reply, "retry-after", outcome->retry_s);
    if (outcome->kind == ERROR_METHOD)
        add_field(reply, "allow", "POST");
    if (outcome->kind == ERROR_CODING)
        add_field(reply, "accept-encoding", HTTP_CODINGS);
}

void reply_render(struct reply *reply, const struct route *route,
                  const struct outcome *outcome)
{
    reply->field_count = 0;
    reply->grpc_trailers = false;
    buffer_reset(&reply->values);
    buffer_reset(&reply->body);
    if (route->transport == RECEIVER_GRPC)
        render_grpc(reply, route, outcome);
    else
        render_http(reply, route, outcome);
}

void reply_release(struct reply *reply)
{
    buffer_release(&reply->values);
    buffer_release(&reply->body);
}
