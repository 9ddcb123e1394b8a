#include "tests/driver/feed.h"

#include "base/memory.h"
#include "base/number.h"
#include "pipeline/checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t NS_PER_S = 1000000000;

void feed_fail(const char *what, const char *detail)
{
    fprintf(stderr, "driver: %s: %s\n", what, detail);
    exit(1);
}

void feed_begin(struct feed *feed, const struct pipeline_options *options)
{
    feed->pipeline = pipeline_new(options);
    feed->batch = otlp_batch_new();
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

/* Ticks at each time at which the pipeline says that something is due; what a request made due in
 * its past is due when it came. */
static void tick_until(struct feed *feed, uint64_t until_ns)
{
    uint64_t due_ns;

    while ((due_ns = pipeline_next_due(feed->pipeline)) <= until_ns) {
        if (due_ns > feed->now_ns)
            feed->now_ns = due_ns;
        pipeline_tick(feed->pipeline, feed->now_ns, print_rows, &feed->now_ns);
    }
    feed->now_ns = until_ns;
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

static void reload(struct feed *feed)
{
    struct buffer bytes = {0};
    struct error err;

    if (!pipeline_save(feed->pipeline, append, &bytes))
        feed_fail("save", "the bytes were not taken");

    struct slice rest = buffer_slice(&bytes);

    pipeline_free(feed->pipeline);
    feed->pipeline = pipeline_load(cut, &rest, &err);
    if (!feed->pipeline)
        feed_fail("load", err.text);
    buffer_release(&bytes);
}

void feed_request(struct feed *feed, struct slice body, uint64_t receive_ns)
{
    struct otlp_limits limits = {OTLP_MAX_DEPTH};
    struct error err;

    tick_until(feed, receive_ns);
    if (feed->reload_every && ++feed->requests % feed->reload_every == 0)
        reload(feed);
    if (!otlp_decode(feed->batch, body, feed->seed, &limits, &err))
        feed_fail("decode", err.text);
    pipeline_apply(feed->pipeline, feed->batch, receive_ns);
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

void feed_end(struct feed *feed)
{
    tick_until(feed, feed->now_ns + 3600 * NS_PER_S);
    print_summary(feed->pipeline);
    otlp_batch_free(feed->batch);
    pipeline_free(feed->pipeline);
}
