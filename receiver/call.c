#include "receiver/call.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

/* What the details of an error may need; gRPC C-core takes 8 KiB of header fields in all. */
enum {
    DETAILS_NEED = 4096
};

struct call *call_find(const struct call_list *list, int32_t id)
{
    return nghttp2_session_get_stream_user_data(list->session, id);
}

static void link_call(struct call_list *list, struct call *call)
{
    call->older = list->newest;
    if (list->newest)
        list->newest->younger = call;
    else
        list->oldest = call;
    list->newest = call;
}

static void unlink_call(struct call_list *list, struct call *call)
{
    if (call->older)
        call->older->younger = call->younger;
    else
        list->oldest = call->younger;
    if (call->younger)
        call->younger->older = call->older;
    else
        list->newest = call->older;
}

/* The answer is known, or nobody waits for it any more. */
static void settle_debt(struct call *call)
{
    call->list->owed -= call->owed;
    call->owed = false;
}

/* ---- answers ------------------------------------------------------------------------------- */

static nghttp2_nv field(const char *name, struct slice value)
{
    /* nghttp2 copies both and changes neither; its type is not const for historical reasons. */
    union {
        const char *text;
        uint8_t *bytes;
    } name_bytes = {.text = name}, value_bytes = {.text = value.ptr};

    return (nghttp2_nv){name_bytes.bytes, value_bytes.bytes, strlen(name), value.len,
                        NGHTTP2_NV_FLAG_NONE};
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t max,
                         uint32_t *flags, nghttp2_data_source *source, void *self)
{
    struct call *call = source->ptr;
    size_t len = call->body.len - call->sent;

    (void)self;
    if (len > max)
        len = max;
    if (len > 0)
        memcpy(out, call->body.ptr + call->sent, len);
    call->sent += len;
    if (call->sent < call->body.len)
        return (ssize_t)len;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (call->grpc_trailers) {
        nghttp2_nv trailer = field("grpc-status", (struct slice)SLICE("0"));

        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        nghttp2_submit_trailer(session, id, &trailer, 1);
    }
    return (ssize_t)len;
}

/* Details may be left out where the peer would refuse the header block for its size. */
static bool fits(const struct call *call, const struct reply_field *reply_field)
{
    uint32_t max = nghttp2_session_get_remote_settings(
        call->list->session, NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);

    return max >= DETAILS_NEED ||
           strcmp(reply_field->name, "grpc-status-details-bin") != 0;
}

static void send_reply(struct call *call, const struct reply *reply)
{
    nghttp2_nv fields[REPLY_FIELDS + 1];
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};
    char status[12];
    size_t count = 0;
    bool has_body = reply->body.len > 0 || reply->grpc_trailers;

    snprintf(status, sizeof(status), "%d", reply->status);
    fields[count++] = field(":status", slice_of(status));
    for (size_t i = 0; i < reply->field_count; i++)
        if (fits(call, &reply->fields[i]))
            fields[count++] = field(reply->fields[i].name, reply_value(reply, i));
    call->grpc_trailers = reply->grpc_trailers;
    buffer_append(&call->body, buffer_slice(&reply->body));
    nghttp2_submit_response(call->list->session, call->id, fields, count,
                            has_body ? &provider : NULL);
}

static void respond(void *self, const struct outcome *outcome)
{
    struct call *call = self;
    struct protocol_host *host = &call->list->host;
    struct reply *reply = &host->service->reply;

    settle_debt(call);
    reply_render(reply, &call->exchange.route, outcome);
    send_reply(call, reply);
    host->wake(host->self);
}

/* ---- life ---------------------------------------------------------------------------------- */

struct call *call_new(struct call_list *list, int32_t id)
{
    struct call *call = memory_new(1, sizeof(*call));

    call->list = list;
    call->id = id;
    exchange_init(&call->exchange, list->host.service, list->host.port);
    call->exchange.head.http2 = true;
    call->exchange.respond = respond;
    call->exchange.self = call;
    link_call(list, call);
    nghttp2_session_set_stream_user_data(list->session, id, call);
    return call;
}

void call_free(struct call *call)
{
    unlink_call(call->list, call);
    settle_debt(call);
    exchange_release(&call->exchange);
    buffer_release(&call->body);
    free(call);
}

void call_end(struct call *call)
{
    exchange_end(&call->exchange);
    call->owed = call->exchange.stage == EXCHANGE_SUBMITTED;
    call->list->owed += call->owed;
}
