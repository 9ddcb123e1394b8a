#include "app/gateway.h"

#include "app/admin.h"
#include "app/config_pipeline.h"
#include "app/control.h"
#include "app/engine.h"
#include "app/explain_live.h"
#include "app/facts.h"
#include "app/machine.h"
#include "app/outbox_command.h"
#include "app/storage.h"
#include "base/clock.h"
#include "base/log.h"
#include "exporter/delivery.h"
#include "exporter/outbox.h"
#include "receiver/server.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    /* Kubernetes kills after 30 s unless told otherwise; this leaves 5 s to spare. */
    STOP_MS = 25000,
    /* Of these, senders get as much to finish what they have begun. */
    RECEIVER_STOP_MS = 10000,
    /* Senders in order need milliseconds, but a stuck API must not take all the time. */
    MIN_POST_MS = 1000,
};

/* What may be put during a replay before the outbox has committed it, and how long that may take. */
static const size_t MAX_PUT_VALUES = 200000;
static const uint64_t REPLAY_PATIENCE_NS = UINT64_C(10) * 1000000000;

struct gateway {
    const struct config *config;
    struct storage storage;
    struct facts_sources parts;
    struct control *control; /* NULL: nowhere to put the socket */
    struct intake intake;
    /* What was put since the outbox last had everything; on the thread that applies. */
    size_t put_values;
    uint64_t put_lsn;
};

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

/* During a replay nothing was accepted yet, and everything is on disk. */
static void stop_if_asked(void)
{
    sigset_t pending, wanted = stop_signals(), both;

    if (sigpending(&pending) != 0 || sigandset(&both, &pending, &wanted) != 0 ||
        sigisemptyset(&both))
        return;
    log_message(LOG_INFO, "stopped while recovering; the next start begins again");
    _exit(EXIT_FINE);
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

/* ---- start ------------------------------------------------------------------------------- */

/* Takes closed rows; on the thread that applies. */
static void put(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    struct gateway *gateway = self;

    outbox_put(gateway->parts.outbox, rows, count, tick_lsn);
    delivery_wake(gateway->parts.delivery);
    for (size_t i = 0; i < count; i++)
        gateway->put_values += rows[i].count;
    gateway->put_lsn = tick_lsn;
}

static uint64_t committed_lsn(void *self)
{
    const struct gateway *gateway = self;

    return outbox_committed_lsn(gateway->parts.outbox);
}

/*
 * A replay can close minutes faster than the outbox commits them. An outbox that cannot commit must
 * not stop the start, though: what it holds is bounded by what the journal held.
 */
static void pause_replay(void *self)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    struct gateway *gateway = self;
    uint64_t end_ns = clock_monotonic_ns() + REPLAY_PATIENCE_NS;

    stop_if_asked();
    if (gateway->put_values < MAX_PUT_VALUES)
        return;
    while (committed_lsn(gateway) < gateway->put_lsn && clock_monotonic_ns() < end_ns)
        nanosleep(&moment, NULL);
    gateway->put_values = 0;
}

static void give_up_reserve(void *self)
{
    struct gateway *gateway = self;

    state_make_room(gateway->parts.state);
}

static enum exit_code open_storage(struct gateway *gateway, struct error *err)
{
    struct storage *storage = &gateway->storage;
    enum exit_code code = storage_open(storage, gateway->config, err);

    gateway->parts.durability = storage->durability;
    gateway->parts.state = storage->state;
    gateway->parts.outbox = storage->outbox;
    return code;
}

static bool start_delivery(struct gateway *gateway, struct error *err)
{
    const struct config *config = gateway->config;
    char identity[320];

    machine_identity(identity, sizeof(identity));
    gateway->parts.delivery = delivery_start(
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
            .grace_ms = config->grace_ns / 1000000,
            .spread_ms = config->spread_ns / 1000000,
            .identity = identity,
            .outbox_max_bytes = gateway->storage.outbox_max_bytes,
            .disk_full = gateway->parts.state ? give_up_reserve : NULL,
            .disk_full_self = gateway,
        },
        gateway->parts.outbox, err);
    return gateway->parts.delivery != NULL;
}

/* 80 %: the rest is for what is counted nowhere. */
static size_t memory_limit(const struct config *config)
{
    return (size_t)(config->memory_limit ? config->memory_limit
                                         : machine_memory_bytes() / 5 * 4);
}

static void make_engine(struct gateway *gateway)
{
    const struct config *config = gateway->config;

    gateway->parts.engine = engine_new(&(struct engine_options){
        .pipeline = config_pipeline(config),
        .max_inflight_bytes = memory_limit(config),
        .put = put,
        .state = gateway->parts.state,
        .durability = gateway->storage.journal,
        .journal_max_bytes = config->journal_max_size,
        .committed_lsn = committed_lsn,
        .pause = pause_replay,
        .self = gateway,
    });
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
    struct receiver *receiver;

    gateway->intake = engine_intake(gateway->parts.engine);
    receiver = receiver_start(
        &(struct receiver_options){
            .grpc_endpoint = config->grpc_endpoint,
            .http_endpoint = config->http_endpoint,
            .max_grpc_message_bytes = smaller(config->max_recv_msg_size, quarter),
            .max_http_body_bytes = smaller(config->max_request_body_size, quarter),
        },
        &gateway->intake, err);
    atomic_store(&gateway->parts.receiver, receiver);
    return receiver != NULL;
}

static void render(void *self, enum admin_page page, struct admin_answer *answer)
{
    facts_render(self, page, answer);
}

static bool start_admin(struct gateway *gateway, struct error *err)
{
    gateway->parts.admin = admin_open(
        &(struct admin_options){
            .endpoint = gateway->config->admin_endpoint,
            .render = render,
            .self = &gateway->parts,
        },
        err);
    return gateway->parts.admin && admin_start(gateway->parts.admin, err);
}

static bool execute(void *self, struct slice command, struct buffer *answer)
{
    struct gateway *gateway = self;

    if (slice_is(command, "explain"))
        return explain_live(gateway->parts.engine, answer);

    bool is_done = outbox_command(gateway->parts.outbox, command,
                                  clock_now_ns() / 1000000000, answer);

    delivery_wake(gateway->parts.delivery);
    return is_done;
}

/* A path that was asked for must work; nothing that lies in the state directory stops a start. */
static bool start_control(struct gateway *gateway, struct error *err)
{
    bool is_asked_for = *gateway->config->admin_socket;
    char *path;

    if (!is_asked_for && !gateway->parts.state)
        return true;
    path = control_path(gateway->config);
    gateway->control = control_start(
        &(struct control_options){.path = path, .execute = execute, .self = gateway},
        err);
    free(path);
    if (!gateway->control && !is_asked_for)
        log_event(LOG_WARN, "no control socket", LOG_TEXT("error", err->text));
    return gateway->control || !is_asked_for;
}

static bool is_preview(const struct config *config)
{
    return !*config->apikey && !*config->apikey_file;
}

static void log_start(const struct gateway *gateway)
{
    const struct config *config = gateway->config;

    log_event(LOG_INFO, "starting", LOG_TEXT("version", GATEWAY_VERSION),
              LOG_TEXT("mode", is_preview(config) ? "preview" : "posting"),
              LOG_TEXT("apibase", is_preview(config) ? "" : config->apibase),
              LOG_TEXT("durability", gateway->parts.durability),
              LOG_TEXT("state", gateway->parts.state ? config->state_directory : ""),
              LOG_UINT("memory_limit", memory_limit(config)));
    if (is_preview(config))
        log_message(LOG_INFO,
                    "no API key: what would be posted is printed on standard output; "
                    "set MACKEREL_APIKEY to post");
}

/* Scripts and people wait for this line; it is the same in every log format. */
static void say_ready(struct gateway *gateway)
{
    struct receiver *receiver = atomic_load(&gateway->parts.receiver);
    char grpc[RECEIVER_ADDRESS_MAX], http[RECEIVER_ADDRESS_MAX];

    receiver_address(receiver, RECEIVER_GRPC_PORT, grpc);
    receiver_address(receiver, RECEIVER_HTTP_PORT, http);
    atomic_store(&gateway->parts.is_ready, true);
    fprintf(stderr, "ready grpc=%s http=%s admin=%s\n", grpc, http,
            admin_address(gateway->parts.admin));
}

static enum exit_code fail_start(const struct error *err, enum exit_code code)
{
    log_event(LOG_ERROR, "cannot start", LOG_TEXT("error", err->text));
    return err->kind == ERROR_INVALID ? EXIT_CONFIG : code;
}

/* Who is asked while the engine recovers is there first; senders are let in when all is ready. */
static enum exit_code start(struct gateway *gateway)
{
    struct error err = {0};
    enum exit_code code = open_storage(gateway, &err);

    if (code != EXIT_FINE)
        return fail_start(&err, code);
    log_start(gateway);
    make_engine(gateway);
    if (!start_delivery(gateway, &err))
        return fail_start(&err, EXIT_CONFIG);
    if (!start_admin(gateway, &err) || !start_control(gateway, &err))
        return fail_start(&err, EXIT_UNAVAILABLE);
    if (!engine_start(gateway->parts.engine, &err))
        return fail_start(&err, EXIT_INTERNAL);
    if (!start_receiver(gateway, &err))
        return fail_start(&err, EXIT_UNAVAILABLE);
    say_ready(gateway);
    return EXIT_FINE;
}

/* ---- stop -------------------------------------------------------------------------------- */

static uint64_t now_ms(void)
{
    return clock_monotonic_ns() / 1000000;
}

static void stop_receiver(struct gateway *gateway)
{
    if (!receiver_drain(atomic_load(&gateway->parts.receiver), RECEIVER_STOP_MS))
        log_message(LOG_WARN,
                    "senders did not finish in time; their connections are closed");
    engine_refuse(gateway->parts.engine);
}

/* What is not posted waits for the next start. */
static enum exit_code say_kept(struct gateway *gateway, size_t values, uint64_t points)
{
    log_event(LOG_INFO, "stopped; what is not posted waits on disk for the next start",
              LOG_UINT("values_waiting", values), LOG_UINT("points_waiting", points),
              LOG_UINT("values_lost", 0),
              LOG_TEXT("directory", state_directory(gateway->parts.state)));
    return EXIT_FINE;
}

static enum exit_code say_stopped(struct gateway *gateway, size_t left)
{
    struct engine_picture engine;

    engine_read(gateway->parts.engine, &engine);
    if (gateway->parts.state && state_is_there(gateway->parts.state))
        return say_kept(gateway, left, engine.ledger.pending);
    if (left == 0) {
        log_event(LOG_INFO, "stopped", LOG_UINT("values_lost", 0),
                  LOG_UINT("points_of_unfinished_minutes", engine.ledger.pending));
        return EXIT_FINE;
    }
    log_event(LOG_WARN,
              gateway->parts.state
                  ? "stopped with values that were not posted; the state "
                    "directory is gone, so they are lost"
                  : "stopped with values that were not posted; state is "
                    "in memory, so they are lost",
              LOG_UINT("values_lost", left),
              LOG_UINT("points_of_unfinished_minutes", engine.ledger.pending));
    return EXIT_QUEUED;
}

/* In the order in which data flows: whoever feeds another stops first. */
static enum exit_code stop(struct gateway *gateway)
{
    uint64_t end_ms = now_ms() + STOP_MS, now;
    size_t left;

    atomic_store(&gateway->parts.is_ready, false);
    stop_receiver(gateway);
    engine_finish(gateway->parts.engine);
    now = now_ms();
    left = delivery_drain(gateway->parts.delivery,
                          now + MIN_POST_MS < end_ms ? end_ms - now : MIN_POST_MS);
    return say_stopped(gateway, left);
}

static void release(struct gateway *gateway)
{
    control_free(gateway->control);
    admin_free(gateway->parts.admin);
    receiver_free(atomic_load(&gateway->parts.receiver));
    engine_free(gateway->parts.engine);
    delivery_free(gateway->parts.delivery);
    storage_release(&gateway->storage);
}

enum exit_code gateway_run(const struct config *config)
{
    struct gateway gateway = {.config = config, .parts.started_ns = clock_now_ns()};
    enum exit_code code;

    hold_signals();
    /* State is nobody else's; SQLite takes no mode for its files. */
    umask(S_IRWXG | S_IRWXO);
    code = start(&gateway);
    if (code == EXIT_FINE) {
        wait_signal();
        code = stop(&gateway);
    }
    release(&gateway);
    return code;
}
