/*
 * Feeds recorded OTLP to the pipeline at the recorded receive times, with ticks between, so that
 * minutes pass in microseconds.
 *
 *   replay [--watch-start NS] [--grace NS] [--service NAME] [--seed N] [--reload N]
 *          [--containers MODE] < index
 *
 * With --reload the pipeline is saved and loaded again before every N-th request.
 *
 * Each line of the index is `receive_ns path coding` with coding `identity` or `gzip`; times rise.
 * Prints one JSON object per posted value, `posted` the time of the tick, and at the end one with the
 * ledger and the counts.
 */
#include "base/memory.h"
#include "base/number.h"
#include "pipeline/checkpoint.h"
#include "pipeline/container_table.h"
#include "pipeline/pipeline.h"
#include "proto/gzip.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t NS_PER_S = 1000000000, MAX_INFLATED = 64u << 20;

struct replay {
    struct pipeline *pipeline;
    struct otlp_batch *batch;
    uint64_t seed;
    uint64_t reload_every, requests; /* 0: never */
};

static NO_RETURN void fail(const char *what, const char *detail)
{
    fprintf(stderr, "replay: %s: %s\n", what, detail);
    exit(1);
}

static void print_value(const struct mackerel_row *row,
                        const struct mackerel_value *value, uint64_t posted_ns)
{
    static const char *const kinds[] = {"host", "service"}, *const lanes[] = {"live",
                                                                              "backfill"};
    const struct mackerel_destination *to = &row->destination;
    struct buffer line = {0};
    char number[NUMBER_TEXT_MAX];
    size_t len = number_format(value->value, number);

    buffer_printf(&line, "{\"kind\":\"%s\",\"lane\":\"%s\",\"name\":", kinds[to->kind],
                  lanes[row->lane]);
    mackerel_write_string(&line, to->name);
    buffer_append_text(&line, ",\"host_id\":");
    mackerel_write_string(&line, to->host_id);
    buffer_append_text(&line, ",\"custom_identifier\":");
    mackerel_write_string(&line, to->custom_identifier);
    buffer_printf(
        &line, ",\"minute\":%" PRIu64 ",\"posted\":%" PRIu64 ",\"native\":%s,\"metric\":",
        row->minute_s, posted_ns, value->native ? "true" : "false");
    mackerel_write_string(&line, value->name);
    buffer_printf(&line, ",\"value\":%.*s}\n", (int)len, number);
    fwrite(line.ptr, 1, line.len, stdout);
    buffer_release(&line);
}

static void print_rows(void *self, const struct mackerel_row *rows, size_t count)
{
    const uint64_t *posted_ns = self;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < rows[i].count; j++)
            print_value(&rows[i], &rows[i].values[j], *posted_ns);
}

static struct buffer read_file(const char *path)
{
    struct buffer body = {0};
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file)
        fail(path, strerror(errno));
    while ((got = fread(buffer_reserve(&body, 65536), 1, 65536, file)) > 0)
        body.len += got;
    fclose(file);
    return body;
}

/* Ticks at each time at which the pipeline says that something is due. */
static void tick_until(struct replay *replay, uint64_t until_ns)
{
    uint64_t due_ns;

    while ((due_ns = pipeline_next_due(replay->pipeline)) <= until_ns)
        pipeline_tick(replay->pipeline, due_ns, print_rows, &due_ns);
}

static bool append(void *self, struct slice bytes)
{
    buffer_append(self, bytes);
    return true;
}

static bool cut(void *self, char *to, size_t len)
{
    struct slice *rest = self;

    if (rest->len < len)
        return false;
    memcpy(to, rest->ptr, len);
    *rest = (struct slice){rest->ptr + len, rest->len - len};
    return true;
}

static void reload(struct replay *replay)
{
    struct buffer bytes = {0};
    struct error err;

    if (!pipeline_save(replay->pipeline, append, &bytes))
        fail("save", "the bytes were not taken");

    struct slice rest = buffer_slice(&bytes);

    pipeline_free(replay->pipeline);
    replay->pipeline = pipeline_load(cut, &rest, &err);
    if (!replay->pipeline)
        fail("load", err.text);
    buffer_release(&bytes);
}

static void apply_file(struct replay *replay, uint64_t receive_ns, const char *path,
                       bool is_gzip)
{
    struct buffer body = read_file(path);
    struct error err;
    struct slice bytes = buffer_slice(&body);
    struct otlp_limits limits = {OTLP_MAX_DEPTH};
    char *inflated = NULL;

    if (is_gzip) {
        if (!gzip_inflate(bytes, MAX_INFLATED, &inflated, &bytes.len, &err))
            fail(path, err.text);
        bytes.ptr = inflated;
    }
    tick_until(replay, receive_ns);
    if (replay->reload_every && ++replay->requests % replay->reload_every == 0)
        reload(replay);
    if (!otlp_decode(replay->batch, bytes, replay->seed, &limits, &err))
        fail(path, err.text);
    pipeline_apply(replay->pipeline, replay->batch, receive_ns);
    buffer_release(&body);
    free(inflated);
}

static void print_summary(const struct pipeline *pipeline)
{
    const struct point_ledger *ledger = pipeline_ledger(pipeline);
    struct pipeline_counts counts;

    pipeline_read_counts(pipeline, &counts);
    printf("{\"ledger\":{\"received\":%" PRIu64 ",\"merged\":%" PRIu64
           ",\"pending\":%" PRIu64 ",\"balances\":%s,\"reasons\":{",
           ledger->received, ledger->merged, ledger->pending,
           point_ledger_balances(ledger) ? "true" : "false");

    const char *comma = "";

    for (int reason = 0; reason <= REASON_LAST; reason++) {
        if (ledger->reasons[reason].count == 0)
            continue;
        printf("%s\"%s\":%" PRIu64, comma, reason_name((enum reason)reason),
               ledger->reasons[reason].count);
        comma = ",";
    }
    printf(
        "}},\"counts\":{\"streams\":%zu,\"cells\":%zu,\"open_minutes\":%zu,\"layout_mix\":"
        "%" PRIu64 "}}\n",
        counts.streams, counts.cells, counts.open_minutes, counts.layout_mix);
}

static void run(struct replay *replay)
{
    char path[4096], coding[16];
    uint64_t receive_ns, last_ns = 0;

    while (scanf("%" SCNu64 " %4095s %15s", &receive_ns, path, coding) == 3) {
        apply_file(replay, receive_ns, path, strcmp(coding, "gzip") == 0);
        last_ns = receive_ns;
    }
    tick_until(replay, last_ns + 3600 * NS_PER_S);
    print_summary(replay->pipeline);
}

int main(int argc, char **argv)
{
    struct pipeline_options options = {.grace_ns = 15 * NS_PER_S,
                                       .lateness_ns = 300 * NS_PER_S};
    struct replay replay = {.seed = 1};

    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--watch-start") == 0)
            options.watch_start_ns = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--grace") == 0)
            options.grace_ns = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--service") == 0)
            options.default_service = argv[i + 1];
        else if (strcmp(argv[i], "--containers") == 0)
            options.container_mode = (uint8_t)container_mode_of(slice_of(argv[i + 1]));
        else if (strcmp(argv[i], "--seed") == 0)
            replay.seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--reload") == 0)
            replay.reload_every = strtoull(argv[i + 1], NULL, 10);
        else
            fail("unknown option", argv[i]);
    }
    replay.pipeline = pipeline_new(&options);
    replay.batch = otlp_batch_new();
    run(&replay);
    otlp_batch_free(replay.batch);
    pipeline_free(replay.pipeline);
    return 0;
}
