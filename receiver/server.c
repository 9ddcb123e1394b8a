#include "receiver/server.h"

#include "base/memory.h"
#include "receiver/acceptor.h"
#include "receiver/listener.h"
#include "receiver/worker.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_WORKERS = 256,
    DRAIN_POLL_MS = 5, /* how often a drain looks whether the workers are empty */
};

struct receiver {
    struct receiver_options options;
    struct intake intake;
    char addresses[ACCEPTOR_PORTS][RECEIVER_ADDRESS_MAX];
    struct worker *workers[MAX_WORKERS];
    size_t worker_count;
    struct acceptor *acceptor;
};

static_assert((int)LISTENER_ADDRESS_MAX == (int)RECEIVER_ADDRESS_MAX,
              "one address format");

static size_t core_count(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    return cores > 0 ? (size_t)cores : 1;
}

static bool start_workers(struct receiver *receiver, struct error *err)
{
    size_t count = receiver->options.workers ? receiver->options.workers : core_count();

    if (count > MAX_WORKERS)
        count = MAX_WORKERS;
    while (receiver->worker_count < count) {
        struct worker *worker = worker_new(&receiver->options, &receiver->intake, err);

        if (!worker)
            return false;
        receiver->workers[receiver->worker_count++] = worker;
    }
    return true;
}

static bool open_listeners(struct receiver *receiver, int sockets[static ACCEPTOR_PORTS],
                           struct error *err)
{
    if (!listener_open(receiver->options.grpc_endpoint, &sockets[RECEIVER_GRPC_PORT],
                       err))
        return false;
    if (!listener_open(receiver->options.http_endpoint, &sockets[RECEIVER_HTTP_PORT],
                       err)) {
        close(sockets[RECEIVER_GRPC_PORT]);
        return false;
    }
    for (int i = 0; i < ACCEPTOR_PORTS; i++)
        listener_address(sockets[i], receiver->addresses[i]);
    return true;
}

static bool start_accepting(struct receiver *receiver, struct error *err)
{
    struct acceptor_options options = {
        .workers = receiver->workers,
        .worker_count = receiver->worker_count,
        .max_connections = receiver->options.max_connections,
    };

    if (!open_listeners(receiver, options.sockets, err))
        return false;
    receiver->acceptor = acceptor_new(&options, err);
    if (receiver->acceptor)
        return true;
    for (int i = 0; i < ACCEPTOR_PORTS; i++)
        close(options.sockets[i]);
    return false;
}

struct receiver *receiver_start(const struct receiver_options *options,
                                const struct intake *intake, struct error *err)
{
    struct receiver *receiver = memory_new(1, sizeof(*receiver));

    receiver->options = receiver_options_resolve(options);
    receiver->intake = *intake;
    if (start_workers(receiver, err) && start_accepting(receiver, err))
        return receiver;
    receiver_free(receiver);
    return NULL;
}

void receiver_address(const struct receiver *receiver, enum receiver_port port,
                      char text[static RECEIVER_ADDRESS_MAX])
{
    memcpy(text, receiver->addresses[port], RECEIVER_ADDRESS_MAX);
}

static bool is_empty(const struct receiver *receiver)
{
    for (size_t i = 0; i < receiver->worker_count; i++)
        if (worker_load(receiver->workers[i]) > 0)
            return false;
    return true;
}

bool receiver_drain(struct receiver *receiver, unsigned deadline_ms)
{
    acceptor_stop(receiver->acceptor);
    for (size_t i = 0; i < receiver->worker_count; i++)
        worker_drain(receiver->workers[i]);
    for (unsigned waited_ms = 0; waited_ms < deadline_ms; waited_ms += DRAIN_POLL_MS) {
        if (is_empty(receiver))
            return true;
        poll(NULL, 0, DRAIN_POLL_MS);
    }
    return is_empty(receiver);
}

void receiver_free(struct receiver *receiver)
{
    if (!receiver)
        return;
    acceptor_free(receiver->acceptor);
    for (size_t i = 0; i < receiver->worker_count; i++)
        worker_free(receiver->workers[i]);
    free(receiver);
}

void receiver_read_stats(const struct receiver *receiver, struct receiver_stats *stats)
{
    *stats = (struct receiver_stats){0};
    stats_sum(acceptor_stats(receiver->acceptor), stats);
    for (size_t i = 0; i < receiver->worker_count; i++)
        stats_sum(worker_stats(receiver->workers[i]), stats);
}
