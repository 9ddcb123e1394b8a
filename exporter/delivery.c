#include "exporter/delivery.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "exporter/client.h"
#include "exporter/dispatch.h"
#include "exporter/host_modes.h"
#include "exporter/key_file.h"
#include "exporter/preview.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum {
    /* How often the thread looks around when nobody wakes it, with and without values. */
    LOOK_BUSY_MS = 250,
    LOOK_IDLE_MS = 5000,
    /* A full disk is not asked more often. */
    COMMIT_AGAIN_MS = 1000,
    /* More than are on their way at a time (exporter/health.h). */
    MAX_ERRANDS = 16,
};

struct delivery {
    struct delivery_options options;
    struct outbox *outbox;
    struct client *client; /* NULL: preview */
    struct dispatch *dispatch;
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* guards all below and the dispatch */
    pthread_cond_t woken; /* preview only; the client has its own */
    bool is_stopping, is_draining;
    uint64_t deadline_ms; /* monotonic */
    uint64_t printed_ns;  /* preview: when a value was last printed */
    struct key_watch key_watch;
    /* Of the thread: */
    uint64_t commit_hold_ms; /* monotonic; after a failed commit none is tried before */
    struct log_limit commit_log;
};

static struct instant read_now(void)
{
    return (struct instant){
        .mono_ms = clock_monotonic_ns() / 1000000,
        .unix_ns = clock_now_ns(),
    };
}

static uint64_t draw(void)
{
    uint64_t number;

    if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
        number = clock_monotonic_ns();
    return number;
}

/* ---- the thread -------------------------------------------------------------------------- */

static bool is_given(const char *text)
{
    return text && *text;
}

static bool has_key_file(const struct delivery *delivery)
{
    return is_given(delivery->options.apikey_file) && !is_given(delivery->options.apikey);
}

static bool read_key(struct delivery *delivery)
{
    struct error err;
    char *key = key_file_read(delivery->options.apikey_file, &err);
    bool is_set = key && client_set_key(delivery->client, key, &err);

    if (!is_set)
        log_event(LOG_ERROR, "API key not usable, the one before stays in use",
                  LOG_TEXT("error", err.text));
    free(key);
    return is_set;
}

static void look_for_key(struct delivery *delivery, struct instant now)
{
    if (!has_key_file(delivery) ||
        !key_watch_look(&delivery->key_watch, delivery->options.apikey_file, now.mono_ms))
        return;
    if (!read_key(delivery))
        return;
    log_message(LOG_INFO, "the file of the API key changed: its key is in use");
    dispatch_renew_key(delivery->dispatch, now);
}

static void log_failure(struct delivery *delivery, const struct error *err,
                        struct instant now)
{
    uint64_t suppressed;

    if (log_limit_allows(&delivery->commit_log, now.mono_ms * 1000000, &suppressed))
        log_event(LOG_ERROR, "the outbox cannot be written; values wait in memory",
                  LOG_TEXT("error", err->text), LOG_UINT("suppressed", suppressed));
}

/* Without the lock: a scrape must not wait for a disk. */
static void commit(struct delivery *delivery, struct instant now)
{
    const struct delivery_options *options = &delivery->options;
    struct error err;

    if (outbox_commit(delivery->outbox, &err))
        return;
    log_failure(delivery, &err, now);
    delivery->commit_hold_ms = now.mono_ms + COMMIT_AGAIN_MS;
    if (err.kind == ERROR_BUSY && options->disk_full)
        options->disk_full(options->disk_full_self);
}

static void commit_if_due(struct delivery *delivery, struct instant now)
{
    if (now.mono_ms >= delivery->commit_hold_ms)
        commit(delivery, now);
}

static size_t load_all(struct delivery *delivery, struct errand **errands,
                       struct instant now)
{
    size_t count = 0;

    while (count < MAX_ERRANDS) {
        bool was_paused = dispatch_is_paused(delivery->dispatch);

        errands[count] = dispatch_next(delivery->dispatch, now);
        if (!errands[count])
            break;
        if (was_paused && has_key_file(delivery))
            read_key(delivery);
        count++;
    }
    return count;
}

/* What is on its way is noted on disk first: after a crash it may still arrive. */
static void send_all(struct delivery *delivery, struct errand *const *errands,
                     size_t count, struct instant now)
{
    if (count)
        commit_if_due(delivery, now);
    for (size_t i = 0; i < count; i++)
        client_send(delivery->client, &errands[i]->request, errands[i]);
}

static void take_answer(void *self, void *tag, const struct api_answer *answer)
{
    struct delivery *delivery = self;

    pthread_mutex_lock(&delivery->lock);
    dispatch_answer(delivery->dispatch, tag, answer, read_now());
    pthread_mutex_unlock(&delivery->lock);
}

/* `was_draining`: already before the last commit, which took in all that was put. */
static bool is_over(const struct delivery *delivery, bool was_draining,
                    struct instant now)
{
    if (delivery->is_stopping)
        return true;
    return was_draining && (now.mono_ms >= delivery->deadline_ms ||
                            dispatch_is_drained(delivery->dispatch, now));
}

static bool read_draining(struct delivery *delivery)
{
    bool is_draining;

    pthread_mutex_lock(&delivery->lock);
    is_draining = delivery->is_draining;
    pthread_mutex_unlock(&delivery->lock);
    return is_draining;
}

static int look_again_ms(struct delivery *delivery)
{
    struct outbox_counts counts;

    outbox_read_counts(delivery->outbox, &counts);
    return counts.values ? LOOK_BUSY_MS : LOOK_IDLE_MS;
}

static bool post(struct delivery *delivery)
{
    struct instant now = read_now();
    struct errand *errands[MAX_ERRANDS];
    size_t count;
    bool was_draining = read_draining(delivery), goes_on;

    commit_if_due(delivery, now);
    pthread_mutex_lock(&delivery->lock);
    look_for_key(delivery, now);
    dispatch_tend(delivery->dispatch, now);
    count = load_all(delivery, errands, now);
    goes_on = !is_over(delivery, was_draining, now);
    pthread_mutex_unlock(&delivery->lock);
    send_all(delivery, errands, count, now);
    if (goes_on)
        client_poll(delivery->client, look_again_ms(delivery), take_answer, delivery);
    return goes_on;
}

static void *run(void *self)
{
    while (post(self))
        ;
    commit(self, read_now()); /* what was settled last */
    return NULL;
}

/* ---- preview ----------------------------------------------------------------------------- */

static void wait_woken(struct delivery *delivery)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_BUSY_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(&delivery->woken, &delivery->lock, &until);
}

static void *run_preview(void *self)
{
    struct delivery *delivery = self;

    pthread_mutex_lock(&delivery->lock);
    while (!delivery->is_stopping) {
        struct instant now = read_now();

        bool is_last = delivery->is_draining;

        pthread_mutex_unlock(&delivery->lock);
        commit_if_due(delivery, now);
        pthread_mutex_lock(&delivery->lock);
        dispatch_tend(delivery->dispatch, now);
        pthread_mutex_unlock(&delivery->lock); /* whoever reads the output may be slow */

        bool has_printed = preview_print_all(
            delivery->options.preview ? delivery->options.preview : stdout,
            delivery->outbox, now);

        pthread_mutex_lock(&delivery->lock);
        if (has_printed)
            delivery->printed_ns = now.unix_ns;
        if (is_last)
            break;
        wait_woken(delivery);
    }
    pthread_mutex_unlock(&delivery->lock);
    commit(delivery, read_now());
    return NULL;
}

/* ---- life -------------------------------------------------------------------------------- */

static char *read_first_key(struct delivery *delivery, struct error *err)
{
    const char *path = delivery->options.apikey_file;

    /* Looked at first: a key that changes in between is read once more, never missed. */
    key_watch_look(&delivery->key_watch, path, read_now().mono_ms);
    return key_file_read(path, err);
}

static bool make_client(struct delivery *delivery, struct error *err)
{
    const struct delivery_options *options = &delivery->options;
    char *key = NULL;

    if (is_given(options->apikey))
        key = memory_copy(slice_of(options->apikey));
    else if (is_given(options->apikey_file))
        key = read_first_key(delivery, err);
    else
        return true;
    if (!key)
        return false;
    delivery->client = client_new(
        &(struct client_options){
            .apibase = is_given(options->apibase) ? options->apibase
                                                  : "https://api.mackerelio.com",
            .apikey = key,
            .ca_file = options->ca_file,
            .version = is_given(options->version) ? options->version : "0",
        },
        err);
    free(key);
    return delivery->client != NULL;
}

static void init_locks(struct delivery *delivery)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&delivery->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&delivery->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static bool is_on_disk(struct outbox *outbox)
{
    struct outbox_counts counts;

    outbox_read_counts(outbox, &counts);
    return counts.is_on_disk;
}

static struct pace_offset choose_offset(const struct delivery_options *options)
{
    struct pace_offset offset = {.after_ms = options->grace_ms};

    if (is_given(options->identity))
        offset.length_ms = pace_offset_draw(slice_of(options->identity),
                                            options->spread_ms);
    if (offset.length_ms)
        log_event(LOG_INFO, "fresh minutes are posted at this second of the next one",
                  LOG_UINT("second", (offset.after_ms + offset.length_ms) / 1000 % 60));
    return offset;
}

static bool start(struct delivery *delivery, struct error *err)
{
    struct dispatch_options options = {
        .outbox = delivery->outbox,
        .hosts = {.listed = delivery->options.hosts_listed,
                  .listed_count = delivery->options.hosts_listed_count},
        .create_services = delivery->options.create_services,
        .is_durable = is_on_disk(delivery->outbox),
        .random = draw,
    };

    if (!host_modes_read(&options.hosts, delivery->options.hosts_create,
                         delivery->options.native_metrics, err) ||
        !make_client(delivery, err))
        return false;
    if (delivery->client) {
        options.outbox_max_bytes = delivery->options.outbox_max_bytes;
        options.offset = choose_offset(&delivery->options);
    } else if (options.hosts.native == NATIVE_MODE_AUTO) {
        options.hosts.native = NATIVE_MODE_ON; /* a preview asks nobody who else writes */
    }
    delivery->dispatch = dispatch_new(&options);
    if (pthread_create(&delivery->thread, NULL, delivery->client ? run : run_preview,
                       delivery))
        return FAIL(err, ERROR_INTERNAL, "the delivery thread could not be started");
    delivery->has_thread = true;
    return true;
}

struct delivery *delivery_start(const struct delivery_options *options,
                                struct outbox *outbox, struct error *err)
{
    struct delivery *delivery = memory_new(1, sizeof(*delivery));

    delivery->options = *options;
    delivery->outbox = outbox;
    delivery->commit_log = (struct log_limit){.interval_ns = 60000000000u, .burst = 1};
    init_locks(delivery);
    if (start(delivery, err))
        return delivery;
    delivery_free(delivery);
    return NULL;
}

void delivery_wake(struct delivery *delivery)
{
    if (delivery->client)
        client_wake(delivery->client);
    pthread_cond_signal(&delivery->woken);
}

static void join(struct delivery *delivery)
{
    if (!delivery->has_thread)
        return;
    delivery_wake(delivery);
    pthread_join(delivery->thread, NULL);
    delivery->has_thread = false;
}

size_t delivery_drain(struct delivery *delivery, uint64_t timeout_ms)
{
    struct outbox_counts counts;

    pthread_mutex_lock(&delivery->lock);
    delivery->is_draining = true;
    delivery->deadline_ms = read_now().mono_ms + timeout_ms;
    dispatch_drain(delivery->dispatch);
    pthread_mutex_unlock(&delivery->lock);
    join(delivery);
    outbox_read_counts(delivery->outbox, &counts);
    return counts.values;
}

void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    pthread_mutex_lock(&delivery->lock);
    delivery->is_stopping = true;
    pthread_mutex_unlock(&delivery->lock);
    join(delivery);
    client_free(delivery->client);
    dispatch_free(delivery->dispatch);
    pthread_cond_destroy(&delivery->woken);
    pthread_mutex_destroy(&delivery->lock);
    free(delivery);
}

void delivery_read_status(struct delivery *delivery, struct delivery_status *status)
{
    pthread_mutex_lock(&delivery->lock);
    dispatch_read_status(delivery->dispatch, status, read_now());
    if (!delivery->client) {
        status->is_preview = true;
        status->last_post_ns = delivery->printed_ns;
        for (size_t i = 0; i < status->destination_count; i++)
            if (status->destinations[i].queued == 0)
                status->destinations[i].last_post_ns = delivery->printed_ns;
    }
    pthread_mutex_unlock(&delivery->lock);
}
