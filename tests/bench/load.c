/*
 * Sends OTLP metrics as fast as the receiver takes them and says what that cost the receiver.
 *
 *   load grpc|http HOST:PORT [--connections N] [--requests N] [--points N] [--senders N] [--warm N]
 *        [--age S] [--pid PID] [--trace FILE]
 *
 * Each connection is a thread with one request in flight; it speaks for N senders by turns, so there
 * are connections x senders x points streams. No two bodies are the same. Points are S seconds old.
 * The trace has a line for each measured request: when it began (Unix time in ms) and how long it took
 * (ms). CPU time and peak memory are those of the process PID, read from /proc, so the generator's own
 * cost does not matter. Prints one JSON
 * object; ends with 1 when a request was not answered with success.
 */
#include "base/memory.h"
#include "tests/bench/latency.h"
#include "tests/bench/load_body.h"
#include "tests/bench/load_client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_CONNECTIONS = 256
};

struct load {
    const char *address;
    bool grpc;
    unsigned connections, points, senders;
    long requests, warm, pid;
    FILE *trace; /* NULL: none */
    bool is_measuring;
    uint64_t age_ns;
    _Atomic long left, failures;
};

struct sender {
    struct load *load;
    pthread_t thread;
    struct load_client *client;
    struct load_body body;
    unsigned number;
    uint64_t sent;
    struct latency latency;
};

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- the process under load ---------------------------------------------------------------- */

/* Seconds of user and system time: fields 14 and 15 of stat, counted after the name in (). */
static double cpu_s(long pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system_time = 0;

    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);

    FILE *file = fopen(path, "r");

    if (!file)
        return 0;
    text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
    fclose(file);

    const char *rest = strrchr(text, ')');

    if (!rest || sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                        &user, &system_time) != 2)
        return 0;
    return (double)(user + system_time) / (double)sysconf(_SC_CLK_TCK);
}

static long peak_kib(long pid)
{
    char path[64], line[128];
    long peak = 0;

    snprintf(path, sizeof(path), "/proc/%ld/status", pid);

    FILE *file = fopen(path, "r");

    if (!file)
        return 0;
    while (fgets(line, sizeof(line), file))
        if (sscanf(line, "VmHWM: %ld", &peak) == 1)
            break;
    fclose(file);
    return peak;
}

/* ---- sending ------------------------------------------------------------------------------- */

static void *run(void *self)
{
    struct sender *sender = self;
    struct load *load = sender->load;

    while (atomic_fetch_sub(&load->left, 1) > 0) {
        unsigned turn = (unsigned)(sender->sent++ % load->senders);
        uint64_t took_ns;

        load_body_stamp(&sender->body, now_ns(CLOCK_REALTIME) - load->age_ns,
                        sender->sent);
        load_body_rename(&sender->body, turn * load->connections + sender->number);
        took_ns = now_ns(CLOCK_MONOTONIC);
        if (!load_client_post(sender->client, buffer_slice(&sender->body.bytes))) {
            atomic_fetch_add(&load->failures, 1);
            break;
        }
        took_ns = now_ns(CLOCK_MONOTONIC) - took_ns;
        latency_note(&sender->latency, took_ns);
        if (load->is_measuring && load->trace)
            fprintf(load->trace, "%.3f %.3f\n",
                    (double)(now_ns(CLOCK_REALTIME) - took_ns) / 1e6,
                    (double)took_ns / 1e6);
    }
    return NULL;
}

/* Sends `requests` over all connections. */
static void send_all(struct load *load, struct sender *senders, long requests)
{
    atomic_store(&load->left, requests);
    for (unsigned i = 0; i < load->connections; i++)
        pthread_create(&senders[i].thread, NULL, run, &senders[i]);
    for (unsigned i = 0; i < load->connections; i++)
        pthread_join(senders[i].thread, NULL);
}

static void collect(const struct load *load, struct sender *senders,
                    struct latency *latency)
{
    for (unsigned i = 0; i < load->connections; i++) {
        latency_merge(latency, &senders[i].latency);
        latency_reset(&senders[i].latency);
    }
    latency_sort(latency);
}

static void report(const struct load *load, double seconds, double cpu, size_t bytes,
                   const struct latency *latency)
{
    double points = (double)load->requests * load->points;

    printf("{\"protocol\": \"%s\", \"connections\": %u, \"requests\": %ld, "
           "\"points_per_request\": %u, \"bytes_per_request\": %zu, \"failures\": %ld, "
           "\"seconds\": %.3f, \"requests_per_s\": %.1f, \"points_per_s\": %.0f, "
           "\"cpu_s\": %.2f, \"cpu_s_per_million_points\": %.4f, \"peak_mib\": %.1f, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
           load->grpc ? "grpc" : "http", load->connections, load->requests, load->points,
           bytes, (long)load->failures, seconds, (double)load->requests / seconds,
           points / seconds, cpu, cpu * 1e6 / points, (double)peak_kib(load->pid) / 1024,
           latency_ms(latency, 0.5), latency_ms(latency, 0.99),
           latency_ms(latency, 0.999), latency_ms(latency, 1));
}

static bool measure(struct load *load)
{
    static struct sender senders[MAX_CONNECTIONS];
    uint64_t start_ns = now_ns(CLOCK_REALTIME);
    struct latency latency = {0};

    for (unsigned i = 0; i < load->connections; i++) {
        senders[i].load = load;
        senders[i].number = i;
        senders[i].client = load_client_new(load->address, load->grpc);
        if (!senders[i].client)
            return false;
        load_body_init(&senders[i].body, i, load->points, start_ns - load->age_ns);
    }
    send_all(load, senders, load->warm);
    for (unsigned i = 0; i < load->connections; i++)
        latency_reset(&senders[i].latency);

    double cpu_before = cpu_s(load->pid);
    uint64_t begin_ns = now_ns(CLOCK_MONOTONIC);

    load->is_measuring = true;
    send_all(load, senders, load->requests);

    double seconds = (double)(now_ns(CLOCK_MONOTONIC) - begin_ns) / 1e9;

    collect(load, senders, &latency);
    report(load, seconds, cpu_s(load->pid) - cpu_before, senders[0].body.bytes.len,
           &latency);
    latency_release(&latency);
    for (unsigned i = 0; i < load->connections; i++) {
        load_client_free(senders[i].client);
        load_body_release(&senders[i].body);
        latency_release(&senders[i].latency);
    }
    return load->failures == 0;
}

static bool read_options(struct load *load, int argc, char **argv)
{
    if (argc < 3 || (strcmp(argv[1], "grpc") != 0 && strcmp(argv[1], "http") != 0))
        return false;
    load->grpc = strcmp(argv[1], "grpc") == 0;
    load->address = argv[2];
    for (int i = 3; i + 1 < argc; i += 2) {
        long number = strtol(argv[i + 1], NULL, 10);

        if (strcmp(argv[i], "--connections") == 0)
            load->connections = (unsigned)number;
        else if (strcmp(argv[i], "--requests") == 0)
            load->requests = number;
        else if (strcmp(argv[i], "--points") == 0)
            load->points = (unsigned)number;
        else if (strcmp(argv[i], "--senders") == 0)
            load->senders = (unsigned)number;
        else if (strcmp(argv[i], "--warm") == 0)
            load->warm = number;
        else if (strcmp(argv[i], "--age") == 0)
            load->age_ns = (uint64_t)number * 1000000000u;
        else if (strcmp(argv[i], "--pid") == 0)
            load->pid = number;
        else if (strcmp(argv[i], "--trace") == 0)
            load->trace = fopen(argv[i + 1], "w");
        else
            return false;
    }
    return load->connections >= 1 && load->connections <= MAX_CONNECTIONS &&
           load->points > 0 && load->senders > 0;
}

int main(int argc, char **argv)
{
    static struct load load = {
        .connections = 4, .requests = 5000, .points = 1000, .senders = 1, .warm = 200};

    if (!read_options(&load, argc, argv)) {
        fprintf(
            stderr,
            "usage: load grpc|http HOST:PORT [--connections N] [--requests N] "
            "[--points N] [--senders N] [--warm N] [--age S] [--pid PID] [--trace FILE]\n");
        return 2;
    }

    bool is_done = measure(&load);

    if (load.trace)
        fclose(load.trace);
    return is_done ? 0 : 1;
}
