/*
 * How long a start takes that finds 1 GiB of journal and no checkpoint: requests of an ordinary service
 * are appended as the engine appends them, then the real recovery reads, decodes and applies them.
 *
 *   recovery_bench [FILE [DIRECTORY]]
 *
 * The file gets the figures as a JSON object; the state is made in a new directory under DIRECTORY
 * (default /var/tmp, since /tmp may be memory) and removed again.
 */
#include "app/recovery.h"
#include "app/state.h"
#include "base/clock.h"
#include "tests/bench/load_body.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    POINTS = 1000,
    SENDERS = 100,
    PERIOD_S = 10
};

static const uint64_t JOURNAL_BYTES = UINT64_C(1) << 30, NS_PER_S = 1000000000;
static const struct pipeline_options OPTIONS = {.grace_ns = UINT64_C(15000000000),
                                                .lateness_ns = UINT64_C(300000000000)};

static NO_RETURN void fail(const struct error *err)
{
    fprintf(stderr, "recovery_bench: %s\n", err->text);
    exit(1);
}

static void note_failure(void *self, enum error_kind kind)
{
    *(bool *)self |= kind != ERROR_NONE;
}

static void append(struct journal *journal, const struct journal_record *record)
{
    bool has_failed = false;

    journal_append(journal, record, note_failure, &has_failed);
    if (has_failed)
        fail(&(struct error){.text = "the journal refused a record"});
}

/* What a hundred senders export every 10 s, with a tick a second. */
static void fill(struct journal *journal, uint64_t start_ns)
{
    struct buffer config = {0};
    struct load_body body = {0};
    uint64_t bytes = 0;

    fold_write_config(&OPTIONS, &config);
    append(journal, &(struct journal_record){.kind = JOURNAL_CONFIG,
                                             .receive_ns = start_ns,
                                             .body = buffer_slice(&config)});
    load_body_init(&body, 0, POINTS, start_ns);
    for (uint64_t i = 0; bytes < JOURNAL_BYTES; i++) {
        uint64_t now_ns = start_ns + i * PERIOD_S * NS_PER_S / SENDERS;

        load_body_stamp(&body, now_ns, i);
        load_body_rename(&body, (unsigned)(i % SENDERS));
        append(journal, &(struct journal_record){.kind = JOURNAL_REQUEST,
                                                 .receive_ns = now_ns,
                                                 .body = buffer_slice(&body.bytes)});
        if (i % (SENDERS / PERIOD_S) == 0)
            append(journal,
                   &(struct journal_record){.kind = JOURNAL_TICK, .receive_ns = now_ns});
        bytes += body.bytes.len;
    }
    load_body_release(&body);
    buffer_release(&config);
}

static void write_journal(const struct state *state, uint64_t start_ns)
{
    struct error err = {0};
    struct journal *journal = journal_open(
        &(struct journal_options){
            .disk = state_disk(state),
            .durability = JOURNAL_PROCESS,
            .max_bytes = 2 * JOURNAL_BYTES,
        },
        &err);

    if (!journal)
        fail(&err);
    fill(journal, start_ns);
    journal_free(journal);
}

static void take(void *self, const struct mackerel_row *rows, size_t count,
                 uint64_t tick_lsn)
{
    uint64_t *values = self;

    (void)tick_lsn;
    for (size_t i = 0; i < count; i++)
        *values += rows[i].count;
}

static void ignore(void *self, const struct fold *fold)
{
    (void)self;
    (void)fold;
}

static void recover(struct state *state, FILE *figures)
{
    struct error err = {0};
    uint64_t values = 0;
    struct recovery recovery;

    if (!recovery_run(
            &(struct recovery_options){
                .disk = state_disk(state),
                .fold = {.put = take, .self = &values},
                .durability = JOURNAL_PROCESS,
                .journal_max_bytes = 2 * JOURNAL_BYTES,
                .progress = ignore,
            },
            &recovery, &err))
        fail(&err);

    double seconds = (double)recovery.report.duration_ns / 1e9;

    printf("recovery: %" PRIu64 " records, %.2f GiB, %" PRIu64 " values in %.2f s\n",
           recovery.report.records, (double)recovery.report.bytes / (double)JOURNAL_BYTES,
           values, seconds);
    if (figures)
        fprintf(figures,
                "{\"recovery\": {\"records\": %" PRIu64 ", \"bytes\": %" PRIu64
                ", \"seconds\": %.3f}}\n",
                recovery.report.records, recovery.report.bytes, seconds);
    journal_free(recovery.journal);
    fold_free(recovery.fold);
}

static void remove_directory(const char *path)
{
    DIR *directory = opendir(path);
    const struct dirent *entry;

    while (directory && (entry = readdir(directory)))
        unlinkat(dirfd(directory), entry->d_name, 0);
    if (directory)
        closedir(directory);
    rmdir(path);
}

int main(int argc, char **argv)
{
    char path[256];
    struct error err = {0};
    FILE *figures = argc > 1 ? fopen(argv[1], "w") : NULL;
    /* The senders' past: a start comes after what it recovers. */
    uint64_t start_ns = clock_now_ns() - 2 * 3600 * NS_PER_S;
    struct state *state;

    snprintf(path, sizeof(path), "%s/recovery-XXXXXX", argc > 2 ? argv[2] : "/var/tmp");
    if (!mkdtemp(path))
        fail(&(struct error){.text = "no directory"});
    state = state_open(&(struct state_options){.directory = path}, &err);
    if (!state)
        fail(&err);
    write_journal(state, start_ns);
    recover(state, figures);
    state_free(state);
    remove_directory(path);
    if (figures)
        fclose(figures);
    return 0;
}
