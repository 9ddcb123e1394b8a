/*
 * Any bytes on a connection, over HTTP/1.1 and HTTP/2: both protocols are bytes in, bytes out, so
 * they are fuzzed without sockets. The first byte of an input chooses the protocol, the port, whether
 * answers come at once or at the end, and into how large pieces the rest is cut.
 *
 * What must hold beside the sanitizers: the budget comes back in full, and never was exceeded.
 */
#include "base/memory.h"
#include "receiver/exchange.h"
#include "receiver/http1.h"
#include "receiver/http2.h"
#include "receiver/protocol.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    BUDGET = 1 << 20,
    CHOOSE_HTTP2 = 1,
    CHOOSE_GRPC_PORT = 2,
    CHOOSE_LATE_ANSWERS = 4,
    PIECE_SHIFT = 3
};

struct bench {
    size_t held;
    bool late;
    struct intake_request *waiting;
};

static bool reserve(void *self, size_t bytes)
{
    struct bench *bench = self;

    if (bytes > BUDGET - bench->held)
        return false;
    bench->held += bytes;
    return true;
}

static void unreserve(void *self, size_t bytes)
{
    struct bench *bench = self;

    if (bytes > bench->held)
        abort();
    bench->held -= bytes;
}

static void finish(struct bench *bench, struct intake_request *request)
{
    request->answer(request->answer_self, ERROR_NONE);
    unreserve(bench, request->reserved);
    intake_request_free(request);
}

static void submit(void *self, struct intake_request *request)
{
    struct bench *bench = self;

    if (!bench->late) {
        finish(bench, request);
        return;
    }
    request->next = bench->waiting;
    bench->waiting = request;
}

static bool accepting(void *self)
{
    (void)self;
    return true;
}

static void ignore_wake(void *self)
{
    (void)self;
}

static void settle(struct protocol *protocol, struct service *service, struct buffer *out)
{
    do {
        protocol->class->produce(protocol, out);
        buffer_reset(out);
    } while (exchange_deliver(service));
    protocol->class->produce(protocol, out);
    buffer_reset(out);
}

static void answer_waiting(struct bench *bench)
{
    for (struct intake_request *next, *r = bench->waiting; r; r = next) {
        next = r->next;
        finish(bench, r);
    }
    bench->waiting = NULL;
}

static void feed(struct protocol *protocol, struct service *service, struct bench *bench,
                 struct slice bytes)
{
    struct buffer out = {0};
    size_t piece = (size_t)1 << (2 * (*bytes.ptr >> PIECE_SHIFT & 7));

    bytes = (struct slice){bytes.ptr + 1, bytes.len - 1};
    while (bytes.len > 0) {
        size_t len = bytes.len < piece ? bytes.len : piece;
        enum protocol_state state = protocol->class->state(protocol);

        if (state == PROTOCOL_CLOSING)
            break;
        if (state == PROTOCOL_PAUSED)
            answer_waiting(bench);
        protocol->class->receive(protocol, (struct slice){bytes.ptr, len});
        service->now_ms++;
        settle(protocol, service, &out);
        bytes = (struct slice){bytes.ptr + len, bytes.len - len};
    }
    answer_waiting(bench);
    settle(protocol, service, &out);
    protocol->class->tick(protocol);
    buffer_release(&out);
}

static void no_thread(void *self)
{
    (void)self;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;

    struct receiver_options options = receiver_options_resolve(
        &(struct receiver_options){.max_connections = 1});
    struct bench bench = {.late = (data[0] & CHOOSE_LATE_ANSWERS) != 0};
    struct intake intake = {&bench, reserve, unreserve, submit, accepting, 1};
    struct service service = {
        .options = &options, .intake = &intake, .now_ms = 1000, .random = 1};
    struct protocol_host host = {
        .service = &service,
        .port = data[0] & CHOOSE_GRPC_PORT ? RECEIVER_GRPC_PORT : RECEIVER_HTTP_PORT,
        .wake = ignore_wake,
    };

    service_init(&service);
    service.mailbox = mailbox_new(no_thread, NULL);

    struct protocol *protocol = data[0] & CHOOSE_HTTP2 ? http2_new(&host)
                                                       : http1_new(&host);

    feed(protocol, &service, &bench, (struct slice){(const char *)data, size});
    protocol->class->free(protocol);
    /* The sender is gone; its requests still come to an end. */
    answer_waiting(&bench);
    mailbox_close(service.mailbox);
    reply_release(&service.reply);
    if (bench.held != 0)
        abort();
    return 0;
}
