#include "exporter/preview.h"

#include "base/buffer.h"
#include "base/number.h"

#include <stdlib.h>
#include <time.h>

/* Values printed in one go, and the widest column that is still aligned. */
enum {
    VALUES_AT_ONCE = 10000,
    WIDEST = 64
};

/* Names come from telemetry: nothing in them may move the reader's cursor. */
static void append_printable(struct buffer *line, struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_control = (unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f;

        buffer_append(line, is_control ? (struct slice)SLICE("?")
                                       : (struct slice){text.ptr + i, 1});
    }
}

static void append_field(struct buffer *line, const char *name, struct slice value)
{
    if (value.len == 0)
        return;
    buffer_printf(line, " %s=", name);
    append_printable(line, value);
}

static void append_destination(struct buffer *line, const struct mackerel_destination *to)
{
    if (to->kind == MACKEREL_SERVICE) {
        buffer_append_text(line, "service ");
        append_printable(line, to->name);
        return;
    }
    buffer_append_text(line, "host");
    append_field(line, "id", to->host_id);
    append_field(line, "custom_identifier", to->custom_identifier);
    append_field(line, "name", to->name);
}

static int compare(const void *left, const void *right)
{
    const struct outbox_item *a = left, *b = right;
    size_t shorter = a->name.len < b->name.len ? a->name.len : b->name.len;
    int order;

    if (a->minute_s != b->minute_s)
        return a->minute_s < b->minute_s ? -1 : 1;
    order = memcmp(a->name.ptr, b->name.ptr, shorter);
    if (order)
        return order;
    return (a->name.len > b->name.len) - (a->name.len < b->name.len);
}

static int name_width(const struct outbox_batch *batch)
{
    size_t width = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].name.len > width)
            width = batch->items[i].name.len;
    return width > WIDEST ? WIDEST : (int)width;
}

static void print_item(FILE *out, const struct buffer *to, const struct outbox_item *item,
                       int width)
{
    char minute[32], number[NUMBER_TEXT_MAX];
    time_t time_s = (time_t)item->minute_s;
    struct tm utc;
    size_t len = number_format(item->value, number);

    gmtime_r(&time_s, &utc);
    strftime(minute, sizeof(minute), "%Y-%m-%dT%H:%M:%SZ", &utc);
    fprintf(out, "%s  %-24.*s  %-*.*s %.*s\n", minute, (int)to->len, to->ptr, width,
            (int)item->name.len, item->name.ptr, (int)len, number);
}

static size_t take(struct outbox *outbox, uint64_t id, struct outbox_batch *batch,
                   struct instant now)
{
    struct outbox_query query = {
        .destination = id,
        .lane = MACKEREL_BACKFILL,
        .pick = OUTBOX_ALL,
        .now_s = instant_unix_s(now),
        .max_values = VALUES_AT_ONCE,
    };
    size_t taken = outbox_take(outbox, &query, batch);

    query.lane = MACKEREL_LIVE;
    return taken + outbox_take(outbox, &query, batch);
}

static size_t print_destination(FILE *out, struct outbox *outbox,
                                const struct outbox_destination *destination,
                                struct instant now)
{
    struct outbox_batch batch = {0};
    struct buffer to = {0};
    size_t printed = take(outbox, destination->id, &batch, now);

    if (printed) {
        int width = name_width(&batch);

        append_destination(&to, &destination->destination);
        qsort(batch.items, batch.count, sizeof(batch.items[0]), compare);
        for (size_t i = 0; i < batch.count; i++)
            print_item(out, &to, &batch.items[i], width);
        fflush(out);
        outbox_settle(
            outbox, batch.items, batch.count,
            &(struct outbox_verdict){.end = OUTBOX_DELIVERED, .now_ns = now.unix_ns});
    }
    outbox_batch_release(&batch);
    buffer_release(&to);
    return printed;
}

static bool print_graphs(FILE *out, struct outbox *outbox, struct instant now)
{
    struct buffer graph = {0};
    bool has_printed = false;

    while (graph_definitions_show(outbox_graphs(outbox), now, &graph)) {
        fprintf(out, "graph definition  %.*s\n", (int)graph.len, graph.ptr);
        buffer_reset(&graph);
        has_printed = true;
    }
    if (has_printed)
        fflush(out);
    buffer_release(&graph);
    return has_printed;
}

bool preview_print_all(FILE *out, struct outbox *outbox, struct instant now)
{
    struct outbox_destination list[64];
    uint64_t after_id = 0;
    size_t listed, printed = 0;

    do {
        listed = outbox_list(outbox, after_id, list, sizeof(list) / sizeof(list[0]));
        for (size_t i = 0; i < listed; i++) {
            after_id = list[i].id;
            if (list[i].values)
                printed += print_destination(out, outbox, &list[i], now);
        }
    } while (listed);
    return print_graphs(out, outbox, now) || printed > 0;
}
