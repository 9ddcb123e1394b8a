/*
 * What a journal costs a sender: two threads append requests of 128 KiB while one reads and forgets
 * them, as the engine does with a checkpoint every 256 MiB; in memory, on disk for the process
 * (JOURNAL_PROCESS) and for the machine (JOURNAL_FSYNC). Then what it costs to read 1 GiB again.
 *
 * Usage: journal_bench [file [directory]]; the file gets the figures as a JSON object, the directory
 * (default: a new one under /var/tmp, since /tmp may be memory) is where the journals are.
 */
#include "base/clock.h"
#include "base/journal.h"
#include "base/memory.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    THREADS = 2,
    BODY_BYTES = 128 << 10,
    RECORDS = 8192, /* of each thread: 2 GiB in all */
    BODIES = 64,    /* different ones, so that they do not all stay in the cache */
    IN_FLIGHT = 128,
    CHECKPOINT_BYTES = 256 << 20,
    REPLAY_RECORDS = 8192 /* 1 GiB */
};

static const double NS_PER_S = 1e9;

struct bench {
    struct journal *journal;
    sem_t in_flight;
    atomic_uint_fast64_t refused;
    char *bodies;
};

struct result {
    const char *name;
    double seconds, append_us;
    uint64_t bytes, refused, syncs;
};

static double seconds_since(uint64_t start_ns)
{
    return (double)(clock_monotonic_ns() - start_ns) / NS_PER_S;
}

static double to_gigabytes(uint64_t bytes)
{
    return (double)bytes / 1e9;
}

static void fill(char *bytes, size_t len)
{
    uint64_t state = 88172645463325252;

    for (size_t i = 0; i + sizeof(state) <= len; i += sizeof(state)) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        memcpy(bytes + i, &state, sizeof(state));
    }
}

/* ---- appending --------------------------------------------------------------------------- */

struct appender {
    pthread_t thread;
    struct bench *bench;
    uint64_t append_ns;
};

static void note_refusal(void *self, enum error_kind kind)
{
    struct bench *bench = self;

    if (kind == ERROR_NONE)
        return;
    atomic_fetch_add(&bench->refused, 1);
    sem_post(&bench->in_flight);
}

static void *append_all(void *self)
{
    struct appender *appender = self;
    struct bench *bench = appender->bench;

    for (int i = 0; i < RECORDS; i++) {
        struct journal_record record = {
            .kind = JOURNAL_REQUEST,
            .receive_ns = (uint64_t)i,
            .body = {bench->bodies + (size_t)(i % BODIES) * BODY_BYTES, BODY_BYTES},
            .context = bench,
        };
        uint64_t start_ns;

        sem_wait(&bench->in_flight);
        start_ns = clock_monotonic_ns();
        journal_append(bench->journal, &record, note_refusal, bench);
        appender->append_ns += clock_monotonic_ns() - start_ns;
    }
    return NULL;
}

static void read_all(struct bench *bench)
{
    struct journal_record record;
    uint64_t unforgotten = 0;

    for (uint64_t seen = 0; seen + atomic_load(&bench->refused) < THREADS * RECORDS;) {
        journal_wait(bench->journal, clock_now_ns() + 10000000);
        while (journal_next(bench->journal, &record)) {
            seen++;
            unforgotten += record.body.len;
            sem_post(&bench->in_flight);
            if (unforgotten < CHECKPOINT_BYTES)
                continue;
            journal_forget(bench->journal, record.lsn);
            unforgotten = 0;
        }
    }
}

static void measure(struct bench *bench, struct result *result)
{
    struct appender appenders[THREADS];
    struct journal_stats stats;
    uint64_t start_ns = clock_monotonic_ns(), append_ns = 0;

    sem_init(&bench->in_flight, 0, IN_FLIGHT);
    atomic_store(&bench->refused, 0);
    for (int i = 0; i < THREADS; i++) {
        appenders[i] = (struct appender){.bench = bench};
        if (pthread_create(&appenders[i].thread, NULL, append_all, &appenders[i]) != 0)
            abort();
    }
    read_all(bench);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(appenders[i].thread, NULL);
        append_ns += appenders[i].append_ns;
    }
    result->seconds = seconds_since(start_ns);
    result->append_us = (double)append_ns / (double)(THREADS * RECORDS) / 1e3;
    journal_read_stats(bench->journal, &stats);
    result->bytes = stats.appended_bytes;
    result->refused = atomic_load(&bench->refused);
    result->syncs = stats.syncs;
    sem_destroy(&bench->in_flight);
}

static struct journal *open_journal(const struct disk *disk,
                                    enum journal_durability durability)
{
    struct error err = {0};
    struct journal *journal = journal_open(
        &(struct journal_options){
            .disk = disk, .durability = durability, .max_bytes = UINT64_C(5) << 28},
        &err);

    if (!journal) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    return journal;
}

static void remove_name(void *self, const char *name)
{
    const struct disk *disk = self;

    disk->remove(disk->self, name, NULL);
}

static void close_journal(struct journal *journal, struct disk *disk)
{
    journal_free(journal);
    disk->list(disk->self, remove_name, disk, NULL);
}

/* ---- reading again ----------------------------------------------------------------------- */

static double measure_replay(struct disk *disk, const char *bodies, uint64_t *bytes)
{
    struct journal *journal = open_journal(disk, JOURNAL_PROCESS);
    struct journal_record record;
    uint64_t start_ns;
    double seconds;

    for (int i = 0; i < REPLAY_RECORDS; i++) {
        record = (struct journal_record){
            .kind = JOURNAL_REQUEST,
            .body = {bodies + (size_t)(i % BODIES) * BODY_BYTES, BODY_BYTES},
            .context = &record,
        };
        journal_append(journal, &record, NULL, NULL);
    }
    journal_free(journal);
    start_ns = clock_monotonic_ns();
    journal = open_journal(disk, JOURNAL_PROCESS);
    *bytes = 0;
    while (journal_next(journal, &record))
        *bytes += record.body.len;
    seconds = seconds_since(start_ns);
    close_journal(journal, disk);
    return seconds;
}

/* ---- the report -------------------------------------------------------------------------- */

enum {
    STORES = 3
};

static void print_results(const struct result results[static STORES], double replay_s,
                          uint64_t replayed)
{
    printf("2 threads, %d requests of %d bytes each\n", RECORDS, BODY_BYTES);
    for (int i = 0; i < STORES; i++)
        printf("%-10s %8.2f GB/s %8.1f us an append %6llu refused %8llu syncs\n",
               results[i].name, to_gigabytes(results[i].bytes) / results[i].seconds,
               results[i].append_us, (unsigned long long)results[i].refused,
               (unsigned long long)results[i].syncs);
    printf("%-10s %8.2f GB/s, %.2f s for %.2f GB\n", "replay",
           to_gigabytes(replayed) / replay_s, replay_s, to_gigabytes(replayed));
}

static void write_json(const char *path, const struct result results[static STORES],
                       double replay_s, uint64_t replayed)
{
    FILE *file = fopen(path, "w");

    if (!file) {
        perror(path);
        exit(1);
    }
    fprintf(file, "{\"journal\":{");
    for (int i = 0; i < STORES; i++)
        fprintf(file, "\"%s_gb_s\":%.3f,\"%s_append_us\":%.2f,", results[i].name,
                to_gigabytes(results[i].bytes) / results[i].seconds, results[i].name,
                results[i].append_us);
    fprintf(file, "\"replay_gb_s\":%.3f}}\n", to_gigabytes(replayed) / replay_s);
    fclose(file);
}

int main(int argc, char **argv)
{
    char scratch[] = "/var/tmp/journal-bench-XXXXXX";
    const char *path = argc > 2 ? argv[2] : mkdtemp(scratch);
    struct disk *disk = path ? disk_open_directory(path, NULL) : NULL;
    struct bench bench = {.bodies = memory_new(BODIES, BODY_BYTES)};
    struct result results[STORES] = {
        {.name = "memory"}, {.name = "process"}, {.name = "fsync"}};
    uint64_t replayed;

    if (!disk)
        return 1;
    fill(bench.bodies, (size_t)BODIES * BODY_BYTES);
    bench.journal = journal_new_memory();
    measure(&bench, &results[0]);
    journal_free(bench.journal);
    bench.journal = open_journal(disk, JOURNAL_PROCESS);
    measure(&bench, &results[1]);
    close_journal(bench.journal, disk);
    bench.journal = open_journal(disk, JOURNAL_FSYNC);
    measure(&bench, &results[2]);
    close_journal(bench.journal, disk);

    double replay_s = measure_replay(disk, bench.bodies, &replayed);

    print_results(results, replay_s, replayed);
    if (argc > 1)
        write_json(argv[1], results, replay_s, replayed);
    disk_free_directory(disk);
    if (argc <= 2)
        rmdir(path);
    free(bench.bodies);
    return 0;
}
