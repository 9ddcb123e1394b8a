#include "exporter/outbox.h"

#include "base/memory.h"
#include "exporter/outbox_row.h"
#include "exporter/shelf.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* Names of one take, copied in one piece. */
struct outbox_names {
    struct outbox_names *next;
    char text[];
};

struct outbox {
    pthread_mutex_t lock;
    struct outbox_options options;
    struct shelf_table table;
    uint64_t last_lsn;
    size_t rows, bytes;
    struct value_ledger ledger;
};

struct outbox *outbox_new(const struct outbox_options *options)
{
    struct outbox *outbox = memory_new(1, sizeof(*outbox));

    outbox->options = *options;
    pthread_mutex_init(&outbox->lock, NULL);
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    shelf_table_release(&outbox->table);
    pthread_mutex_destroy(&outbox->lock);
    free(outbox);
}

static void account(struct outbox *outbox, struct shelf *shelf, size_t more, size_t less)
{
    shelf->bytes = shelf->bytes + more - less;
    outbox->bytes = outbox->bytes + more - less;
}

static size_t row_values(const struct outbox_row *row)
{
    return row->queued + row->flights;
}

/* Removes the row at `at` if it is over. */
static void remove_if_over(struct outbox *outbox, struct shelf *shelf, size_t at)
{
    struct outbox_row *row = shelf->rows[at];

    if (!outbox_row_is_over(row))
        return;
    account(outbox, shelf, 0, outbox_row_bytes(row));
    shelf_remove_row(shelf, at);
    outbox->rows--;
}

/* ---- put --------------------------------------------------------------------------------- */

static void put_row(struct outbox *outbox, const struct mackerel_row *from)
{
    if (from->count == 0)
        return;

    struct shelf *shelf = shelf_table_add(&outbox->table, &from->destination);
    size_t rows_before = shelf->count;
    struct outbox_row *row = shelf_add_row(shelf, from->minute_s, from->lane);
    size_t bytes = shelf->count > rows_before ? 0 : outbox_row_bytes(row);
    size_t values = row_values(row);

    for (size_t i = 0; i < from->count; i++)
        outbox_row_put(row, &from->values[i], &outbox->ledger);
    outbox->rows += shelf->count - rows_before;
    account(outbox, shelf, outbox_row_bytes(row), bytes);
    shelf->values += row_values(row) - values;
    if (from->minute_s > shelf->last_put_s)
        shelf->last_put_s = from->minute_s;
}

/* Drops what is queued in the row at `at`, and the row with it unless something is in flight. */
static size_t drop_row(struct outbox *outbox, struct shelf *shelf, size_t at,
                       const struct outbox_selection *selection,
                       const struct outbox_verdict *verdict)
{
    size_t dropped = outbox_row_drop(shelf->rows[at], selection->pick, verdict,
                                     &outbox->ledger);

    shelf->values -= dropped;
    remove_if_over(outbox, shelf, at);
    return dropped;
}

/* The shelf with the oldest row of which nothing is in flight, and where that row is. */
static struct shelf *find_oldest(const struct outbox *outbox, size_t *at)
{
    struct shelf *oldest = NULL;
    uint64_t minute_s = UINT64_MAX;

    for (size_t i = 0; i < outbox->table.count; i++) {
        struct shelf *shelf = outbox->table.shelves[i];
        size_t row = 0;

        while (row < shelf->count && shelf->rows[row]->flights)
            row++;
        if (row == shelf->count || shelf->rows[row]->minute_s >= minute_s)
            continue;
        minute_s = shelf->rows[row]->minute_s;
        oldest = shelf;
        *at = row;
    }
    return oldest;
}

static void make_room(struct outbox *outbox)
{
    const struct outbox_selection all = {.pick = OUTBOX_ALL};
    const struct outbox_verdict expired = {.end = OUTBOX_EXPIRED};

    while (outbox->options.max_bytes && outbox->bytes > outbox->options.max_bytes) {
        size_t at;
        struct shelf *shelf = find_oldest(outbox, &at);

        if (!shelf)
            return;
        drop_row(outbox, shelf, at, &all, &expired);
    }
}

void outbox_put(struct outbox *outbox, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    pthread_mutex_lock(&outbox->lock);
    for (size_t i = 0; i < count; i++)
        put_row(outbox, &rows[i]);
    if (tick_lsn > outbox->last_lsn)
        outbox->last_lsn = tick_lsn;
    make_room(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- destinations ------------------------------------------------------------------------ */

size_t outbox_list(struct outbox *outbox, uint64_t after_id,
                   struct outbox_destination *list, size_t max)
{
    size_t listed = 0;

    pthread_mutex_lock(&outbox->lock);
    for (size_t i = shelf_table_at(&outbox->table, after_id + 1);
         i < outbox->table.count && listed < max; i++) {
        const struct shelf *shelf = outbox->table.shelves[i];

        list[listed++] = (struct outbox_destination){
            .id = shelf->id,
            .destination = shelf->destination,
            .values = shelf->values,
            .bytes = shelf->bytes,
            .oldest_minute_s = shelf->count ? shelf->rows[0]->minute_s : 0,
        };
    }
    pthread_mutex_unlock(&outbox->lock);
    return listed;
}

void outbox_prune(struct outbox *outbox, uint64_t since_s,
                  void (*gone)(void *self, uint64_t id), void *self)
{
    pthread_mutex_lock(&outbox->lock);
    shelf_table_prune(&outbox->table, since_s, gone, self);
    pthread_mutex_unlock(&outbox->lock);
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Moves the names of the last `count` items, borrowed from rows, into memory of the batch. */
static void keep_names(struct outbox_batch *batch, size_t count)
{
    struct outbox_item *items = batch->items + batch->count - count;
    size_t len = 0;

    for (size_t i = 0; i < count; i++)
        len += items[i].name.len;

    struct outbox_names *names = memory_new(1, sizeof(*names) + len);
    char *to = names->text;

    names->next = batch->names;
    batch->names = names;
    for (size_t i = 0; i < count; i++) {
        memcpy(to, items[i].name.ptr, items[i].name.len);
        items[i].name.ptr = to;
        to += items[i].name.len;
    }
}

void outbox_batch_release(struct outbox_batch *batch)
{
    for (struct outbox_names *names = batch->names, *next; names; names = next) {
        next = names->next;
        free(names);
    }
    free(batch->items);
    *batch = (struct outbox_batch){0};
}

static bool is_fresh(const struct outbox_row *row, uint64_t now_s)
{
    return row->lane == MACKEREL_LIVE && row->minute_s + OUTBOX_LIVE_S > now_s;
}

static size_t take_row(struct outbox_row *row, const struct outbox_query *query,
                       struct outbox_batch *batch, size_t max)
{
    if (max > row->queued)
        max = row->queued;
    if (max == 0)
        return 0;
    batch->items = memory_grow(batch->items, batch->count + max, &batch->capacity,
                               sizeof(batch->items[0]));

    size_t taken = outbox_row_take(row, query, batch->items + batch->count, max);

    batch->count += taken;
    return taken;
}

size_t outbox_take(struct outbox *outbox, const struct outbox_query *query,
                   struct outbox_batch *batch)
{
    size_t taken = 0;

    pthread_mutex_lock(&outbox->lock);

    struct shelf *shelf = shelf_table_find(&outbox->table, query->destination);
    size_t first = 0;

    if (shelf && query->lane == MACKEREL_LIVE && query->now_s > OUTBOX_LIVE_S)
        first = shelf_row_at(shelf, query->now_s - OUTBOX_LIVE_S);
    for (size_t i = first; shelf && i < shelf->count && taken < query->max_values; i++)
        if (is_fresh(shelf->rows[i], query->now_s) == (query->lane == MACKEREL_LIVE))
            taken += take_row(shelf->rows[i], query, batch, query->max_values - taken);
    if (taken)
        keep_names(batch, taken);
    pthread_mutex_unlock(&outbox->lock);
    return taken;
}

static void settle_item(struct outbox *outbox, const struct outbox_item *item,
                        const struct outbox_verdict *verdict)
{
    struct shelf *shelf = shelf_table_find(&outbox->table, item->destination);

    assert(shelf);

    size_t at = shelf_row_at(shelf, item->minute_s);

    assert(at < shelf->count);

    struct outbox_row *row = shelf->rows[at];
    size_t values = row_values(row);

    outbox_row_settle(row, item, verdict, &outbox->ledger);
    shelf->values -= values - row_values(row);
    remove_if_over(outbox, shelf, at);
}

void outbox_settle(struct outbox *outbox, const struct outbox_item *items, size_t count,
                   const struct outbox_verdict *verdict)
{
    pthread_mutex_lock(&outbox->lock);
    for (size_t i = 0; i < count; i++)
        settle_item(outbox, &items[i], verdict);
    pthread_mutex_unlock(&outbox->lock);
}

static size_t drop_from_shelf(struct outbox *outbox, struct shelf *shelf,
                              const struct outbox_selection *selection,
                              const struct outbox_verdict *verdict)
{
    size_t dropped = 0, at = 0;

    while (at < shelf->count && shelf->rows[at]->minute_s <= selection->until_minute_s) {
        size_t rows = shelf->count;

        dropped += drop_row(outbox, shelf, at, selection, verdict);
        if (shelf->count == rows)
            at++;
    }
    return dropped;
}

size_t outbox_drop(struct outbox *outbox, const struct outbox_selection *selection,
                   const struct outbox_verdict *verdict)
{
    size_t dropped = 0;

    pthread_mutex_lock(&outbox->lock);
    for (size_t i = 0; i < outbox->table.count; i++) {
        struct shelf *shelf = outbox->table.shelves[i];

        if (selection->destination == 0 || selection->destination == shelf->id)
            dropped += drop_from_shelf(outbox, shelf, selection, verdict);
    }
    pthread_mutex_unlock(&outbox->lock);
    return dropped;
}

/* ---- books ------------------------------------------------------------------------------- */

void outbox_read_counts(struct outbox *outbox, struct outbox_counts *counts)
{
    pthread_mutex_lock(&outbox->lock);
    *counts = (struct outbox_counts){
        .destinations = outbox->table.count,
        .rows = outbox->rows,
        .values = outbox->ledger.queued,
        .bytes = outbox->bytes,
        .last_lsn = outbox->last_lsn,
    };
    for (size_t i = 0; i < outbox->table.count; i++) {
        const struct shelf *shelf = outbox->table.shelves[i];
        uint64_t minute_s = shelf->count ? shelf->rows[0]->minute_s : 0;

        if (minute_s && (!counts->oldest_minute_s || minute_s < counts->oldest_minute_s))
            counts->oldest_minute_s = minute_s;
    }
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_read_ledger(struct outbox *outbox, struct value_ledger *ledger)
{
    pthread_mutex_lock(&outbox->lock);
    *ledger = outbox->ledger;
    pthread_mutex_unlock(&outbox->lock);
}
