#include "app/admin.h"

#include "base/clock.h"
#include "base/memory.h"
#include "receiver/listener.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EXCHANGE_MS = 10000, /* generous for a person with telnet, short for an idle socket */
    FIXED_FDS = 2
};

struct connection {
    int fd; /* -1: free */
    uint64_t deadline_ms;
    char head[ADMIN_HEAD_MAX];
    size_t head_len;
    struct buffer out; /* empty while the request is read */
    size_t sent;
    bool is_closing; /* all is sent; waits for the client to close */
};

struct admin {
    struct admin_options options;
    char address[LISTENER_ADDRESS_MAX];
    int listener, wake;
    pthread_t thread;
    bool has_thread;
    struct connection connections[ADMIN_CONNECTIONS];
};

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

static void end(struct connection *connection)
{
    close(connection->fd);
    connection->fd = -1;
    buffer_release(&connection->out);
}

/* ---- answers ----------------------------------------------------------------------------- */

static const char *status_text(int status)
{
    switch (status) {
    case 200: return "OK";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return "Error";
    }
}

static void write_answer(struct buffer *out, const struct admin_answer *answer,
                         bool is_head)
{
    buffer_printf(out, "HTTP/1.1 %d %s\r\n", answer->status, status_text(answer->status));
    buffer_printf(out, "Content-Type: %s\r\n", answer->media_type);
    buffer_printf(out, "Content-Length: %zu\r\n", answer->body.len);
    if (answer->status == 405)
        buffer_append_text(out, "Allow: GET, HEAD\r\n");
    buffer_append_text(out, "Cache-Control: no-store\r\n"
                            "X-Content-Type-Options: nosniff\r\n"
                            "Connection: close\r\n\r\n");
    if (!is_head)
        buffer_append(out, buffer_slice(&answer->body));
}

static void answer(struct admin *admin, struct connection *connection, int status,
                   const struct admin_request *request)
{
    struct admin_answer reply = {.status = status,
                                 .media_type = "text/plain; charset=utf-8"};

    if (status == 200)
        admin->options.render(admin->options.self, request->page, &reply);
    else
        buffer_printf(&reply.body, "%s\n", status_text(status));
    write_answer(&connection->out, &reply, status == 200 && request->is_head);
    buffer_release(&reply.body);
}

/* ---- connections ------------------------------------------------------------------------- */

static void send_some(struct connection *connection)
{
    while (connection->sent < connection->out.len) {
        ssize_t sent = send(connection->fd, connection->out.ptr + connection->sent,
                            connection->out.len - connection->sent, MSG_NOSIGNAL);

        if (sent < 0) {
            if (errno != EAGAIN && errno != EINTR)
                end(connection);
            return;
        }
        connection->sent += (size_t)sent;
    }
    /* Closing with unread bytes would reset the connection and could lose the answer's end. */
    shutdown(connection->fd, SHUT_WR);
    connection->is_closing = true;
}

static void receive_some(struct admin *admin, struct connection *connection)
{
    size_t room = sizeof(connection->head) - connection->head_len;
    ssize_t got = recv(connection->fd, connection->head + connection->head_len, room, 0);
    struct admin_request request;
    int status;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        end(connection);
        return;
    }
    connection->head_len += (size_t)got;
    status = admin_request_parse((struct slice){connection->head, connection->head_len},
                                 &request);
    if (status == 0)
        return;
    answer(admin, connection, status, &request);
    send_some(connection);
}

/* Reads what comes after the answer, until the client has closed too. */
static void discard(struct connection *connection)
{
    char scrap[4096];
    ssize_t got = recv(connection->fd, scrap, sizeof(scrap), 0);

    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        end(connection);
}

static void serve(struct admin *admin, struct connection *connection)
{
    if (connection->is_closing)
        discard(connection);
    else if (connection->out.len)
        send_some(connection);
    else
        receive_some(admin, connection);
}

static struct connection *find_free(struct admin *admin)
{
    for (size_t i = 0; i < ADMIN_CONNECTIONS; i++)
        if (admin->connections[i].fd < 0)
            return &admin->connections[i];
    return NULL;
}

static void take_connection(struct admin *admin)
{
    struct connection *connection = find_free(admin);
    int fd = accept4(admin->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0 || !connection) {
        if (fd >= 0)
            close(fd);
        return;
    }
    connection->fd = fd;
    connection->deadline_ms = now_ms() + EXCHANGE_MS;
    connection->head_len = connection->sent = 0;
    connection->is_closing = false;
}

/* ---- the thread -------------------------------------------------------------------------- */

static short wanted_events(const struct connection *connection)
{
    return connection->out.len && !connection->is_closing ? POLLOUT : POLLIN;
}

/* A negative descriptor is one that poll() ignores. */
static void list_fds(struct admin *admin, struct pollfd *fds)
{
    fds[0] = (struct pollfd){.fd = admin->wake, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = find_free(admin) ? admin->listener : -1,
                             .events = POLLIN};
    for (size_t i = 0; i < ADMIN_CONNECTIONS; i++)
        fds[FIXED_FDS + i] = (struct pollfd){
            .fd = admin->connections[i].fd,
            .events = wanted_events(&admin->connections[i])};
}

static int pause_ms(const struct admin *admin)
{
    for (size_t i = 0; i < ADMIN_CONNECTIONS; i++)
        if (admin->connections[i].fd >= 0)
            return 1000;
    return -1;
}

static void tend(struct admin *admin, const struct pollfd *fds)
{
    uint64_t now = now_ms();

    for (size_t i = 0; i < ADMIN_CONNECTIONS; i++) {
        struct connection *connection = &admin->connections[i];

        if (connection->fd >= 0 && fds[i].revents)
            serve(admin, connection);
        if (connection->fd >= 0 && now >= connection->deadline_ms)
            end(connection);
    }
}

static void *run(void *self)
{
    struct admin *admin = self;
    struct pollfd fds[FIXED_FDS + ADMIN_CONNECTIONS];

    for (;;) {
        list_fds(admin, fds);
        if (poll(fds, FIXED_FDS + ADMIN_CONNECTIONS, pause_ms(admin)) < 0)
            continue;
        if (fds[0].revents)
            return NULL;
        tend(admin, fds + FIXED_FDS);
        if (fds[1].revents)
            take_connection(admin);
    }
}

struct admin *admin_open(const struct admin_options *options, struct error *err)
{
    struct admin *admin = memory_new(1, sizeof(*admin));

    admin->options = *options;
    admin->listener = -1;
    admin->wake = eventfd(0, EFD_CLOEXEC);
    for (size_t i = 0; i < ADMIN_CONNECTIONS; i++)
        admin->connections[i].fd = -1;
    if (!listener_open(options->endpoint, &admin->listener, err)) {
        admin_free(admin);
        return NULL;
    }
    listener_address(admin->listener, admin->address);
    return admin;
}

bool admin_start(struct admin *admin, struct error *err)
{
    if (admin->wake < 0 || pthread_create(&admin->thread, NULL, run, admin) != 0)
        return FAIL(err, ERROR_INTERNAL, "cannot start the admin thread");
    admin->has_thread = true;
    return true;
}

const char *admin_address(const struct admin *admin)
{
    return admin->address;
}

static void stop(struct admin *admin)
{
    const uint64_t one = 1;

    while (write(admin->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    pthread_join(admin->thread, NULL);
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    if (admin->has_thread)
        stop(admin);
    for (size_t i = 0; i < ADMIN_CONNECTIONS; i++)
        if (admin->connections[i].fd >= 0)
            end(&admin->connections[i]);
    if (admin->listener >= 0)
        close(admin->listener);
    if (admin->wake >= 0)
        close(admin->wake);
    free(admin);
}
