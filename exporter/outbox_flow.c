#include "exporter/outbox_flow.h"

#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

/* Names of one take, copied in one piece. */
struct outbox_names {
    struct outbox_names *next;
    char text[];
};

/* ---- put --------------------------------------------------------------------------------- */

/* Position of the minute's row, loaded; added if there is none. */
static size_t row_to_put(struct outbox_stock *stock, struct shelf *shelf,
                         const struct mackerel_row *from)
{
    struct shelf_entry *entry = shelf_find_row(shelf, from->minute_s);
    size_t at = shelf_row_at(shelf, from->minute_s);

    if (entry && outbox_stock_load(stock, shelf, at))
        return at;
    if (shelf_find_row(shelf, from->minute_s)) /* the disk does not give it back */
        outbox_stock_lose(stock, shelf, at, "not readable when its minute was corrected");
    entry = shelf_add_row(shelf, from->minute_s);
    stock->rows++;
    stock->row_changes++;
    entry->row = outbox_row_new(shelf->id, from->minute_s, from->lane);
    return at;
}

static void put_row(struct outbox_stock *stock, const struct mackerel_row *from)
{
    if (from->count == 0)
        return;

    struct shelf *shelf = shelf_table_add(&stock->table, &from->destination);
    size_t at = row_to_put(stock, shelf, from);
    struct shelf_entry *entry = &shelf->entries[at];
    size_t values = shelf_entry_values(entry);

    if (from->lane == MACKEREL_LIVE) /* one live value makes the row live */
        entry->row->lane = MACKEREL_LIVE;
    entry->lane = entry->row->lane;
    entry->is_uncommitted = stock->is_on_disk;
    for (size_t i = 0; i < from->count; i++)
        outbox_row_put(entry->row, &from->values[i], &stock->ledger);
    shelf->values += shelf_entry_values(entry) - values;
    if (from->minute_s > shelf->last_put_s)
        shelf->last_put_s = from->minute_s;
    shelf->is_dirty = true;
    outbox_stock_changed(stock, shelf, at);
}

/* Drops what is queued in the row at `at`, and the row with it unless something is in flight.
 * Returns how many values. */
static size_t drop_row(struct outbox_stock *stock, struct shelf *shelf, size_t at,
                       const struct outbox_selection *selection,
                       const struct outbox_verdict *verdict)
{
    struct outbox_row *row;
    size_t dropped;

    if (shelf_entry_queued(&shelf->entries[at], selection->pick) == 0)
        return 0;
    row = outbox_stock_load(stock, shelf, at);
    if (!row)
        return 0;
    dropped = outbox_row_drop(row, selection->pick, verdict, &stock->ledger);
    shelf->values -= dropped;
    outbox_stock_changed(stock, shelf, at);
    return dropped;
}

/* The shelf with the oldest row of which nothing is in flight, and where that row is. */
static struct shelf *find_oldest(const struct outbox_stock *stock, size_t *at)
{
    struct shelf *oldest = NULL;
    uint64_t minute_s = UINT64_MAX;

    for (size_t i = 0; i < stock->table.count; i++) {
        struct shelf *shelf = stock->table.shelves[i];
        size_t row = 0;

        while (row < shelf->count && !shelf_entry_is_idle(&shelf->entries[row]))
            row++;
        if (row == shelf->count || shelf->entries[row].minute_s >= minute_s)
            continue;
        minute_s = shelf->entries[row].minute_s;
        oldest = shelf;
        *at = row;
    }
    return oldest;
}

static void make_room(struct outbox_stock *stock)
{
    const struct outbox_selection all = {.pick = OUTBOX_ALL};
    const struct outbox_verdict expired = {.end = OUTBOX_EXPIRED};

    while (stock->max_bytes && stock->bytes > stock->max_bytes) {
        size_t at, rows = stock->rows;
        struct shelf *shelf = find_oldest(stock, &at);

        if (shelf)
            drop_row(stock, shelf, at, &all, &expired);
        if (stock->rows == rows)
            return; /* all are in flight, or the file is damaged */
    }
}

void outbox_flow_put(struct outbox_stock *stock, const struct mackerel_row *rows,
                     size_t count_rows, uint64_t tick_lsn)
{
    for (size_t i = 0; i < count_rows; i++)
        put_row(stock, &rows[i]);
    if (tick_lsn > stock->last_lsn)
        stock->last_lsn = tick_lsn;
    stock->is_changed = true;
    make_room(stock);
}

/* ---- destinations ------------------------------------------------------------------------ */

size_t outbox_flow_list(const struct outbox_stock *stock, uint64_t after_id,
                        struct outbox_destination *list, size_t max)
{
    size_t listed = 0;

    for (size_t i = shelf_table_at(&stock->table, after_id + 1);
         i < stock->table.count && listed < max; i++) {
        const struct shelf *shelf = stock->table.shelves[i];

        list[listed++] = (struct outbox_destination){
            .id = shelf->id,
            .destination = shelf->destination,
            .values = shelf->values,
            .bytes = shelf->bytes,
            .oldest_minute_s = shelf->count ? shelf->entries[0].minute_s : 0,
        };
    }
    return listed;
}

static bool is_near(uint64_t a, uint64_t b)
{
    const uint64_t slack_s = 60;

    return (a > b ? a - b : b - a) <= slack_s;
}

/* Times are compared roughly: they come from a clock that is corrected all the time. */
static bool is_same_host(const struct outbox_host *a, const struct outbox_host *b)
{
    return strcmp(a->host_id, b->host_id) == 0 && a->native == b->native &&
           is_near(a->verify_s, b->verify_s) && is_near(a->native_due_s, b->native_due_s);
}

void outbox_flow_keep_host(struct outbox_stock *stock, uint64_t id,
                           const struct outbox_host *host)
{
    struct shelf *shelf = shelf_table_find(&stock->table, id);

    if (!shelf || is_same_host(&shelf->host, host))
        return;
    shelf->host = *host;
    shelf->is_dirty = true;
    outbox_stock_note(stock, id, OUTBOX_NO_MINUTE);
}

void outbox_flow_keep_service(struct outbox_stock *stock, uint64_t id, bool exists)
{
    struct shelf *shelf = shelf_table_find(&stock->table, id);

    if (!shelf || shelf->has_service == exists)
        return;
    shelf->has_service = exists;
    shelf->is_dirty = true;
    outbox_stock_note(stock, id, OUTBOX_NO_MINUTE);
}

struct pruning {
    struct outbox_stock *stock;
    void (*gone)(void *self, uint64_t id);
    void *self;
};

static void note_gone(void *self, uint64_t id)
{
    const struct pruning *pruning = self;
    struct outbox_stock *stock = pruning->stock;

    pruning->gone(pruning->self, id);
    stock->is_changed = true;
    if (!stock->is_on_disk)
        return;
    stock->gone = memory_grow(stock->gone, stock->gone_count + 1, &stock->gone_capacity,
                              sizeof(stock->gone[0]));
    stock->gone[stock->gone_count++] = id;
}

void outbox_flow_prune(struct outbox_stock *stock, uint64_t since_s,
                       void (*gone)(void *self, uint64_t id), void *self)
{
    struct pruning pruning = {stock, gone, self};

    shelf_table_prune(&stock->table, since_s, note_gone, &pruning);
}

/* ---- sending ----------------------------------------------------------------------------- */

/* Moves the names of the items from `first` on, borrowed from a row, into memory of the batch. */
static void keep_names(struct outbox_batch *batch, size_t first)
{
    struct outbox_item *items = batch->items + first;
    size_t taken = batch->count - first, len = 0;

    for (size_t i = 0; i < taken; i++)
        len += items[i].name.len;

    struct outbox_names *names = memory_new(1, sizeof(*names) + len);
    char *to = names->text;

    names->next = batch->names;
    batch->names = names;
    for (size_t i = 0; i < taken; i++) {
        if (items[i].name.len)
            memcpy(to, items[i].name.ptr, items[i].name.len);
        items[i].name.ptr = to;
        to += items[i].name.len;
    }
}

void outbox_flow_release(struct outbox_batch *batch)
{
    for (struct outbox_names *names = batch->names, *next; names; names = next) {
        next = names->next;
        free(names);
    }
    free(batch->items);
    *batch = (struct outbox_batch){0};
}

/* May something of this row be taken by the query? Answers without loading it. */
static bool is_wanted(const struct shelf_entry *entry, const struct outbox_query *query)
{
    bool is_fresh = entry->lane == MACKEREL_LIVE &&
                    entry->minute_s + OUTBOX_LIVE_S > query->now_s;

    return is_fresh == (query->lane == MACKEREL_LIVE) && !entry->is_uncommitted &&
           shelf_entry_queued(entry, query->pick) > 0 &&
           (entry->row || entry->due_s <= query->now_s);
}

static size_t take_row(struct outbox_stock *stock, struct outbox_row *row,
                       const struct outbox_query *query, struct outbox_batch *batch,
                       size_t max)
{
    size_t taken, first = batch->count;

    if (max > row->queued)
        max = row->queued;
    batch->items = memory_grow(batch->items, batch->count + max, &batch->capacity,
                               sizeof(batch->items[0]));
    taken = outbox_row_take(row, query, batch->items + batch->count, max);
    if (taken == 0)
        return 0;
    batch->count += taken;
    keep_names(batch, first);
    outbox_stock_taken(stock, row);
    return taken;
}

size_t outbox_flow_take(struct outbox_stock *stock, const struct outbox_query *query,
                        struct outbox_batch *batch)
{
    struct shelf *shelf = shelf_table_find(&stock->table, query->destination);
    size_t taken = 0, at = 0;

    if (shelf && query->lane == MACKEREL_LIVE && query->now_s > OUTBOX_LIVE_S)
        at = shelf_row_at(shelf, query->now_s - OUTBOX_LIVE_S);
    while (shelf && at < shelf->count && taken < query->max_values) {
        size_t rows = shelf->count;
        struct outbox_row *row = NULL;

        if (is_wanted(&shelf->entries[at], query))
            row = outbox_stock_load(stock, shelf, at);
        if (row)
            taken += take_row(stock, row, query, batch, query->max_values - taken);
        at += shelf->count == rows;
    }
    return taken;
}

static void settle_item(struct outbox_stock *stock, const struct outbox_item *item,
                        const struct outbox_verdict *verdict)
{
    struct shelf *shelf = shelf_table_find(&stock->table, item->destination);

    assert(shelf);

    struct shelf_entry *entry = shelf_find_row(shelf, item->minute_s);

    assert(entry && entry->row); /* what is in flight is never unloaded */

    size_t values = shelf_entry_values(entry);

    if (!outbox_row_settle(entry->row, item, verdict, &stock->ledger)) {
        outbox_stock_taken(stock, entry->row); /* its flight may be over */
        return;
    }
    shelf->values -= values - shelf_entry_values(entry);
    outbox_stock_changed(stock, shelf, (size_t)(entry - shelf->entries));
}

void outbox_flow_settle(struct outbox_stock *stock, const struct outbox_item *items,
                        size_t item_count, const struct outbox_verdict *verdict)
{
    for (size_t i = 0; i < item_count; i++)
        settle_item(stock, &items[i], verdict);
}

static size_t drop_from_shelf(struct outbox_stock *stock, struct shelf *shelf,
                              const struct outbox_selection *selection,
                              const struct outbox_verdict *verdict)
{
    size_t dropped = 0, at = shelf_row_at(shelf, selection->from_minute_s);

    while (at < shelf->count &&
           shelf->entries[at].minute_s <= selection->until_minute_s) {
        size_t rows = shelf->count;

        dropped += drop_row(stock, shelf, at, selection, verdict);
        at += shelf->count == rows;
    }
    return dropped;
}

size_t outbox_flow_drop(struct outbox_stock *stock,
                        const struct outbox_selection *selection,
                        const struct outbox_verdict *verdict)
{
    size_t dropped = 0;

    for (size_t i = 0; i < stock->table.count; i++) {
        struct shelf *shelf = stock->table.shelves[i];

        if (selection->destination == 0 || selection->destination == shelf->id)
            dropped += drop_from_shelf(stock, shelf, selection, verdict);
    }
    return dropped;
}
