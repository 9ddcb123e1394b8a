#include "receiver/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

void exchange_init(struct exchange *exchange, struct service *service,
                   enum receiver_port port)
{
    *exchange = (struct exchange){
        .service = service,
        .port = port,
        .route.transport = RECEIVER_HTTP, /* until the head says more */
        .deadline_ms = service->now_ms + service->options->request_timeout_ms,
    };
    upload_init(&exchange->upload, service->intake, 0);
}

void exchange_release(struct exchange *exchange)
{
    if (exchange->ticket) {
        exchange->ticket->owner = NULL;
        exchange->ticket = NULL;
    }
    if (exchange->stage == EXCHANGE_BODY || exchange->stage == EXCHANGE_SUBMITTED)
        stats_add(&exchange->service->stats.cancelled, 1);
    upload_release(&exchange->upload);
    buffer_release(&exchange->warning);
}

static void answer(struct exchange *exchange, struct outcome outcome)
{
    struct service *service = exchange->service;

    assert(exchange->stage != EXCHANGE_ANSWERED);
    exchange->stage = EXCHANGE_ANSWERED;
    upload_release(&exchange->upload);
    if (outcome.kind == ERROR_BUSY)
        outcome.retry_s = service_retry_s(service);
    if (outcome.kind == ERROR_NONE && outcome.rejected)
        stats_add(&service->stats.partial_successes, 1);
    stats_add(&service->stats.requests[exchange->route.transport][outcome.kind], 1);
    exchange->respond(exchange->self, &outcome);
}

static void refuse(struct exchange *exchange, const struct error *err)
{
    answer(exchange, (struct outcome){.kind = err->kind, .text = err->text});
}

void exchange_fail(struct exchange *exchange, enum error_kind kind, const char *text)
{
    if (exchange->stage != EXCHANGE_ANSWERED)
        answer(exchange, (struct outcome){.kind = kind, .text = text});
}

bool exchange_expire(struct exchange *exchange)
{
    if (exchange->stage > EXCHANGE_BODY ||
        exchange->service->now_ms < exchange->deadline_ms)
        return false;
    stats_add(&exchange->service->stats.timeouts, 1);
    exchange_fail(exchange, ERROR_TIMEOUT, "the request did not arrive in time");
    return true;
}

/* ---- head ---------------------------------------------------------------------------------- */

static bool admit(struct exchange *exchange, struct error *err)
{
    struct service *service = exchange->service;
    uint64_t length;

    if (!route_decide(&exchange->head, exchange->port, service->options, &exchange->route,
                      err))
        return false;
    if (!service->intake->accepting(service->intake->self))
        return FAIL(err, ERROR_BUSY, "the gateway is shutting down; try again");
    exchange->upload.max_bytes = exchange->route.max_bytes;
    if (exchange->route.transport == RECEIVER_HTTP &&
        head_content_length(&exchange->head, &length))
        return upload_expect(&exchange->upload, length, err);
    return true;
}

/* SDKs send all signals to one endpoint and drop what it refuses: their owner should know. */
static void note_other_signal(struct exchange *exchange)
{
    struct service *service = exchange->service;
    char path[HEAD_VALUE_MAX + 1];

    snprintf(path, sizeof(path), "%.*s", SLICE_ARG(head_slice(&exchange->head.path)));
    stats_add(&service->stats.other_signals, 1);
    service_note(&service->signal_note, service, "only metrics are taken; refused", path);
}

void exchange_head_done(struct exchange *exchange)
{
    struct error err;

    if (exchange->stage != EXCHANGE_HEAD)
        return;

    bool admitted = admit(exchange, &err);

    if (exchange->route.other_signal)
        note_other_signal(exchange);
    if (!admitted) {
        refuse(exchange, &err);
        return;
    }
    exchange->stage = EXCHANGE_BODY;

    uint64_t timeout_ms = exchange->route.timeout_ms;
    uint64_t now_ms = exchange->service->now_ms;

    if (timeout_ms < exchange->deadline_ms - now_ms)
        exchange->deadline_ms = now_ms + timeout_ms;
}

/* ---- body ---------------------------------------------------------------------------------- */

/* The size is judged before any byte of the message is taken. */
static bool take_prefix(struct exchange *exchange, struct error *err)
{
    struct grpc_prefix prefix;

    if (!grpc_prefix_read(exchange->prefix, &prefix, err))
        return false;
    if (prefix.compressed && exchange->route.coding == OTLP_IDENTITY)
        return FAIL(err, ERROR_CORRUPT, "compressed message without grpc-encoding");
    if (!prefix.compressed)
        exchange->route.coding = OTLP_IDENTITY;
    exchange->message_bytes = prefix.length;
    return upload_expect(&exchange->upload, prefix.length, err);
}

static bool append_message(struct exchange *exchange, struct slice bytes,
                           struct error *err)
{
    while (bytes.len > 0 && exchange->prefix_len < GRPC_PREFIX_BYTES) {
        exchange->prefix[exchange->prefix_len++] = *bytes.ptr;
        bytes = (struct slice){bytes.ptr + 1, bytes.len - 1};
        if (exchange->prefix_len == GRPC_PREFIX_BYTES && !take_prefix(exchange, err))
            return false;
    }
    if (bytes.len > exchange->message_bytes - exchange->upload.len)
        return FAIL(err, ERROR_CORRUPT, "more than one message in a unary call");
    return upload_append(&exchange->upload, bytes, err);
}

void exchange_body(struct exchange *exchange, struct slice bytes)
{
    struct error err;

    if (exchange->stage != EXCHANGE_BODY)
        return;
    if (exchange->route.transport == RECEIVER_GRPC
            ? !append_message(exchange, bytes, &err)
            : !upload_append(&exchange->upload, bytes, &err))
        refuse(exchange, &err);
}

/* ---- end ----------------------------------------------------------------------------------- */

static bool message_complete(const struct exchange *exchange, struct error *err)
{
    if (exchange->route.transport != RECEIVER_GRPC)
        return true;
    if (exchange->prefix_len == 0)
        return FAIL(err, ERROR_CORRUPT, "no message in a unary call");
    if (exchange->prefix_len < GRPC_PREFIX_BYTES ||
        exchange->upload.len < exchange->message_bytes)
        return FAIL(err, ERROR_CORRUPT, "the request ended inside its message");
    return true;
}

static void submit(struct exchange *exchange, struct intake_request *request)
{
    struct service *service = exchange->service;

    stats_add(&service->stats.body_bytes, request->body_len);
    stats_add(&service->stats.inflated_bytes, request->inflated_len);
    exchange->rejected = request->batch->rejected;
    if (exchange->rejected)
        otlp_describe_refused(request->batch, &exchange->warning);
    exchange->ticket = mailbox_issue(service->mailbox, exchange);
    exchange->stage = EXCHANGE_SUBMITTED;
    request->answer = mailbox_post;
    request->answer_self = exchange->ticket;
    service->intake->submit(service->intake->self, request);
}

void exchange_end(struct exchange *exchange)
{
    struct error err;
    struct intake_request *request = NULL;

    if (exchange->stage != EXCHANGE_BODY)
        return;
    if (message_complete(exchange, &err))
        request = upload_decode(&exchange->upload, exchange->route.media,
                                exchange->route.coding, &err);
    if (request)
        submit(exchange, request);
    else
        refuse(exchange, &err);
}

/* ---- answers ------------------------------------------------------------------------------- */

/* The intake says only what kind of thing happened. */
static const char *text_of(enum error_kind kind)
{
    if (kind == ERROR_BUSY)
        return "the gateway cannot take the request now; try again";
    if (kind == ERROR_TOO_LARGE)
        return "the request is larger than half of state.journal.max_size";
    return kind == ERROR_NONE ? "" : "the gateway could not take the request";
}

bool exchange_deliver(struct service *service)
{
    struct ticket *next, *ticket = mailbox_take(service->mailbox);
    bool any = ticket != NULL;

    for (; ticket; ticket = next) {
        struct exchange *exchange = ticket->owner;

        next = ticket->next;
        if (exchange) {
            exchange->ticket = NULL;
            answer(exchange, (struct outcome){
                                 .kind = ticket->kind,
                                 .text = text_of(ticket->kind),
                                 .rejected = exchange->rejected,
                                 .warning = buffer_slice(&exchange->warning),
                             });
        }
        free(ticket);
    }
    return any;
}
