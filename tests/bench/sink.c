/*
 * The floor of what an OTLP/gRPC receiver can cost: one thread, nghttp2, no decoding, no budget.
 * Reads each request's body, forgets it, and answers an empty gRPC success. `load` measures it with
 * the same requests as the gateway; the ratio is what the gateway adds.
 *
 * Prints "ready HOST:PORT" and runs until stdin ends.
 */
#include "base/memory.h"

#include <nghttp2/nghttp2.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 256 << 10, /* as the receiver does */
    STREAM_WINDOW = 1 << 20,
    CONNECTION_WINDOW = 4 << 20,
    MAX_FRAME = 1 << 20,
    EVENTS = 64,
};

struct peer {
    int fd;
    nghttp2_session *session;
};

static uint8_t read_buffer[READ_BYTES];

static nghttp2_nv field(char *name, char *value)
{
    return (nghttp2_nv){(uint8_t *)name, (uint8_t *)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NONE};
}

static ssize_t read_answer(nghttp2_session *session, int32_t stream, uint8_t *out,
                           size_t max, uint32_t *flags, nghttp2_data_source *source,
                           void *self)
{
    char name[] = "grpc-status", value[] = "0";
    nghttp2_nv trailer = field(name, value);

    (void)max;
    (void)source;
    (void)self;
    memset(out, 0, 5);
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    nghttp2_submit_trailer(session, stream, &trailer, 1);
    return 5;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *self)
{
    char status[] = ":status", ok[] = "200", type[] = "content-type",
         grpc[] = "application/grpc";
    nghttp2_nv head[] = {field(status, ok), field(type, grpc)};
    nghttp2_data_provider provider = {.read_callback = read_answer};

    (void)self;
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
        nghttp2_submit_response(session, frame->hd.stream_id, head, 2, &provider);
    return 0;
}

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t len,
                       int flags, void *self)
{
    struct peer *peer = self;
    ssize_t sent = send(peer->fd, bytes, len, MSG_NOSIGNAL);

    (void)session;
    (void)flags;
    return sent < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : sent;
}

static struct peer *greet(int fd)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, MAX_FRAME},
    };
    struct peer *peer = memory_new(1, sizeof(*peer));
    nghttp2_session_callbacks *callbacks;
    int on = 1;

    peer->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_server_new(&peer->session, callbacks, peer);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(peer->session, NGHTTP2_FLAG_NONE, 0,
                                          CONNECTION_WINDOW);
    return peer;
}

static void serve(int epoll, struct peer *peer)
{
    ssize_t len = recv(peer->fd, read_buffer, READ_BYTES, 0);

    if (len > 0 &&
        nghttp2_session_mem_recv(peer->session, read_buffer, (size_t)len) == len &&
        nghttp2_session_send(peer->session) == 0)
        return;
    epoll_ctl(epoll, EPOLL_CTL_DEL, peer->fd, NULL);
    close(peer->fd);
    nghttp2_session_del(peer->session);
    free(peer);
}

static int listen_anywhere(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        listen(fd, 64) != 0 || getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    printf("ready 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void watch(int epoll, int fd, void *data)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = data};

    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

int main(void)
{
    /* Their addresses tell the listener and stdin from peers. */
    static char listener_mark, stdin_mark;
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(0), listener = listen_anywhere();

    if (epoll < 0 || listener < 0) {
        perror("sink");
        return 1;
    }
    watch(epoll, listener, &listener_mark);
    watch(epoll, STDIN_FILENO, &stdin_mark);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);

        for (int i = 0; i < count; i++) {
            void *data = events[i].data.ptr;

            if (data == &stdin_mark)
                return 0;
            if (data == &listener_mark) {
                int fd = accept(listener, NULL, NULL);

                watch(epoll, fd, greet(fd));
            } else {
                serve(epoll, data);
            }
        }
    }
}
