#include "app/control.h"

#include "base/clock.h"
#include "base/memory.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    /* Out of descriptors the listener stays readable. */
    ACCEPT_PAUSE_US = 100000
};

struct control {
    struct control_options options;
    char *path; /* NULL until it is bound: then it is ours to remove */
    int listener, wake;
    pthread_t thread;
    bool has_thread;
};

char *control_path(const struct config *config)
{
    struct buffer path = {0};

    if (*config->admin_socket)
        return memory_copy(slice_of(config->admin_socket));
    buffer_printf(&path, "%s/admin.sock", config->state_directory);

    char *copy = memory_copy(buffer_slice(&path));

    buffer_release(&path);
    return copy;
}

static bool fill_address(const char *path, struct sockaddr_un *address, struct error *err)
{
    size_t len = strlen(path);

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len >= sizeof(address->sun_path))
        return FAIL(err, ERROR_INVALID, "socket path is longer than %zu bytes: %s",
                    sizeof(address->sun_path) - 1, path);
    memcpy(address->sun_path, path, len);
    return true;
}

/* ---- one exchange ------------------------------------------------------------------------ */

/* One connection, and until when it may take. */
struct line {
    int fd, wake; /* wake: what ends the wait; -1: nothing */
    uint64_t end_ns;
};

static struct line make_line(int fd, int wake)
{
    const uint64_t second_ns = 1000000000;

    return (struct line){fd, wake, clock_monotonic_ns() + CONTROL_TIMEOUT_S * second_ns};
}

/* Whatever is ready goes first, so that a stop cuts off only who keeps us waiting. */
static bool wait_ready(const struct line *line, short events)
{
    struct pollfd fds[] = {{.fd = line->fd, .events = events},
                           {.fd = line->wake, .events = POLLIN}};
    int count;

    do {
        uint64_t now_ns = clock_monotonic_ns();

        if (now_ns >= line->end_ns)
            return false;
        count = poll(fds, 2, (int)((line->end_ns - now_ns) / 1000000) + 1);
    } while (count < 0 && errno == EINTR);
    return count > 0 && fds[0].revents;
}

static bool is_passing(int number)
{
    return number == EINTR || number == EAGAIN;
}

static bool send_all(const struct line *line, struct slice bytes)
{
    while (bytes.len) {
        if (!wait_ready(line, POLLOUT))
            return false;

        ssize_t sent = send(line->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && is_passing(errno))
            continue;
        if (sent <= 0)
            return false;
        bytes.ptr += sent;
        bytes.len -= (size_t)sent;
    }
    return true;
}

/* Reads until the other side has sent all, or `max` bytes. */
static bool receive_all(const struct line *line, size_t max, struct buffer *to)
{
    while (wait_ready(line, POLLIN)) {
        ssize_t got = recv(line->fd, buffer_reserve(to, 4096), 4096, MSG_DONTWAIT);

        if (got < 0 && is_passing(errno))
            continue;
        if (got < 0)
            return false;
        if (got == 0)
            return true;
        to->len += (size_t)got;
        if (to->len > max)
            return false;
    }
    return false;
}

static void serve(struct control *control, int fd)
{
    struct line line = make_line(fd, control->wake);
    struct buffer command = {0}, text = {0}, answer = {0};

    if (receive_all(&line, CONTROL_LINE_MAX, &command)) {
        bool is_done = control->options.execute(control->options.self,
                                                buffer_slice(&command), &text);

        buffer_append_text(&answer, is_done ? "ok\n" : "failed\n");
        buffer_append(&answer, buffer_slice(&text));
        send_all(&line, buffer_slice(&answer));
    }
    buffer_release(&command);
    buffer_release(&text);
    buffer_release(&answer);
    close(fd);
}

/* ---- the thread -------------------------------------------------------------------------- */

static void *run(void *self)
{
    struct control *control = self;
    struct pollfd fds[] = {{.fd = control->wake, .events = POLLIN},
                           {.fd = control->listener, .events = POLLIN}};

    for (;;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents)
            return NULL;

        int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd >= 0)
            serve(control, fd);
        else
            usleep(ACCEPT_PAUSE_US);
    }
}

/* A socket file that nobody listens on is left over. */
static bool is_stale(const struct sockaddr_un *address)
{
    struct stat file;

    if (lstat(address->sun_path, &file) != 0 || !S_ISSOCK(file.st_mode))
        return false;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    bool is_refused = failed && errno == ECONNREFUSED;

    close(fd);
    return is_refused;
}

static bool bind_path(struct control *control, struct error *err)
{
    struct sockaddr_un address;
    const char *path = control->options.path;

    if (!fill_address(path, &address, err))
        return false;
    control->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (is_stale(&address))
        unlink(path);
    /* Before bind(): on Linux the file is born with the mode of the socket (unix(7)). */
    fchmod(control->listener, S_IRUSR | S_IWUSR);
    if (bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) != 0)
        return FAIL(err, ERROR_INTERNAL, "cannot bind the control socket %s: %s", path,
                    strerror(errno));
    control->path = memory_copy(slice_of(path));
    if (listen(control->listener, 8) != 0)
        return FAIL(err, ERROR_INTERNAL, "cannot listen on %s: %s", path,
                    strerror(errno));
    return true;
}

struct control *control_start(const struct control_options *options, struct error *err)
{
    struct control *control = memory_new(1, sizeof(*control));

    control->options = *options;
    control->listener = -1;
    control->wake = eventfd(0, EFD_CLOEXEC);
    if (bind_path(control, err)) {
        control->has_thread = pthread_create(&control->thread, NULL, run, control) == 0;
        if (control->has_thread)
            return control;
        FAIL(err, ERROR_INTERNAL, "cannot start the control thread");
    }
    control_free(control);
    return NULL;
}

static void stop(struct control *control)
{
    const uint64_t one = 1;

    while (write(control->wake, &one, sizeof(one)) < 0 && errno == EINTR)
        ;
    pthread_join(control->thread, NULL);
}

void control_free(struct control *control)
{
    if (!control)
        return;
    if (control->has_thread)
        stop(control);
    if (control->path)
        unlink(control->path);
    if (control->listener >= 0)
        close(control->listener);
    close(control->wake);
    free(control->path);
    free(control);
}

/* ---- the other end ----------------------------------------------------------------------- */

static int connect_to(const char *path, struct error *err)
{
    const struct timeval limit = {.tv_sec = CONTROL_TIMEOUT_S};
    struct sockaddr_un address;
    int fd;

    if (!fill_address(path, &address, err))
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* A full queue of the listener makes connect() wait. */
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    FAIL(err, ERROR_NOT_FOUND, "no gateway answers on %s: %s", path, strerror(errno));
    close(fd);
    return -1;
}

/* Splits the answer into its verdict and its text, which stays. */
static bool judge(struct buffer *answer, struct error *err)
{
    struct slice all = buffer_slice(answer);
    bool is_ok = slice_starts_with(all, "ok\n");
    size_t first = is_ok ? 3 : sizeof("failed\n") - 1;

    if (!is_ok && !slice_starts_with(all, "failed\n"))
        return FAIL(err, ERROR_TIMEOUT, "the gateway gave no answer");
    memmove(answer->ptr, answer->ptr + first, answer->len - first);
    answer->len -= first;
    if (is_ok)
        return true;
    return FAIL(err, ERROR_INVALID, "%.*s", SLICE_ARG(buffer_slice(answer)));
}

bool control_ask(const char *path, const char *command, struct buffer *answer,
                 struct error *err)
{
    int fd = connect_to(path, err);
    bool is_done;

    if (fd < 0)
        return false;

    struct line line = make_line(fd, -1);

    is_done = send_all(&line, slice_of(command)) && shutdown(fd, SHUT_WR) == 0 &&
              receive_all(&line, SIZE_MAX - 1, answer);
    close(fd);
    if (!is_done)
        return FAIL(err, ERROR_TIMEOUT, "the gateway gave no answer");
    return judge(answer, err);
}
