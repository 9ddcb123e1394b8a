#include "receiver/http1.h"

#include "base/memory.h"
#include "receiver/exchange.h"
#include "receiver/scan.h"

#include <llhttp.h>

#include <stdlib.h>

enum {
    MAX_HEAD_BYTES = 16 << 10,  /* nginx and Go allow 32 KiB and 1 MiB; OTLP needs one */
    MAX_EXTRA_BYTES = 16 << 10, /* trailers and chunk extensions, which nobody sends */
    MAX_NAME = 32,           /* the longest field name that head.c knows has 16 bytes */
    HEAD_TIMEOUT_MS = 10000, /* a header block comes in one packet; slower is an attack */
    DRAIN_GRACE_MS = 300,    /* for a request that is on its way when draining begins */
};

struct http1 {
    struct protocol base;
    struct protocol_host host;
    llhttp_t parser;
    struct scan scan;
    struct exchange exchange;
    struct buffer input; /* received, not yet parsed */
    struct buffer output;
    char name[MAX_NAME]; /* field name and value being parsed */
    size_t name_len;     /* beyond MAX_NAME: a name that we do not know */
    struct head_value value;
    size_t extra_bytes;
    uint64_t since_ms; /* start of the request, or of the silence between two */
    uint64_t drain_ms; /* 0: not draining */
    bool in_head;
    bool in_request; /* exchange is in use */
    bool received;   /* the request is complete */
    bool answered;
    bool keep_alive;
    bool closing;
};

static struct http1 *of_parser(llhttp_t *parser)
{
    return parser->data;
}

/* Makes room for the next request on the connection. */
static void end_request(struct http1 *http1)
{
    if (http1->in_request)
        exchange_release(&http1->exchange);
    http1->in_request = http1->received = http1->answered = false;
    http1->in_head = true;
    http1->scan = (struct scan){0};
    http1->extra_bytes = 0;
    http1->since_ms = http1->host.service->now_ms;
    if (!http1->keep_alive || http1->drain_ms)
        http1->closing = true;
}

/* ---- answers ------------------------------------------------------------------------------- */

static void write_reply(struct http1 *http1, const struct reply *reply)
{
    struct buffer *out = &http1->output;

    buffer_printf(out, "HTTP/1.1 %d %s\r\n", reply->status, reply_reason(reply->status));
    for (size_t i = 0; i < reply->field_count; i++)
        buffer_printf(out, "%s: %.*s\r\n", reply->fields[i].name,
                      SLICE_ARG(reply_value(reply, i)));
    if (!http1->keep_alive || http1->drain_ms)
        buffer_append_text(out, "connection: close\r\n");
    else if (http1->exchange.head.http10)
        buffer_append_text(out, "connection: keep-alive\r\n");
    buffer_append_text(out, "\r\n");
    if (!slice_is(head_slice(&http1->exchange.head.method), "HEAD"))
        buffer_append(out, buffer_slice(&reply->body));
}

static void respond(void *self, const struct outcome *outcome)
{
    struct http1 *http1 = self;
    struct reply *reply = &http1->host.service->reply;

    if (!http1->received)
        http1->keep_alive = false;
    http1->answered = true;
    reply_render(reply, &http1->exchange.route, outcome);
    write_reply(http1, reply);
    http1->host.wake(http1->host.self);
}

static void begin_request(struct http1 *http1)
{
    struct service *service = http1->host.service;

    exchange_init(&http1->exchange, service, http1->host.port);
    http1->exchange.respond = respond;
    http1->exchange.self = http1;
    http1->in_request = true;
    http1->since_ms = service->now_ms;
}

/* Answers an error that the transport found, and closes. */
static void fail(struct http1 *http1, enum error_kind kind, const char *text)
{
    stats_add(&http1->host.service->stats.protocol_errors, 1);
    if (!http1->in_request)
        begin_request(http1);
    http1->keep_alive = false;
    exchange_fail(&http1->exchange, kind, text);
    http1->closing = true;
}

/* ---- parser callbacks ---------------------------------------------------------------------- */

static int on_message_begin(llhttp_t *parser)
{
    struct http1 *http1 = of_parser(parser);

    http1->name_len = 0;
    http1->value.len = 0;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    head_value_append(&of_parser(parser)->exchange.head.path, (struct slice){at, len});
    return 0;
}

static int on_extra(llhttp_t *parser, const char *at, size_t len)
{
    struct http1 *http1 = of_parser(parser);

    (void)at;
    http1->extra_bytes += len;
    return http1->extra_bytes > MAX_EXTRA_BYTES ? -1 : 0;
}

static int on_field(llhttp_t *parser, const char *at, size_t len)
{
    struct http1 *http1 = of_parser(parser);

    if (!http1->in_head)
        return on_extra(parser, at, len);
    if (http1->name_len + len <= MAX_NAME)
        memcpy(http1->name + http1->name_len, at, len);
    http1->name_len += len;
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t len)
{
    struct http1 *http1 = of_parser(parser);

    if (!http1->in_head)
        return on_extra(parser, at, len);
    head_value_append(&http1->value, (struct slice){at, len});
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct http1 *http1 = of_parser(parser);

    if (http1->in_head && http1->name_len <= MAX_NAME)
        head_add(&http1->exchange.head, (struct slice){http1->name, http1->name_len},
                 head_slice(&http1->value));
    http1->name_len = 0;
    http1->value = (struct head_value){0};
    return 0;
}

static bool body_follows(const llhttp_t *parser)
{
    return (parser->flags & F_CHUNKED) || parser->content_length > 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    struct http1 *http1 = of_parser(parser);
    struct head *head = &http1->exchange.head;
    bool has_body = body_follows(parser);

    http1->in_head = false;
    /* Without this llhttp would stop after a request that offers an upgrade. */
    parser->upgrade = 0;
    head_value_append(&head->method, slice_of(llhttp_method_name(parser->method)));
    head->http10 = parser->http_major == 1 && parser->http_minor == 0;
    head->chunked = (parser->flags & F_CHUNKED) != 0;
    http1->keep_alive = llhttp_should_keep_alive(parser) != 0;
    http1->received = !has_body;
    exchange_head_done(&http1->exchange);
    if (http1->answered)
        return has_body ? -1 : 0;
    if (has_body && head->expect.present)
        buffer_append_text(&http1->output, "HTTP/1.1 100 Continue\r\n\r\n");
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct http1 *http1 = of_parser(parser);

    exchange_body(&http1->exchange, (struct slice){at, len});
    return http1->answered ? -1 : 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct http1 *http1 = of_parser(parser);

    http1->received = true;
    if (!http1->answered)
        exchange_end(&http1->exchange);
    /* One request at a time: the next one waits in `input`. */
    return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_complete,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
    .on_chunk_extension_name = on_extra,
    .on_chunk_extension_value = on_extra,
};

/* ---- bytes in ------------------------------------------------------------------------------ */

/* Feeds the parser and returns how many bytes it took. */
static size_t parse(struct http1 *http1, struct slice bytes)
{
    llhttp_errno_t result = llhttp_execute(&http1->parser, bytes.ptr, bytes.len);

    if (result == HPE_OK)
        return bytes.len;
    if (result == HPE_PAUSED) {
        const char *stop = llhttp_get_error_pos(&http1->parser);

        llhttp_resume(&http1->parser);
        return (size_t)(stop - bytes.ptr);
    }
    if (http1->answered)
        http1->closing = true;
    else if (http1->extra_bytes > MAX_EXTRA_BYTES)
        fail(http1, ERROR_HEADERS_TOO_LARGE, "too many trailers or chunk extensions");
    else
        fail(http1, ERROR_INVALID, "malformed HTTP request");
    return bytes.len;
}

static size_t parse_head(struct http1 *http1, struct slice bytes)
{
    size_t used;
    enum scan_verdict verdict = scan_head(&http1->scan, bytes, MAX_HEAD_BYTES, &used);

    if (http1->scan.started && !http1->in_request)
        begin_request(http1);
    switch (verdict) {
    case SCAN_MALFORMED:
        fail(http1, ERROR_INVALID, "malformed HTTP header block");
        return bytes.len;
    case SCAN_TOO_LARGE:
        fail(http1, ERROR_HEADERS_TOO_LARGE, "the header block is over 16 KiB");
        return bytes.len;
    case SCAN_MORE:
    case SCAN_COMPLETE: break;
    }
    return parse(http1, (struct slice){bytes.ptr, used});
}

/* Parses until the input is used up, an answer is owed or the connection ends. */
static size_t run(struct http1 *http1, struct slice bytes)
{
    size_t used = 0;

    while (used < bytes.len && !http1->closing && !http1->received) {
        struct slice rest = {bytes.ptr + used, bytes.len - used};

        used += http1->in_head ? parse_head(http1, rest) : parse(http1, rest);
        if (http1->received && http1->answered)
            end_request(http1);
    }
    return http1->closing ? bytes.len : used;
}

static void run_input(struct http1 *http1)
{
    size_t used = run(http1, buffer_slice(&http1->input));

    if (used == http1->input.len) {
        buffer_release(&http1->input);
        return;
    }
    memmove(http1->input.ptr, http1->input.ptr + used, http1->input.len - used);
    http1->input.len -= used;
}

static struct http1 *http1_of(struct protocol *protocol)
{
    return (struct http1 *)protocol;
}

static void receive(struct protocol *protocol, struct slice bytes)
{
    struct http1 *http1 = http1_of(protocol);

    if (http1->input.len == 0) {
        size_t used = run(http1, bytes);

        bytes = (struct slice){bytes.ptr + used, bytes.len - used};
    }
    buffer_append(&http1->input, bytes);
}

/* ---- bytes out, time and end --------------------------------------------------------------- */

static void produce(struct protocol *protocol, struct buffer *out)
{
    struct http1 *http1 = http1_of(protocol);

    if (http1->received && http1->answered) {
        end_request(http1);
        run_input(http1);
    }
    buffer_append(out, buffer_slice(&http1->output));
    buffer_reset(&http1->output);
}

static void tick(struct protocol *protocol)
{
    struct http1 *http1 = http1_of(protocol);
    struct service *service = http1->host.service;
    uint64_t age_ms = service->now_ms - http1->since_ms;

    if (http1->closing || http1->received)
        return;
    if (!http1->in_request) {
        http1->closing = age_ms >= service->options->idle_timeout_ms ||
                         (http1->drain_ms && service->now_ms >= http1->drain_ms);
        return;
    }
    if (http1->in_head && age_ms >= HEAD_TIMEOUT_MS)
        http1->exchange.deadline_ms = service->now_ms;
    if (exchange_expire(&http1->exchange))
        http1->closing = true;
}

static void drain(struct protocol *protocol)
{
    struct http1 *http1 = http1_of(protocol);

    http1->drain_ms = http1->host.service->now_ms + DRAIN_GRACE_MS;
}

static enum protocol_state state(const struct protocol *protocol)
{
    const struct http1 *http1 = (const struct http1 *)protocol;

    if (http1->closing)
        return PROTOCOL_CLOSING;
    return http1->received ? PROTOCOL_PAUSED : PROTOCOL_READING;
}

static bool owes(const struct protocol *protocol)
{
    return ((const struct http1 *)protocol)->received;
}

static void free_http1(struct protocol *protocol)
{
    struct http1 *http1 = http1_of(protocol);

    if (http1->in_request)
        exchange_release(&http1->exchange);
    buffer_release(&http1->input);
    buffer_release(&http1->output);
    free(http1);
}

struct protocol *http1_new(const struct protocol_host *host)
{
    static const struct protocol_class class = {receive, produce, tick,      drain,
                                                state,   owes,    free_http1};
    struct http1 *http1 = memory_new(1, sizeof(*http1));

    http1->base.class = &class;
    http1->host = *host;
    http1->in_head = true;
    http1->keep_alive = true;
    http1->since_ms = host->service->now_ms;
    llhttp_init(&http1->parser, HTTP_REQUEST, &settings);
    http1->parser.data = http1;
    return &http1->base;
}
