#include "receiver/http2.h"

#include "base/memory.h"
#include "receiver/call.h"
#include "receiver/tokens.h"

#include <nghttp2/nghttp2.h>

#include <stdlib.h>

enum {
    /* Streams one peer may keep open. Collectors use 1 to 4; a hundred is what RFC 9113, 5.1.2
     * asks for at least. */
    MAX_STREAMS = 128,
    /* A stream's and a connection's window. 64 KiB, the default, caps a connection at one window
     * per round trip and doubles the CPU per byte; more than these gains nothing. */
    STREAM_WINDOW = 1 << 20,
    CONNECTION_WINDOW = 4 << 20,
    /* Larger DATA frames mean fewer callbacks, for clients that make use of it. */
    MAX_FRAME = 1 << 20,
    /* Names, values and 32 bytes each; nghttp2 announces the limit but does not count. */
    MAX_HEADER_LIST = 16 << 10,
    HEADER_OVERHEAD = 32,
    /* A block over the limit is read on, for its answer, but not for ever. */
    ABSURD_HEADER_LIST = 256 << 10,
    /* CONTINUATION flood. The count includes one for each read that ends inside a frame header in
     * nghttp2 1.52, so eight frames that come byte by byte need nine times eight. */
    MAX_CONTINUATIONS = 72,
    MAX_SETTINGS = 32, /* entries in a SETTINGS frame */
    /* Rapid reset: streams that the peer may cancel at once, and per second from then on. */
    RESET_BURST = 1000,
    RESET_PER_S = 33,
    /* Frames that carry nothing (PING, SETTINGS, PRIORITY, empty DATA, resets in both directions,
     * unknown types): at once, per second, and for each request that was answered. gRPC clients
     * send a PING and a WINDOW_UPDATE for an answer. */
    IDLE_FRAME_BURST = 1000,
    IDLE_FRAMES_PER_S = 200,
    IDLE_FRAMES_PER_ANSWER = 8,
    /* A peer that does not acknowledge a PING within this is gone. */
    PING_TIMEOUT_MS = 20000,
    /* Between the warning and the final GOAWAY: time for requests on their way (RFC 9113, 6.8). */
    DRAIN_GRACE_MS = 300,
};

struct http2 {
    struct protocol base;
    struct call_list calls;
    struct tokens idle_frames;
    uint64_t heard_ms;  /* last bytes from the peer */
    uint64_t ping_ms;   /* when our PING went out; 0: none outstanding */
    uint64_t goaway_ms; /* when the final GOAWAY is due; 0: not draining */
    bool last_call_over;
    bool closing;
};

/* Counts a frame that carries nothing; ends the connection of a peer that sends floods of them. */
static void count_idle_frame(struct http2 *http2)
{
    struct service *service = http2->calls.host.service;

    if (http2->closing || tokens_take(&http2->idle_frames, service->now_ms))
        return;
    stats_add(&service->stats.protocol_errors, 1);
    nghttp2_session_terminate_session(http2->calls.session, NGHTTP2_ENHANCE_YOUR_CALM);
    http2->closing = true;
}

/* ---- nghttp2 callbacks --------------------------------------------------------------------- */

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head,
                          void *self)
{
    (void)session;
    /* Requests and their bodies are limited elsewhere; all else is overhead. WINDOW_UPDATE too:
     * an answer takes a few bytes of window. */
    bool has_body = head->length > 0 || (head->flags & NGHTTP2_FLAG_END_STREAM) != 0;

    if (head->type != NGHTTP2_HEADERS && head->type != NGHTTP2_CONTINUATION &&
        (head->type != NGHTTP2_DATA || !has_body))
        count_idle_frame(self);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame,
                            int code, void *self)
{
    (void)session;
    (void)frame;
    (void)code;
    count_idle_frame(self);
    return 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
                            void *self)
{
    struct http2 *http2 = self;
    struct call *call = call_find(&http2->calls, frame->hd.stream_id);

    (void)session;
    if (call) {
        call->in_trailers = true;
        return 0;
    }
    call_new(&http2->calls, frame->hd.stream_id);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     nghttp2_rcbuf *name, nghttp2_rcbuf *value, uint8_t flags, void *self)
{
    struct http2 *http2 = self;
    struct call *call = call_find(&http2->calls, frame->hd.stream_id);
    nghttp2_vec name_bytes = nghttp2_rcbuf_get_buf(name);
    nghttp2_vec value_bytes = nghttp2_rcbuf_get_buf(value);

    (void)session;
    (void)flags;
    if (!call)
        return 0;
    call->header_bytes += name_bytes.len + value_bytes.len + HEADER_OVERHEAD;
    if (call->header_bytes > ABSURD_HEADER_LIST)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    call->exchange.head.too_large |= call->header_bytes > MAX_HEADER_LIST;
    if (!call->in_trailers)
        head_add(&call->exchange.head,
                 (struct slice){(char *)name_bytes.base, name_bytes.len},
                 (struct slice){(char *)value_bytes.base, value_bytes.len});
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct http2 *http2 = self;
    bool is_headers = frame->hd.type == NGHTTP2_HEADERS;

    (void)session;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK))
        http2->ping_ms = 0;
    if (!is_headers && frame->hd.type != NGHTTP2_DATA)
        return 0;

    struct call *call = call_find(&http2->calls, frame->hd.stream_id);

    if (!call)
        return 0;
    if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
        call->received = true;
    if (is_headers && !call->in_trailers)
        exchange_head_done(&call->exchange);
    if (call->received)
        call_end(call);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
                   const uint8_t *bytes, size_t len, void *self)
{
    struct http2 *http2 = self;
    struct call *call = call_find(&http2->calls, id);

    (void)session;
    (void)flags;
    if (call)
        exchange_body(&call->exchange, (struct slice){(const char *)bytes, len});
    return 0;
}

/*
 * An answer that is complete while the request still arrives: tell the peer to stop. Submitted only
 * now, because nghttp2 drops a stream's queued frames when its reset is submitted.
 */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    struct http2 *http2 = self;

    if (frame->hd.type == NGHTTP2_RST_STREAM &&
        frame->rst_stream.error_code != NGHTTP2_NO_ERROR)
        count_idle_frame(http2);
    if ((frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) ||
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;

    struct call *call = call_find(&http2->calls, frame->hd.stream_id);

    tokens_give(&http2->idle_frames, IDLE_FRAMES_PER_ANSWER);
    if (call && !call->received)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, call->id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code,
                           void *self)
{
    struct http2 *http2 = self;
    struct call *call = call_find(&http2->calls, id);

    (void)session;
    (void)code;
    if (call)
        call_free(call);
    return 0;
}

/* ---- bytes --------------------------------------------------------------------------------- */

static struct http2 *http2_of(struct protocol *protocol)
{
    return (struct http2 *)protocol;
}

static void receive(struct protocol *protocol, struct slice bytes)
{
    struct http2 *http2 = http2_of(protocol);

    http2->heard_ms = http2->calls.host.service->now_ms;

    ssize_t used = nghttp2_session_mem_recv(http2->calls.session,
                                            (const uint8_t *)bytes.ptr, bytes.len);

    if (used >= 0)
        return;
    stats_add(&http2->calls.host.service->stats.protocol_errors, 1);
    nghttp2_session_terminate_session(
        http2->calls.session,
        used == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR);
    http2->closing = true;
}

static void produce(struct protocol *protocol, struct buffer *out)
{
    struct http2 *http2 = http2_of(protocol);

    for (;;) {
        const uint8_t *bytes;
        ssize_t len = nghttp2_session_mem_send(http2->calls.session, &bytes);

        if (len <= 0) {
            http2->closing |= len < 0;
            break;
        }
        buffer_append(out, (struct slice){(const char *)bytes, (size_t)len});
    }
    if (!nghttp2_session_want_read(http2->calls.session) &&
        !nghttp2_session_want_write(http2->calls.session))
        http2->closing = true;
}

/* ---- time ---------------------------------------------------------------------------------- */

/* Incomplete requests run out of time in the order of their age, but for a shorter grpc-timeout. */
static void expire_calls(struct http2 *http2)
{
    for (struct call *call = http2->calls.oldest; call; call = call->younger)
        exchange_expire(&call->exchange);
}

static void probe(struct http2 *http2)
{
    struct service *service = http2->calls.host.service;

    if (http2->ping_ms && service->now_ms - http2->ping_ms >= PING_TIMEOUT_MS) {
        stats_add(&service->stats.timeouts, 1);
        http2->closing = true;
    } else if (!http2->ping_ms &&
               service->now_ms - http2->heard_ms >= service->options->idle_timeout_ms) {
        nghttp2_submit_ping(http2->calls.session, NGHTTP2_FLAG_NONE, NULL);
        http2->ping_ms = service->now_ms;
    }
}

static void tick(struct protocol *protocol)
{
    struct http2 *http2 = http2_of(protocol);

    expire_calls(http2);
    probe(http2);
    if (!http2->goaway_ms || http2->last_call_over ||
        http2->calls.host.service->now_ms < http2->goaway_ms)
        return;
    http2->last_call_over = true;
    nghttp2_submit_goaway(http2->calls.session, NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(http2->calls.session),
                          NGHTTP2_NO_ERROR, NULL, 0);
}

static void drain(struct protocol *protocol)
{
    struct http2 *http2 = http2_of(protocol);

    http2->goaway_ms = http2->calls.host.service->now_ms + DRAIN_GRACE_MS;
    nghttp2_submit_shutdown_notice(http2->calls.session);
}

static enum protocol_state state(const struct protocol *protocol)
{
    return ((const struct http2 *)protocol)->closing ? PROTOCOL_CLOSING
                                                     : PROTOCOL_READING;
}

static bool owes(const struct protocol *protocol)
{
    return ((const struct http2 *)protocol)->calls.owed > 0;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void free_http2(struct protocol *protocol)
{
    struct http2 *http2 = http2_of(protocol);

    for (struct call *call = http2->calls.oldest, *next; call; call = next) {
        next = call->younger;
        call_free(call);
    }
    nghttp2_session_del(http2->calls.session);
    free(http2);
}

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks,
                                                                 on_invalid_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}

static void set_limits(nghttp2_option *option)
{
    nghttp2_option_set_max_continuations(option, MAX_CONTINUATIONS);
    nghttp2_option_set_max_settings(option, MAX_SETTINGS);
    nghttp2_option_set_stream_reset_rate_limit(option, RESET_BURST, RESET_PER_S);
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
}

static void open_session(struct http2 *http2)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&option);
    set_callbacks(callbacks);
    set_limits(option);
    nghttp2_session_server_new2(&http2->calls.session, callbacks, http2, option);
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
}

static void submit_settings(struct http2 *http2)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, MAX_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, MAX_FRAME},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, MAX_HEADER_LIST},
    };

    nghttp2_submit_settings(http2->calls.session, NGHTTP2_FLAG_NONE, settings,
                            sizeof(settings) / sizeof(settings[0]));
    nghttp2_session_set_local_window_size(http2->calls.session, NGHTTP2_FLAG_NONE, 0,
                                          CONNECTION_WINDOW);
}

struct protocol *http2_new(const struct protocol_host *host)
{
    static const struct protocol_class class = {receive, produce, tick,      drain,
                                                state,   owes,    free_http2};
    struct http2 *http2 = memory_new(1, sizeof(*http2));

    http2->base.class = &class;
    http2->calls.host = *host;
    http2->heard_ms = host->service->now_ms;
    tokens_init(&http2->idle_frames, IDLE_FRAME_BURST, IDLE_FRAMES_PER_S,
                host->service->now_ms);
    open_session(http2);
    submit_settings(http2);
    return &http2->base;
}
