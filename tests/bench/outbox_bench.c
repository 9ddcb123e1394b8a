/*
 * What the outbox on disk costs: a day of one host with 2,000 metrics that cannot be posted, the
 * start afterwards, and the way back; then minutes that are posted as they come. Prints times, bytes
 * and commits; with a path as argument also a JSON object there. The database goes to $TMPDIR or
 * /tmp, whose disk decides half of the figures.
 */
#include "base/buffer.h"
#include "base/log.h"
#include "exporter/outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    NAMES = 2000,
    DAY_MINUTES = 1440,
    LIVE_MINUTES = 60,
    BATCH = 100, /* values in a post of host metrics */
    MINUTE_S = 1795518000,
};

static struct mackerel_value values[NAMES];
static char names[NAMES][64];
static struct buffer json;

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void say(const char *name, const char *unit, double value)
{
    printf("%-44s %12.3f %s\n", name, value, unit);
    buffer_printf(&json, "%s\"%s\": %.6g", json.len ? ", " : "{", name, value);
}

/* A number in kB from /proc/self/status, as MB. */
static double memory_mb(const char *key)
{
    FILE *file = fopen("/proc/self/status", "r");
    char line[256];
    double kb = 0;

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0)
            kb = strtod(line + strlen(key), NULL);
    if (file)
        fclose(file);
    return kb / 1024;
}

static double file_mb(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (double)status.st_size / 1048576 : 0;
}

static void commit(struct outbox *outbox)
{
    struct error err;

    if (outbox_commit(outbox, &err))
        return;
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

static struct outbox *open_outbox(const char *path)
{
    struct error err;
    struct outbox *outbox = outbox_open(&(struct outbox_options){.path = path}, &err);

    if (outbox)
        return outbox;
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

static void put_minute(struct outbox *outbox, uint64_t minute)
{
    const struct mackerel_row row = {
        .destination = {.kind = MACKEREL_HOST, .name = SLICE("web-1")},
        .minute_s = MINUTE_S + 60 * minute,
        .values = values,
        .count = NAMES,
    };

    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof(names[i]),
                 "custom.http.server.request.duration.%04d.p95", i);
        values[i].name = slice_of(names[i]);
        values[i].value = (double)i * (double)minute * 0.37;
    }
    outbox_put(outbox, &row, 1, minute + 1);
    commit(outbox);
}

/* Posts all that is due in the way of the delivery: commit, take, commit, settle. */
static uint64_t post_all(struct outbox *outbox, enum mackerel_lane lane, uint64_t at_s,
                         size_t batch_values)
{
    const struct outbox_query query = {.destination = 1,
                                       .lane = lane,
                                       .pick = OUTBOX_ALL,
                                       .now_s = at_s,
                                       .max_values = batch_values};
    const struct outbox_verdict delivered = {.end = OUTBOX_DELIVERED,
                                             .now_ns = at_s * UINT64_C(1000000000)};
    struct outbox_batch batch = {0};
    uint64_t posted = 0;

    for (;;) {
        commit(outbox);
        if (outbox_take(outbox, &query, &batch) == 0)
            return posted;
        commit(outbox);
        outbox_settle(outbox, batch.items, batch.count, &delivered);
        posted += batch.count;
        outbox_batch_release(&batch);
    }
}

static uint64_t commits_of(struct outbox *outbox)
{
    struct outbox_counts counts;

    outbox_read_counts(outbox, &counts);
    return counts.commits;
}

static void measure_outage(const char *path)
{
    double begin_s = now_s();
    struct outbox *outbox = open_outbox(path);

    for (uint64_t minute = 0; minute < DAY_MINUTES; minute++)
        put_minute(outbox, minute);
    say("outbox_put_minute_ms", "ms", (now_s() - begin_s) * 1000 / DAY_MINUTES);
    say("outbox_day_file_mb", "MB", file_mb(path));
    say("outbox_day_memory_mb", "MB", memory_mb("VmHWM:"));
    begin_s = now_s();
    outbox_free(outbox);
    say("outbox_close_ms", "ms", (now_s() - begin_s) * 1000);
}

static void measure_return(const char *path)
{
    double begin_s = now_s(), spent_s;
    struct outbox *outbox = open_outbox(path);
    uint64_t posted;

    say("outbox_day_open_ms", "ms", (now_s() - begin_s) * 1000);
    begin_s = now_s();
    posted = post_all(outbox, MACKEREL_BACKFILL, MINUTE_S + 2 * 86400, 10 * BATCH);
    spent_s = now_s() - begin_s;
    say("outbox_backlog_values_per_s", "1/s", (double)posted / spent_s);
    say("outbox_commits_per_s", "1/s", (double)commits_of(outbox) / spent_s);
    say("outbox_memory_mb", "MB", memory_mb("VmHWM:"));
    outbox_free(outbox);
}

static void measure_live(const char *path)
{
    struct outbox *outbox = open_outbox(path);
    double begin_s = now_s();
    uint64_t commits = commits_of(outbox);

    for (uint64_t minute = 2 * DAY_MINUTES; minute < 2 * DAY_MINUTES + LIVE_MINUTES;
         minute++) {
        put_minute(outbox, minute);
        post_all(outbox, MACKEREL_LIVE, MINUTE_S + 60 * minute + 80, BATCH);
    }
    say("outbox_live_minute_ms", "ms", (now_s() - begin_s) * 1000 / LIVE_MINUTES);
    say("outbox_live_minute_commits", "",
        (double)(commits_of(outbox) - commits) / LIVE_MINUTES);
    outbox_free(outbox);
}

int main(int argc, char **argv)
{
    const char *parent = getenv("TMPDIR");
    char directory[128], path[160];
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;

    snprintf(directory, sizeof(directory), "%.80s/outbox-bench-XXXXXX",
             parent ? parent : "/tmp");
    if (!mkdtemp(directory)) {
        perror(directory);
        return 1;
    }
    snprintf(path, sizeof(path), "%s/outbox.db", directory);
    measure_outage(path);
    measure_return(path);
    measure_live(path);
    unlink(path);
    rmdir(directory);
    buffer_append_text(&json, "}\n");
    if (out) {
        fwrite(json.ptr, 1, json.len, out);
        fclose(out);
    }
    buffer_release(&json);
    return 0;
}
