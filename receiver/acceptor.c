#include "receiver/acceptor.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    STOP = ACCEPTOR_PORTS, /* index of the wake-up among the polled descriptors */
    /* Connections taken from one port before the other gets its turn. */
    BATCH = 64,
    /* Pause when even the spare descriptor does not help. */
    EXHAUSTED_MS = 100,
};

struct acceptor {
    struct acceptor_options options;
    pthread_t thread;
    int stop_event;
    int spare; /* a descriptor to give up when there are no more; -1: none */
    bool running;
    struct stats stats;
};

static struct worker *least_loaded(const struct acceptor *acceptor, size_t *total)
{
    struct worker *best = NULL;
    size_t best_load = 0;

    *total = 0;
    for (size_t i = 0; i < acceptor->options.worker_count; i++) {
        struct worker *worker = acceptor->options.workers[i];
        size_t load = worker_load(worker);

        *total += load;
        if (!best || load < best_load) {
            best = worker;
            best_load = load;
        }
    }
    return best;
}

static void refuse(struct acceptor *acceptor, int socket)
{
    /* First: whoever sees it closed may look at the count. */
    stats_add(&acceptor->stats.connections_refused, 1);
    close(socket);
}

static void place(struct acceptor *acceptor, int socket, enum receiver_port port)
{
    size_t total;
    struct worker *worker = least_loaded(acceptor, &total);

    if (total >= acceptor->options.max_connections)
        refuse(acceptor, socket);
    else
        worker_give(worker, socket, port);
}

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Out of descriptors: closes one waiting connection by means of the spare descriptor. */
static void shed(struct acceptor *acceptor, int listener)
{
    if (acceptor->spare < 0) {
        poll(NULL, 0, EXHAUSTED_MS);
    } else {
        close(acceptor->spare);

        int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (socket >= 0)
            refuse(acceptor, socket);
    }
    acceptor->spare = open_spare();
}

static void accept_batch(struct acceptor *acceptor, enum receiver_port port)
{
    int listener = acceptor->options.sockets[port];

    for (int i = 0; i < BATCH; i++) {
        int socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (socket >= 0)
            place(acceptor, socket, port);
        else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                 errno == ENOMEM)
            shed(acceptor, listener);
        else if (errno == EAGAIN)
            return;
        /* Anything else concerns the one connection, which is gone (accept(2)). */
    }
}

static void *run(void *self)
{
    struct acceptor *acceptor = self;
    struct pollfd polled[ACCEPTOR_PORTS + 1] = {
        [RECEIVER_GRPC_PORT] = {acceptor->options.sockets[RECEIVER_GRPC_PORT], POLLIN, 0},
        [RECEIVER_HTTP_PORT] = {acceptor->options.sockets[RECEIVER_HTTP_PORT], POLLIN, 0},
        [STOP] = {acceptor->stop_event, POLLIN, 0},
    };

    sigset_t all;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;) {
        if (poll(polled, ACCEPTOR_PORTS + 1, -1) < 0)
            continue;
        if (polled[STOP].revents)
            return NULL;
        /* Another thread may have taken its place while there were none. */
        if (acceptor->spare < 0)
            acceptor->spare = open_spare();
        if (polled[RECEIVER_GRPC_PORT].revents)
            accept_batch(acceptor, RECEIVER_GRPC_PORT);
        if (polled[RECEIVER_HTTP_PORT].revents)
            accept_batch(acceptor, RECEIVER_HTTP_PORT);
    }
}

static void release(struct acceptor *acceptor)
{
    if (acceptor->spare >= 0)
        close(acceptor->spare);
    close(acceptor->stop_event);
    free(acceptor);
}

struct acceptor *acceptor_new(const struct acceptor_options *options, struct error *err)
{
    int stop_event = eventfd(0, EFD_CLOEXEC);

    if (stop_event < 0) {
        error_set(err, ERROR_INTERNAL, "cannot create a wake-up for accepting");
        return NULL;
    }

    struct acceptor *acceptor = memory_new(1, sizeof(*acceptor));

    acceptor->options = *options;
    acceptor->stop_event = stop_event;
    acceptor->spare = open_spare();
    acceptor->running = pthread_create(&acceptor->thread, NULL, run, acceptor) == 0;
    if (acceptor->running)
        return acceptor;
    release(acceptor);
    error_set(err, ERROR_INTERNAL, "cannot start the accepting thread");
    return NULL;
}

void acceptor_stop(struct acceptor *acceptor)
{
    if (!acceptor->running)
        return;
    acceptor->running = false;
    eventfd_write(acceptor->stop_event, 1);
    pthread_join(acceptor->thread, NULL);
    for (int i = 0; i < ACCEPTOR_PORTS; i++)
        close(acceptor->options.sockets[i]);
}

void acceptor_free(struct acceptor *acceptor)
{
    if (!acceptor)
        return;
    acceptor_stop(acceptor);
    release(acceptor);
}

const struct stats *acceptor_stats(const struct acceptor *acceptor)
{
    return &acceptor->stats;
}
