#include "receiver/worker.h"

#include "base/memory.h"
#include "receiver/connection.h"
#include "receiver/exchange.h"

#include <uv.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    TICK_MS = 250,
    /* Large enough that a 1,000-point request is one read, small enough for the cache. */
    READ_BYTES = 256 << 10,
};

struct gift {
    int socket;
    enum receiver_port port;
};

struct worker {
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t timer;
    pthread_t thread;
    struct service service;
    struct connection_host host;
    struct connection *connections;
    struct connection *dirty;
    _Atomic size_t load;
    bool stopping; /* the worker's own: the flag below was seen */

    pthread_mutex_t lock; /* guards what follows */
    struct gift *gifts;
    size_t gift_count, gift_room;
    bool drain, stop;
};

/* ---- connections --------------------------------------------------------------------------- */

static void mark_dirty(void *self, struct connection *connection)
{
    struct worker *worker = self;

    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = worker->dirty;
    worker->dirty = connection;
}

static void settle(void *self)
{
    struct worker *worker = self;

    do {
        while (worker->dirty) {
            struct connection *connection = worker->dirty;

            worker->dirty = connection->next_dirty;
            connection->is_dirty = false;
            connection_settle(connection);
        }
    } while (exchange_deliver(&worker->service) || worker->dirty);
}

static void forget(void *self, struct connection *connection)
{
    struct worker *worker = self;

    if (connection->previous)
        connection->previous->next = connection->next;
    else
        worker->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    atomic_fetch_sub(&worker->load, 1);
    atomic_fetch_sub(&worker->service.stats.connections_open, 1);
}

static void adopt(struct worker *worker, const struct gift *gift)
{
    struct connection *connection = connection_new(&worker->host, gift->socket,
                                                   gift->port);

    connection->next = worker->connections;
    if (connection->next)
        connection->next->previous = connection;
    worker->connections = connection;
    stats_add(&worker->service.stats.connections_open, 1);
    stats_add(&worker->service.stats.connections_total, 1);
    if (worker->service.draining)
        connection_drain(connection);
}

static void drain_all(struct worker *worker)
{
    worker->service.draining = true;
    for (struct connection *c = worker->connections; c; c = c->next)
        connection_drain(c);
}

static void stop_all(struct worker *worker)
{
    worker->stopping = true;
    for (struct connection *c = worker->connections; c; c = c->next)
        connection_close(c);
    /* Before the handle that late answers would wake goes away. */
    mailbox_close(worker->service.mailbox);
    worker->service.mailbox = NULL;
    uv_close((uv_handle_t *)&worker->timer, NULL);
    uv_close((uv_handle_t *)&worker->wake, NULL);
}

/* ---- events -------------------------------------------------------------------------------- */

static void on_wake(uv_async_t *handle)
{
    struct worker *worker = handle->data;

    pthread_mutex_lock(&worker->lock);

    struct gift *gifts = worker->gifts;
    size_t count = worker->gift_count;
    bool drain = worker->drain, stop = worker->stop;

    worker->gifts = NULL;
    worker->gift_count = worker->gift_room = 0;
    pthread_mutex_unlock(&worker->lock);

    worker->service.now_ms = uv_now(&worker->loop);
    for (size_t i = 0; i < count; i++)
        adopt(worker, &gifts[i]);
    free(gifts);
    if (drain && !worker->service.draining)
        drain_all(worker);
    settle(worker);
    if (stop && !worker->stopping)
        stop_all(worker);
}

static void on_tick(uv_timer_t *timer)
{
    struct worker *worker = timer->data;

    worker->service.now_ms = uv_now(&worker->loop);
    for (struct connection *c = worker->connections; c; c = c->next)
        connection_tick(c);
    settle(worker);
}

static void *run(void *self)
{
    struct worker *worker = self;

    sigset_t all;

    /* Signals are the main thread's business; a broken pipe is an error code here. */
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    mailbox_bind(worker->service.mailbox);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* ---- other threads ------------------------------------------------------------------------- */

static void wake_worker(void *self)
{
    struct worker *worker = self;

    uv_async_send(&worker->wake);
}

void worker_give(struct worker *worker, int socket, enum receiver_port port)
{
    atomic_fetch_add(&worker->load, 1);
    pthread_mutex_lock(&worker->lock);
    worker->gifts = memory_grow(worker->gifts, worker->gift_count + 1, &worker->gift_room,
                                sizeof(*worker->gifts));
    worker->gifts[worker->gift_count++] = (struct gift){socket, port};
    pthread_mutex_unlock(&worker->lock);
    wake_worker(worker);
}

static void raise_flag(struct worker *worker, bool *flag)
{
    pthread_mutex_lock(&worker->lock);
    *flag = true;
    pthread_mutex_unlock(&worker->lock);
    wake_worker(worker);
}

void worker_drain(struct worker *worker)
{
    raise_flag(worker, &worker->drain);
}

size_t worker_load(const struct worker *worker)
{
    return atomic_load(&worker->load);
}

const struct stats *worker_stats(const struct worker *worker)
{
    return &worker->service.stats;
}

/* ---- life ---------------------------------------------------------------------------------- */

static bool open_loop(struct worker *worker, struct error *err)
{
    int result = uv_loop_init(&worker->loop);

    if (result != 0)
        return FAIL(err, ERROR_INTERNAL, "cannot create an event loop: %s",
                    uv_strerror(result));
    result = uv_async_init(&worker->loop, &worker->wake, on_wake);
    if (result != 0) {
        uv_loop_close(&worker->loop);
        return FAIL(err, ERROR_INTERNAL, "cannot create a wake-up: %s",
                    uv_strerror(result));
    }
    worker->wake.data = worker;
    uv_timer_init(&worker->loop, &worker->timer);
    worker->timer.data = worker;
    uv_timer_start(&worker->timer, on_tick, TICK_MS, TICK_MS);
    return true;
}

static void prepare(struct worker *worker, const struct receiver_options *options,
                    const struct intake *intake)
{
    pthread_mutex_init(&worker->lock, NULL);
    service_init(&worker->service);
    worker->service.options = options;
    worker->service.intake = intake;
    worker->service.mailbox = mailbox_new(wake_worker, worker);
    /* Any odd seed will do; workers and processes should differ. */
    worker->service.random = (uv_hrtime() ^ (uint64_t)(uintptr_t)worker) | 1;
    worker->host = (struct connection_host){
        .service = &worker->service,
        .loop = &worker->loop,
        .read_buffer = memory_new(READ_BYTES, 1),
        .read_bytes = READ_BYTES,
        .dirty = mark_dirty,
        .settle = settle,
        .closed = forget,
        .self = worker,
    };
}

/* Everything but the thread. */
static void release(struct worker *worker)
{
    if (worker->service.mailbox)
        mailbox_close(worker->service.mailbox);
    for (size_t i = 0; i < worker->gift_count; i++)
        close(worker->gifts[i].socket);
    free(worker->gifts);
    free(worker->host.read_buffer);
    reply_release(&worker->service.reply);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

struct worker *worker_new(const struct receiver_options *options,
                          const struct intake *intake, struct error *err)
{
    struct worker *worker = memory_new(1, sizeof(*worker));

    prepare(worker, options, intake);
    if (!open_loop(worker, err)) {
        release(worker);
        return NULL;
    }
    if (pthread_create(&worker->thread, NULL, run, worker) == 0)
        return worker;
    stop_all(worker);
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    uv_loop_close(&worker->loop);
    release(worker);
    error_set(err, ERROR_INTERNAL, "cannot start a worker thread");
    return NULL;
}

void worker_free(struct worker *worker)
{
    if (!worker)
        return;
    raise_flag(worker, &worker->stop);
    pthread_join(worker->thread, NULL);
    uv_loop_close(&worker->loop);
    release(worker);
}
