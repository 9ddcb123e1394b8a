/*
 * The receiver with an intake that keeps nothing: it counts, and answers as it is told. The tests
 * in test_receiver.py start it and speak to it through its ports and, for control, through stdin:
 *
 *   answer KIND    answer requests from now on with this error kind ("none" is OK)
 *   hold           keep requests unanswered; release answers them
 *   refuse         no longer accepting; accept takes that back
 *   stats          print one line of JSON
 *   drain MS       drain for at most so long, print "drained" or "deadline", then end
 *
 * Options: --workers N --budget BYTES --max-bytes BYTES --idle-ms N --request-ms N
 *          --max-connections N --inline (answer inside submit instead of from another thread)
 */
#include "base/memory.h"
#include "receiver/server.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sink {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct intake_request *first, *last;
    enum error_kind kind;
    bool hold, stop, answer_inline;
    _Atomic bool accepting;
    _Atomic size_t in_flight, peak;
    _Atomic uint64_t submitted, requests, points;
    size_t budget;
};

static bool reserve(void *self, size_t bytes)
{
    struct sink *sink = self;
    size_t before = atomic_fetch_add(&sink->in_flight, bytes);

    if (before + bytes > sink->budget) {
        atomic_fetch_sub(&sink->in_flight, bytes);
        return false;
    }

    size_t peak = atomic_load(&sink->peak);

    while (before + bytes > peak &&
           !atomic_compare_exchange_weak(&sink->peak, &peak, before + bytes)) {
    }
    return true;
}

static void unreserve(void *self, size_t bytes)
{
    struct sink *sink = self;
    size_t before = atomic_fetch_sub(&sink->in_flight, bytes);

    assert(before >= bytes);
    (void)before;
}

static bool accepting(void *self)
{
    return atomic_load(&((struct sink *)self)->accepting);
}

static void settle_request(struct sink *sink, struct intake_request *request,
                           enum error_kind kind)
{
    if (kind == ERROR_NONE) {
        atomic_fetch_add(&sink->requests, 1);
        atomic_fetch_add(&sink->points, request->batch->point_count);
    }
    request->answer(request->answer_self, kind);
    unreserve(sink, request->reserved);
    intake_request_free(request);
}

static void submit(void *self, struct intake_request *request)
{
    struct sink *sink = self;

    atomic_fetch_add(&sink->submitted, 1);
    if (sink->answer_inline) {
        settle_request(sink, request, ERROR_NONE);
        return;
    }
    request->next = NULL;
    pthread_mutex_lock(&sink->lock);
    if (sink->first)
        sink->last->next = request;
    else
        sink->first = request;
    sink->last = request;
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
}

static void *run(void *self)
{
    struct sink *sink = self;

    pthread_mutex_lock(&sink->lock);
    for (;;) {
        while ((!sink->first || sink->hold) && !sink->stop)
            pthread_cond_wait(&sink->changed, &sink->lock);
        if (!sink->first)
            break;

        struct intake_request *request = sink->first;
        enum error_kind kind = sink->kind;

        sink->first = request->next;
        pthread_mutex_unlock(&sink->lock);
        settle_request(sink, request, kind);
        pthread_mutex_lock(&sink->lock);
    }
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

/* ---- control ------------------------------------------------------------------------------- */

static enum error_kind kind_of(const char *name)
{
    for (int kind = ERROR_NONE; kind <= ERROR_INTERNAL; kind++)
        if (strcmp(error_name((enum error_kind)kind), name) == 0)
            return (enum error_kind)kind;
    return ERROR_INTERNAL;
}

static void print_requests(const struct receiver_stats *stats,
                           enum receiver_transport transport)
{
    for (int kind = 0; kind < RECEIVER_OUTCOMES; kind++)
        printf("%s\"%s\": %llu", kind ? ", " : "", error_name((enum error_kind)kind),
               (unsigned long long)stats->requests[transport][kind]);
}

static void print_stats(const struct sink *sink, const struct receiver *receiver)
{
    struct receiver_stats s;

    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"submitted_requests", sink->submitted},
        {"taken_requests", sink->requests},
        {"taken_points", sink->points},
        {"in_flight", sink->in_flight},
        {"peak", sink->peak},
        {"connections_open", 0},
        {"connections_total", 0},
        {"connections_refused", 0},
        {"partial_successes", 0},
        {"cancelled", 0},
        {"protocol_errors", 0},
        {"timeouts", 0},
        {"tls_hellos", 0},
        {"other_signals", 0},
    };

    receiver_read_stats(receiver, &s);

    const uint64_t counters[] = {
        s.connections_open,  s.connections_total, s.connections_refused,
        s.partial_successes, s.cancelled,         s.protocol_errors,
        s.timeouts,          s.tls_hellos,        s.other_signals};
    const size_t own = 5;

    printf("{");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        printf("\"%s\": %llu, ", numbers[i].name,
               (unsigned long long)(i < own ? numbers[i].value : counters[i - own]));
    printf("\"grpc\": {");
    print_requests(&s, RECEIVER_GRPC);
    printf("}, \"http\": {");
    print_requests(&s, RECEIVER_HTTP);
    printf("}}\n");
}

static void change(struct sink *sink, const char *verb, const char *argument)
{
    pthread_mutex_lock(&sink->lock);
    if (strcmp(verb, "answer") == 0)
        sink->kind = kind_of(argument);
    else if (strcmp(verb, "hold") == 0 || strcmp(verb, "release") == 0)
        sink->hold = *verb == 'h';
    else if (strcmp(verb, "refuse") == 0 || strcmp(verb, "accept") == 0)
        atomic_store(&sink->accepting, *verb == 'a');
    pthread_cond_signal(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
}

/* Runs commands until the end of stdin or a drain. */
static void control(struct sink *sink, struct receiver *receiver)
{
    char line[128], verb[32], argument[32];

    while (fgets(line, sizeof(line), stdin)) {
        argument[0] = '\0';
        if (sscanf(line, "%31s %31s", verb, argument) < 1)
            continue;
        if (strcmp(verb, "drain") == 0) {
            bool clean = receiver_drain(receiver, (unsigned)strtoul(argument, NULL, 10));

            puts(clean ? "drained" : "deadline");
            print_stats(sink, receiver);
            return;
        }
        if (strcmp(verb, "stats") == 0)
            print_stats(sink, receiver);
        else {
            change(sink, verb, argument);
            puts("ok");
        }
        fflush(stdout);
    }
}

/* ---- start --------------------------------------------------------------------------------- */

static void read_option(struct receiver_options *options, struct sink *sink,
                        const char *name, const char *value)
{
    size_t number = strtoull(value, NULL, 10);

    if (strcmp(name, "--workers") == 0)
        options->workers = (unsigned)number;
    else if (strcmp(name, "--budget") == 0)
        sink->budget = number;
    else if (strcmp(name, "--max-bytes") == 0)
        options->max_grpc_message_bytes = options->max_http_body_bytes = number;
    else if (strcmp(name, "--idle-ms") == 0)
        options->idle_timeout_ms = (unsigned)number;
    else if (strcmp(name, "--request-ms") == 0)
        options->request_timeout_ms = (unsigned)number;
    else if (strcmp(name, "--max-connections") == 0)
        options->max_connections = (unsigned)number;
}

static void read_options(int argc, char **argv, struct receiver_options *options,
                         struct sink *sink)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--inline") == 0)
            sink->answer_inline = true;
        else if (i + 1 < argc) {
            read_option(options, sink, argv[i], argv[i + 1]);
            i++;
        }
    }
}

static struct receiver *start(const struct receiver_options *options, struct sink *sink)
{
    struct error err;
    char grpc[RECEIVER_ADDRESS_MAX], http[RECEIVER_ADDRESS_MAX];
    struct intake intake = {sink, reserve, unreserve, submit, accepting, 0x5eed};
    struct receiver *receiver = receiver_start(options, &intake, &err);

    if (!receiver) {
        fprintf(stderr, "%s\n", err.text);
        return NULL;
    }
    receiver_address(receiver, RECEIVER_GRPC_PORT, grpc);
    receiver_address(receiver, RECEIVER_HTTP_PORT, http);
    printf("ready grpc=%s http=%s\n", grpc, http);
    fflush(stdout);
    return receiver;
}

int main(int argc, char **argv)
{
    struct sink sink = {.budget = 256 << 20, .accepting = true};
    struct receiver_options options = {
        .grpc_endpoint = "127.0.0.1:0",
        .http_endpoint = "127.0.0.1:0",
        .workers = 2,
    };
    pthread_t thread;

    pthread_mutex_init(&sink.lock, NULL);
    pthread_cond_init(&sink.changed, NULL);
    read_options(argc, argv, &options, &sink);

    struct receiver *receiver = start(&options, &sink);

    if (!receiver)
        return 1;
    pthread_create(&thread, NULL, run, &sink);
    control(&sink, receiver);
    receiver_free(receiver);

    pthread_mutex_lock(&sink.lock);
    sink.stop = true;
    pthread_cond_signal(&sink.changed);
    pthread_mutex_unlock(&sink.lock);
    pthread_join(thread, NULL);
    if (sink.in_flight != 0) {
        fprintf(stderr, "%zu bytes of the budget were not given back\n",
                (size_t)sink.in_flight);
        return 1;
    }
    return 0;
}
