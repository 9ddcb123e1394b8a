#include "app/gateway.h"

#include "app/admin.h"
#include "app/engine.h"
#include "app/machine.h"
#include "app/page.h"
#include "base/clock.h"
#include "base/log.h"
#include "exporter/delivery.h"
#include "exporter/outbox.h"
#include "receiver/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
    /* Kubernetes kills after 30 s unless told otherwise; this leaves 5 s to spare. */
    STOP_MS = 25000,
    /* Of these, senders get as much to finish what they have begun. */
    RECEIVER_STOP_MS = 10000,
    /* Senders in order need milliseconds, but a stuck API must not take all the time. */
    MIN_POST_MS = 1000,
};

struct gateway {
    const struct config *config;
    uint64_t started_ns;
    struct outbox *outbox;
    struct delivery *delivery;
    struct engine *engine;
    struct intake intake;
    struct receiver *receiver;
    struct admin *admin;
    char grpc_address[RECEIVER_ADDRESS_MAX], http_address[RECEIVER_ADDRESS_MAX];
    atomic_bool is_ready;
};

/* ---- pages ------------------------------------------------------------------------------- */

/* All facts of one moment; on the admin thread. */
static void render_facts(struct gateway *gateway,
                         void (*write)(const struct page_facts *facts,
                                       struct buffer *out),
                         struct buffer *out)
{
    struct engine_picture engine;
    struct outbox_counts outbox;
    struct value_ledger values;
    struct delivery_status delivery = {0};
    struct receiver_stats receiver = {0};

    engine_read(gateway->engine, &engine);
    outbox_read_counts(gateway->outbox, &outbox);
    outbox_read_ledger(gateway->outbox, &values);
    delivery_read_status(gateway->delivery, &delivery);
    receiver_read_stats(gateway->receiver, &receiver);
    write(
        &(struct page_facts){
            .version = GATEWAY_VERSION,
            .started_ns = gateway->started_ns,
            .now_ns = clock_now_ns(),
            .grpc_address = gateway->grpc_address,
            .http_address = gateway->http_address,
            .admin_address = admin_address(gateway->admin),
            .is_ready = atomic_load(&gateway->is_ready),
            .engine = &engine,
            .outbox = &outbox,
            .values = &values,
            .delivery = &delivery,
            .receiver = &receiver,
            .resident_bytes = machine_resident_bytes(),
        },
        out);
    delivery_status_release(&delivery);
}

static void render_ready(struct gateway *gateway, struct admin_answer *answer)
{
    bool is_ready = atomic_load(&gateway->is_ready);

    answer->status = is_ready ? 200 : 503;
    answer->media_type = "application/json";
    buffer_printf(&answer->body, "{\"status\":\"%s\"}\n",
                  is_ready ? "Server available" : "Server not available");
}

static void render(void *self, enum admin_page page, struct admin_answer *answer)
{
    struct gateway *gateway = self;

    switch (page) {
    case ADMIN_LIVE: buffer_append_text(&answer->body, "ok\n"); break;
    case ADMIN_READY: render_ready(gateway, answer); break;
    case ADMIN_METRICS:
        answer->media_type = "text/plain; version=0.0.4; charset=utf-8";
        render_facts(gateway, page_metrics, &answer->body);
        break;
    case ADMIN_STATUS:
        answer->media_type = "application/json";
        render_facts(gateway, page_status, &answer->body);
        break;
    }
}

/* ---- start ------------------------------------------------------------------------------- */

/* Takes closed rows; on the engine's thread. */
static void put(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    struct gateway *gateway = self;

    outbox_put(gateway->outbox, rows, count, tick_lsn);
    delivery_wake(gateway->delivery);
}

static bool start_delivery(struct gateway *gateway, struct error *err)
{
    const struct config *config = gateway->config;

    gateway->outbox = outbox_new(
        &(struct outbox_options){.max_bytes = (size_t)config->outbox_max_size});
    gateway->delivery = delivery_start(
        &(struct delivery_options){
            .apikey = config->apikey,
            .apikey_file = config->apikey_file,
            .apibase = config->apibase,
            .ca_file = config->ca_file,
            .version = GATEWAY_VERSION,
            .hosts_create = config->hosts_create,
            .hosts_listed = (const char *const *)config->hosts_listed.items,
            .hosts_listed_count = config->hosts_listed.count,
            .native_metrics = config->native_metrics,
            .create_services = config->services_create,
            .outbox_max_bytes = (size_t)config->outbox_max_size,
        },
        gateway->outbox, err);
    return gateway->delivery != NULL;
}

/* 80 %: the rest is for what is counted nowhere. */
static size_t memory_limit(const struct config *config)
{
    return (size_t)(config->memory_limit ? config->memory_limit
                                         : machine_memory_bytes() / 5 * 4);
}

static bool start_engine(struct gateway *gateway, struct error *err)
{
    const struct config *config = gateway->config;

    gateway->engine = engine_start(
        &(struct engine_options){
            .pipeline = {.grace_ns = config->grace_ns,
                         .lateness_ns = config->lateness_ns,
                         .default_service = config->services_default,
                         .native_metrics = config->native_metrics},
            .max_inflight_bytes = memory_limit(config),
            .put = put,
            .put_self = gateway,
        },
        err);
    if (!gateway->engine)
        return false;
    gateway->intake = engine_intake(gateway->engine);
    return true;
}

static size_t smaller(uint64_t a, size_t b)
{
    return a < b ? (size_t)a : b;
}

static bool start_receiver(struct gateway *gateway, struct error *err)
{
    const struct config *config = gateway->config;
    /* One request must not keep all others out. */
    size_t quarter = memory_limit(config) / 4;

    gateway->receiver = receiver_start(
        &(struct receiver_options){
            .grpc_endpoint = config->grpc_endpoint,
            .http_endpoint = config->http_endpoint,
            .max_grpc_message_bytes = smaller(config->max_recv_msg_size, quarter),
            .max_http_body_bytes = smaller(config->max_request_body_size, quarter),
        },
        &gateway->intake, err);
    if (!gateway->receiver)
        return false;
    receiver_address(gateway->receiver, RECEIVER_GRPC_PORT, gateway->grpc_address);
    receiver_address(gateway->receiver, RECEIVER_HTTP_PORT, gateway->http_address);
    return true;
}

static bool start_admin(struct gateway *gateway, struct error *err)
{
    gateway->admin = admin_open(
        &(struct admin_options){
            .endpoint = gateway->config->admin_endpoint,
            .render = render,
            .self = gateway,
        },
        err);
    return gateway->admin && admin_start(gateway->admin, err);
}

static bool is_preview(const struct config *config)
{
    return !*config->apikey && !*config->apikey_file;
}

static void log_start(const struct config *config)
{
    log_event(LOG_INFO, "starting", LOG_TEXT("version", GATEWAY_VERSION),
              LOG_TEXT("mode", is_preview(config) ? "preview" : "posting"),
              LOG_TEXT("apibase", is_preview(config) ? "" : config->apibase),
              LOG_TEXT("durability", config->durability),
              LOG_UINT("memory_limit", memory_limit(config)));
    if (is_preview(config))
        log_message(LOG_INFO,
                    "no API key: what would be posted is printed on standard output; "
                    "set MACKEREL_APIKEY to post");
}

/* Scripts and people wait for this line; it is the same in every log format. */
static void say_ready(struct gateway *gateway)
{
    atomic_store(&gateway->is_ready, true);
    fprintf(stderr, "ready grpc=%s http=%s admin=%s\n", gateway->grpc_address,
            gateway->http_address, admin_address(gateway->admin));
}

static enum exit_code start(struct gateway *gateway)
{
    struct error err = {0};

    log_start(gateway->config);
    if (start_delivery(gateway, &err) && start_engine(gateway, &err) &&
        start_receiver(gateway, &err) && start_admin(gateway, &err)) {
        say_ready(gateway);
        return EXIT_FINE;
    }
    log_event(LOG_ERROR, "cannot start", LOG_TEXT("error", err.text));
    if (!gateway->delivery || err.kind == ERROR_INVALID)
        return EXIT_CONFIG;
    return gateway->engine ? EXIT_UNAVAILABLE : EXIT_INTERNAL;
}

/* ---- stop -------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

static void stop_receiver(struct gateway *gateway)
{
    if (!receiver_drain(gateway->receiver, RECEIVER_STOP_MS))
        log_message(LOG_WARN,
                    "senders did not finish in time; their connections are closed");
    engine_refuse(gateway->engine);
}

static enum exit_code say_stopped(struct gateway *gateway, size_t left)
{
    struct engine_picture engine;

    engine_read(gateway->engine, &engine);
    if (left == 0) {
        log_event(LOG_INFO, "stopped", LOG_UINT("values_lost", 0),
                  LOG_UINT("points_of_unfinished_minutes", engine.ledger.pending));
        return EXIT_FINE;
    }
    log_event(LOG_WARN,
              "stopped with values that were not posted; state.durability is memory, so "
              "they are lost",
              LOG_UINT("values_lost", left),
              LOG_UINT("points_of_unfinished_minutes", engine.ledger.pending));
    return EXIT_QUEUED;
}

/* In the order in which data flows: whoever feeds another stops first. */
static enum exit_code stop(struct gateway *gateway)
{
    uint64_t end_ms = now_ms() + STOP_MS, now;
    size_t left;

    atomic_store(&gateway->is_ready, false);
    stop_receiver(gateway);
    engine_finish(gateway->engine);
    now = now_ms();
    left = delivery_drain(gateway->delivery,
                          now + MIN_POST_MS < end_ms ? end_ms - now : MIN_POST_MS);
    return say_stopped(gateway, left);
}

static void release(struct gateway *gateway)
{
    admin_free(gateway->admin);
    receiver_free(gateway->receiver);
    engine_free(gateway->engine);
    delivery_free(gateway->delivery);
    outbox_free(gateway->outbox);
}

/* ---- signals ----------------------------------------------------------------------------- */

static bool is_ignored(int number)
{
    struct sigaction now;

    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

static sigset_t stop_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (!is_ignored(SIGHUP)) /* nohup(1) */
        sigaddset(&set, SIGHUP);
    return set;
}

/* Before the first thread, which all others inherit it from. */
static void hold_signals(void)
{
    sigset_t set = stop_signals();

    signal(SIGPIPE, SIG_IGN);
    /* A shell script's background commands begin with SIGINT ignored; the second must end us. */
    signal(SIGINT, SIG_DFL);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void wait_signal(void)
{
    sigset_t set = stop_signals();
    int number = 0;

    while (sigwait(&set, &number) != 0)
        ;
    log_event(LOG_INFO, "stopping; a second signal ends the process at once",
              LOG_INT("signal", number));
    /* From here on signals do what they do to any program. */
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

enum exit_code gateway_run(const struct config *config)
{
    struct gateway gateway = {.config = config, .started_ns = clock_now_ns()};
    enum exit_code code;

    hold_signals();
    code = start(&gateway);
    if (code == EXIT_FINE) {
        wait_signal();
        code = stop(&gateway);
    }
    release(&gateway);
    return code;
}
