#include "receiver/connection.h"

#include "base/memory.h"
#include "receiver/http1.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    PREFACE_TIMEOUT_MS = 10000, /* a client that says nothing at all */
    WRITE_TIMEOUT_MS = 30000,   /* a client that does not read its answers */
    LINGER_MS = 2000,           /* time to read a last answer */
    LINGER_DRAINING_MS = 300,   /* the same when the whole program waits for it */
    TLS_HANDSHAKE = 0x16,       /* first byte of a TLS client */
};

static uint64_t now_ms(const struct connection *connection)
{
    return connection->host->service->now_ms;
}

/* ---- end ----------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;

    connection->host->closed(connection->host->self, connection);
    buffer_release(&connection->out);
    buffer_release(&connection->sending);
    free(connection);
}

void connection_close(struct connection *connection)
{
    if (connection->closing)
        return;
    connection->closing = true;
    if (connection->protocol)
        connection->protocol->class->free(connection->protocol);
    connection->protocol = NULL;
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct connection *connection = request->data;

    if (status != 0 || connection->peer_done)
        connection_close(connection);
}

static void linger(struct connection *connection)
{
    connection->lingering = true;
    connection->since_ms = now_ms(connection);
    connection->shutdown.data = connection;
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp,
                    on_shutdown) != 0)
        connection_close(connection);
}

/* ---- out ----------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
    struct connection *connection = request->data;

    connection->writing = false;
    buffer_reset(&connection->sending);
    connection->host->service->now_ms = uv_now(connection->host->loop);
    if (status < 0)
        connection_close(connection);
    connection->host->dirty(connection->host->self, connection);
    connection->host->settle(connection->host->self);
}

/* Sends at once what the socket takes, which is nearly always everything; the rest in its time. */
static void flush(struct connection *connection)
{
    struct buffer *out = &connection->out;
    uv_buf_t bytes = uv_buf_init(out->ptr, (unsigned)out->len);
    int sent = uv_try_write((uv_stream_t *)&connection->tcp, &bytes, 1);

    if (sent == (int)out->len) {
        buffer_reset(out);
        return;
    }
    if (sent < 0 && sent != UV_EAGAIN) {
        connection_close(connection);
        return;
    }

    struct buffer spare = connection->sending;
    unsigned done = sent > 0 ? (unsigned)sent : 0;

    connection->sending = *out;
    connection->out = spare;
    bytes = uv_buf_init(connection->sending.ptr + done,
                        (unsigned)connection->sending.len - done);
    connection->write.data = connection;
    connection->writing = true;
    connection->since_ms = now_ms(connection);
    if (uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1,
                 on_written) != 0)
        connection_close(connection);
}

/* ---- in ------------------------------------------------------------------------------------ */

static void on_wake(void *self)
{
    struct connection *connection = self;

    connection->host->dirty(connection->host->self, connection);
}

static void choose(struct connection *connection, bool is_http2)
{
    struct protocol_host host = {
        .service = connection->host->service,
        .port = connection->port,
        .wake = on_wake,
        .self = connection,
    };
    struct slice seen = {connection->preface, connection->preface_len};

    connection->protocol = is_http2 ? http2_new(&host) : http1_new(&host);
    if (connection->draining)
        connection->protocol->class->drain(connection->protocol);
    connection->protocol->class->receive(connection->protocol, seen);
}

/* Compares with the preface until it differs or is complete. Returns the bytes looked at. */
static size_t detect(struct connection *connection, struct slice bytes)
{
    size_t used = 0;

    while (used < bytes.len && !connection->protocol) {
        char c = bytes.ptr[used++];
        bool same = c == HTTP2_PREFACE[connection->preface_len];

        connection->preface[connection->preface_len++] = c;
        if (!same || connection->preface_len == HTTP2_PREFACE_LEN)
            choose(connection, same);
    }
    return used;
}

static void receive(struct connection *connection, struct slice bytes)
{
    struct service *service = connection->host->service;

    if (!connection->protocol && connection->preface_len == 0 &&
        *bytes.ptr == TLS_HANDSHAKE) {
        stats_add(&service->stats.tls_hellos, 1);
        service_note(&service->tls_note, service,
                     "TLS client on a port that speaks cleartext",
                     connection->port == RECEIVER_GRPC_PORT ? "grpc" : "http");
        connection_close(connection);
        return;
    }
    if (!connection->protocol) {
        size_t used = detect(connection, bytes);

        bytes = (struct slice){bytes.ptr + used, bytes.len - used};
    }
    if (connection->protocol && bytes.len > 0)
        connection->protocol->class->receive(connection->protocol, bytes);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(connection->host->read_buffer,
                          (unsigned)connection->host->read_bytes);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;

    connection->host->service->now_ms = uv_now(connection->host->loop);
    if (len > 0 && !connection->lingering) {
        receive(connection, (struct slice){buffer->base, (size_t)len});
    } else if (len == UV_EOF) {
        connection->peer_done = true;
        uv_read_stop(stream);
        connection->reading = false;
    } else if (len < 0) {
        connection_close(connection);
    }
    connection->host->dirty(connection->host->self, connection);
    connection->host->settle(connection->host->self);
}

static void set_reading(struct connection *connection, bool wanted)
{
    uv_stream_t *stream = (uv_stream_t *)&connection->tcp;

    if (wanted == connection->reading)
        return;
    connection->reading = wanted;
    if (!wanted)
        uv_read_stop(stream);
    else if (uv_read_start(stream, on_alloc, on_read) != 0)
        connection_close(connection);
}

/* ---- both ---------------------------------------------------------------------------------- */

/* After everything produced is sent. */
static void follow_state(struct connection *connection)
{
    const struct protocol *protocol = connection->protocol;

    if (protocol && protocol->class->state(protocol) == PROTOCOL_CLOSING) {
        set_reading(connection, !connection->peer_done);
        if (!connection->closing)
            linger(connection);
    } else if (connection->peer_done && (!protocol || !protocol->class->owes(protocol))) {
        connection_close(connection);
    } else {
        set_reading(connection, !connection->peer_done &&
                                    (!protocol || protocol->class->state(protocol) ==
                                                      PROTOCOL_READING));
    }
}

void connection_settle(struct connection *connection)
{
    if (connection->closing)
        return;
    if (connection->lingering) {
        if (connection->peer_done)
            connection_close(connection);
        return;
    }
    if (connection->protocol && !connection->writing)
        connection->protocol->class->produce(connection->protocol, &connection->out);
    if (connection->out.len > 0 && !connection->writing)
        flush(connection);
    if (connection->closing)
        return;
    if (connection->writing)
        set_reading(connection, false);
    else
        follow_state(connection);
}

void connection_tick(struct connection *connection)
{
    uint64_t age_ms = now_ms(connection) - connection->since_ms;
    uint64_t linger_ms = connection->draining ? LINGER_DRAINING_MS : LINGER_MS;

    if (connection->closing)
        return;
    if ((connection->lingering && age_ms >= linger_ms) ||
        (connection->writing && age_ms >= WRITE_TIMEOUT_MS) ||
        (!connection->protocol &&
         (age_ms >= PREFACE_TIMEOUT_MS || connection->draining))) {
        connection_close(connection);
        return;
    }
    if (!connection->protocol || connection->lingering)
        return;
    connection->protocol->class->tick(connection->protocol);
    connection_settle(connection);
}

void connection_drain(struct connection *connection)
{
    connection->draining = true;
    if (connection->protocol && !connection->lingering) {
        connection->protocol->class->drain(connection->protocol);
        connection_settle(connection);
    }
}

struct connection *connection_new(const struct connection_host *host, int socket,
                                  enum receiver_port port)
{
    struct connection *connection = memory_new(1, sizeof(*connection));
    int on = 1;

    connection->host = host;
    connection->port = port;
    connection->since_ms = host->service->now_ms;
    uv_tcp_init(host->loop, &connection->tcp);
    connection->tcp.data = connection;
    /* Answers are one small write each; waiting for more would only delay them. */
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    if (uv_tcp_open(&connection->tcp, socket) != 0)
        close(socket);
    set_reading(connection, true);
    return connection;
}
