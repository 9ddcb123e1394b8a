#include "tests/bench/load_client.h"

#include "base/buffer.h"
#include "base/memory.h"

#include <nghttp2/nghttp2.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    READ_BYTES = 16 << 10,
    PREFIX = 5,
    WINDOW = 1 << 20
};

struct load_client {
    int fd;
    bool grpc;
    nghttp2_session *session;
    /* The gRPC request on its way. */
    char prefix[PREFIX];
    struct slice body;
    size_t sent; /* of prefix and body */
    bool done, ok;
    char in[READ_BYTES];
};

static bool send_bytes(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (sent <= 0)
            return false;
        bytes = (struct slice){bytes.ptr + sent, bytes.len - (size_t)sent};
    }
    return true;
}

/* ---- HTTP/1.1 ------------------------------------------------------------------------------ */

/* Success is a 200 without a body: partial success would mean that the load is not what it seems. */
static bool read_ok(struct load_client *client)
{
    static const char ok[] = "HTTP/1.1 200 ";
    size_t len = 0;

    for (;;) {
        ssize_t got = recv(client->fd, client->in + len, READ_BYTES - len - 1, 0);

        if (got <= 0)
            return false;
        len += (size_t)got;
        client->in[len] = '\0';
        if (strstr(client->in, "\r\n\r\n"))
            break;
    }
    return strncmp(client->in, ok, sizeof(ok) - 1) == 0 &&
           strstr(client->in, "content-length: 0\r\n") != NULL;
}

static bool post_http(struct load_client *client, struct slice body)
{
    char head[160];
    int len = snprintf(
        head, sizeof(head),
        "POST /v1/metrics HTTP/1.1\r\nHost: bench\r\n"
        "Content-Type: application/x-protobuf\r\nContent-Length: %zu\r\n\r\n",
        body.len);
    struct iovec parts[] = {{head, (size_t)len}, {NULL, body.len}};

    union {
        const char *text;
        void *base;
    } start = {.text = body.ptr};

    parts[1].iov_base = start.base;

    ssize_t sent = writev(client->fd, parts, 2);

    if (sent < len)
        return false;
    sent -= len;
    return send_bytes(client->fd,
                      (struct slice){body.ptr + sent, body.len - (size_t)sent}) &&
           read_ok(client);
}

/* ---- gRPC ---------------------------------------------------------------------------------- */

static ssize_t read_request(nghttp2_session *session, int32_t stream, uint8_t *out,
                            size_t max, uint32_t *flags, nghttp2_data_source *source,
                            void *self)
{
    struct load_client *client = self;
    size_t len = 0;

    (void)session;
    (void)stream;
    (void)source;
    while (client->sent < PREFIX && len < max)
        out[len++] = (uint8_t)client->prefix[client->sent++];

    size_t at = client->sent - PREFIX, rest = client->body.len - at;

    if (client->sent >= PREFIX && len < max) {
        size_t count = rest < max - len ? rest : max - len;

        memcpy(out + len, client->body.ptr + at, count);
        client->sent += count;
        len += count;
    }
    if (client->sent == PREFIX + client->body.len)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
                     const uint8_t *name, size_t name_len, const uint8_t *value,
                     size_t value_len, uint8_t flags, void *self)
{
    struct load_client *client = self;
    struct slice key = {(const char *)name, name_len},
                 text = {(const char *)value, value_len};

    (void)session;
    (void)frame;
    (void)flags;
    if (slice_is(key, "grpc-status"))
        client->ok = slice_is(text, "0");
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream, uint32_t code, void *self)
{
    (void)session;
    (void)stream;
    (void)code;
    ((struct load_client *)self)->done = true;
    return 0;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t len,
                       int flags, void *self)
{
    struct load_client *client = self;
    bool sent = send_bytes(client->fd, (struct slice){(const char *)bytes, len});

    (void)session;
    (void)flags;
    return sent ? (ssize_t)len : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static nghttp2_nv field(char *name, char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

static void submit(struct load_client *client)
{
    static char names[][16] = {":method",    ":scheme",      ":path",
                               ":authority", "content-type", "te"};
    static char path[] =
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    static char post[] = "POST", http[] = "http", bench[] = "bench",
                grpc[] = "application/grpc", trailers[] = "trailers";
    nghttp2_nv head[] = {field(names[0], post), field(names[1], http),
                         field(names[2], path), field(names[3], bench),
                         field(names[4], grpc), field(names[5], trailers)};
    nghttp2_data_provider provider = {.read_callback = read_request};

    nghttp2_submit_request(client->session, NULL, head, 6, &provider, NULL);
}

static bool post_grpc(struct load_client *client, struct slice body)
{
    client->body = body;
    client->sent = 0;
    client->done = client->ok = false;
    client->prefix[0] = 0;
    for (int i = 1; i < PREFIX; i++)
        client->prefix[i] = (char)(body.len >> (8 * (PREFIX - 1 - i)) & 0xff);
    submit(client);
    while (nghttp2_session_send(client->session) == 0) {
        if (client->done)
            return client->ok;

        ssize_t len = recv(client->fd, client->in, READ_BYTES, 0);

        if (len <= 0 || nghttp2_session_mem_recv(client->session, (uint8_t *)client->in,
                                                 (size_t)len) != len)
            return false;
    }
    return false;
}

static void open_session(struct load_client *client)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW}};
    nghttp2_session_callbacks *callbacks;

    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&client->session, callbacks, client);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, settings, 1);
}

/* ---- both ---------------------------------------------------------------------------------- */

static int connect_to(const char *address)
{
    struct sockaddr_in peer = {.sin_family = AF_INET};
    const char *colon = strrchr(address, ':');
    char host[16] = "";
    int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

    if (colon && (size_t)(colon - address) < sizeof(host)) {
        memcpy(host, address, (size_t)(colon - address));
        peer.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
    }
    if (inet_pton(AF_INET, host, &peer.sin_addr) == 1 &&
        connect(fd, (struct sockaddr *)&peer, sizeof(peer)) == 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        return fd;
    }
    fprintf(stderr, "cannot connect to %s\n", address);
    close(fd);
    return -1;
}

struct load_client *load_client_new(const char *address, bool grpc)
{
    int fd = connect_to(address);

    if (fd < 0)
        return NULL;

    struct load_client *client = memory_new(1, sizeof(*client));

    client->fd = fd;
    client->grpc = grpc;
    if (grpc)
        open_session(client);
    return client;
}

void load_client_free(struct load_client *client)
{
    if (client->grpc)
        nghttp2_session_del(client->session);
    close(client->fd);
    free(client);
}

bool load_client_post(struct load_client *client, struct slice body)
{
    return client->grpc ? post_grpc(client, body) : post_http(client, body);
}
