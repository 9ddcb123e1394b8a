#include "exporter/outbox.h"

#include "base/memory.h"
#include "exporter/outbox_flow.h"
#include "exporter/outbox_pending.h"
#include "exporter/outbox_vault.h"
#include "exporter/outbox_view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    LOADED_MAX_BYTES = 32 << 20
};

/*
 * Two locks. `lock` guards the stock and its file and may be held while a disk syncs; on disk only
 * the delivery thread takes it. `desk` guards what other threads touch, rows that were put and
 * copies of the books, and is never held for longer than a copy takes. Order: lock, desk.
 */
struct outbox {
    bool is_on_disk;
    pthread_mutex_t lock;
    struct outbox_stock stock;
    struct graph_definitions *graphs;
    bool without_graphs;
    struct outbox_vault vault; /* on disk only */
    uint64_t opened_lsn;       /* what was durable when the file was opened */
    uint64_t oldest_minute_s;  /* as of that many changes of rows */
    uint64_t row_changes;
    struct outbox_counts counts; /* what stock and vault do not know: commits, errors */
    pthread_mutex_t desk;
    struct outbox_queue queue;
    size_t merging; /* values that left the queue and are not in the books yet */
    uint64_t queued_lsn;
    struct outbox_counts shown_counts;
    struct value_ledger shown_ledger;
};

/* ---- books ------------------------------------------------------------------------------- */

static uint64_t find_oldest_minute(const struct shelf_table *table)
{
    uint64_t oldest = 0;

    for (size_t i = 0; i < table->count; i++) {
        const struct shelf *shelf = table->shelves[i];
        uint64_t minute_s = shelf->count ? shelf->entries[0].minute_s : 0;

        if (minute_s && (!oldest || minute_s < oldest))
            oldest = minute_s;
    }
    return oldest;
}

/* Looks through all destinations only when rows came or went. */
static uint64_t oldest_minute(struct outbox *outbox)
{
    if (outbox->row_changes != outbox->stock.row_changes)
        outbox->oldest_minute_s = find_oldest_minute(&outbox->stock.table);
    outbox->row_changes = outbox->stock.row_changes;
    return outbox->oldest_minute_s;
}

/* Puts copies of the books on the desk. */
static void show(struct outbox *outbox)
{
    struct outbox_counts counts = outbox->counts;
    const struct outbox_stock *stock = &outbox->stock;

    counts.destinations = stock->table.count;
    counts.rows = stock->rows;
    counts.values = stock->ledger.queued;
    counts.bytes = stock->bytes;
    counts.loaded_bytes = stock->loaded_bytes;
    counts.bad_rows = stock->bad_rows;
    counts.bad_files = outbox->vault.bad_files;
    snprintf(counts.last_bad, sizeof(counts.last_bad), "%s",
             stock->last_bad[0] ? stock->last_bad : outbox->vault.last_bad);
    counts.last_lsn = stock->last_lsn;
    counts.oldest_minute_s = oldest_minute(outbox);
    counts.is_on_disk = outbox->is_on_disk;
    if (!outbox->is_on_disk)
        counts.committed_lsn = stock->last_lsn;
    pthread_mutex_lock(&outbox->desk);
    outbox->shown_counts = counts;
    outbox->shown_ledger = stock->ledger;
    outbox->merging = 0;
    pthread_mutex_unlock(&outbox->desk);
}

/* After an operation that changes no book, unless a row had to be loaded for it. Only who has `lock`
 * writes what is shown, and so may read it. */
static void show_loading(struct outbox *outbox)
{
    const struct outbox_stock *stock = &outbox->stock;
    const struct outbox_counts *shown = &outbox->shown_counts;

    if (stock->bytes != shown->bytes || stock->loaded_bytes != shown->loaded_bytes ||
        stock->bad_rows != shown->bad_rows)
        show(outbox);
}

void outbox_read_counts(struct outbox *outbox, struct outbox_counts *counts)
{
    pthread_mutex_lock(&outbox->desk);
    *counts = outbox->shown_counts;
    counts->values += outbox->queue.values + outbox->merging;
    if (outbox->queued_lsn > counts->last_lsn)
        counts->last_lsn = outbox->queued_lsn;
    pthread_mutex_unlock(&outbox->desk);
}

/* What waits to be merged is closed and queued. */
void outbox_read_ledger(struct outbox *outbox, struct value_ledger *ledger)
{
    pthread_mutex_lock(&outbox->desk);
    *ledger = outbox->shown_ledger;
    ledger->closed += outbox->queue.values + outbox->merging;
    ledger->queued += outbox->queue.values + outbox->merging;
    pthread_mutex_unlock(&outbox->desk);
}

uint64_t outbox_committed_lsn(struct outbox *outbox)
{
    struct outbox_counts counts;

    outbox_read_counts(outbox, &counts);
    return counts.committed_lsn;
}

/* ---- life -------------------------------------------------------------------------------- */

static struct outbox *make(const struct outbox_options *options)
{
    struct outbox *outbox = memory_new(1, sizeof(*outbox));

    outbox->stock.max_bytes = options->max_bytes;
    outbox->stock.loaded_max_bytes = options->loaded_max_bytes ? options->loaded_max_bytes
                                                               : LOADED_MAX_BYTES;
    outbox->graphs = graph_definitions_new();
    outbox->without_graphs = options->without_graphs;
    outbox->stock.graphs = graph_definitions_book(outbox->graphs);
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_mutex_init(&outbox->desk, NULL);
    return outbox;
}

struct outbox *outbox_new(const struct outbox_options *options)
{
    return make(options);
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    outbox_pending_free_all(outbox_queue_take(&outbox->queue));
    outbox_vault_release(&outbox->vault);
    outbox_stock_release(&outbox->stock);
    graph_definitions_free(outbox->graphs);
    pthread_mutex_destroy(&outbox->lock);
    pthread_mutex_destroy(&outbox->desk);
    free(outbox);
}

struct outbox *outbox_open(const struct outbox_options *options, struct error *err)
{
    struct outbox *outbox = make(options);

    const struct outbox_vault_options files = {
        .path = options->path,
        .vfs = options->vfs,
        .disk = options->disk,
        .stock = &outbox->stock,
    };

    outbox->is_on_disk = options->path && *options->path;
    if (outbox->is_on_disk && !outbox_vault_open(&outbox->vault, &files, err)) {
        outbox_free(outbox);
        return NULL;
    }
    outbox->opened_lsn = outbox->counts.committed_lsn = outbox->stock.last_lsn;
    show(outbox);
    return outbox;
}

/* ---- put and commit ---------------------------------------------------------------------- */

static void put_now(struct outbox *outbox, const struct mackerel_row *rows, size_t count,
                    uint64_t tick_lsn)
{
    pthread_mutex_lock(&outbox->lock);
    outbox_flow_put(&outbox->stock, rows, count, tick_lsn);
    show(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_put(struct outbox *outbox, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn)
{
    struct outbox_pending *pending;

    if (!outbox->without_graphs)
        graph_definitions_want(outbox->graphs, rows, count);
    if (!outbox->is_on_disk) {
        put_now(outbox, rows, count, tick_lsn);
        return;
    }
    if (tick_lsn <= outbox->opened_lsn)
        return;
    pending = outbox_pending_new(rows, count, tick_lsn);
    pthread_mutex_lock(&outbox->desk);
    outbox_queue_append(&outbox->queue, pending);
    outbox->queued_lsn = tick_lsn;
    pthread_mutex_unlock(&outbox->desk);
}

/* Moves what was put into the stock; whoever reads the books meanwhile still sees it once. */
static void merge(struct outbox *outbox)
{
    struct outbox_pending *first;

    pthread_mutex_lock(&outbox->desk);
    outbox->merging = outbox->queue.values;
    first = outbox_queue_take(&outbox->queue);
    pthread_mutex_unlock(&outbox->desk);
    for (const struct outbox_pending *pending = first; pending; pending = pending->next)
        outbox_flow_put(&outbox->stock, pending->rows, pending->count, pending->lsn);
    outbox_pending_free_all(first);
    show(outbox);
}

static bool save(struct outbox *outbox, struct error *err)
{
    bool was_changed = outbox->stock.is_changed;

    if (!outbox_vault_save(&outbox->vault, err))
        return false;
    outbox->counts.commits += was_changed;
    outbox->counts.committed_lsn = outbox->stock.last_lsn;
    outbox->counts.last_error[0] = '\0';
    return true;
}

static bool commit(struct outbox *outbox, struct error *err)
{
    if (!outbox_vault_mend(&outbox->vault, err))
        return false;
    merge(outbox);
    return save(outbox, err);
}

bool outbox_commit(struct outbox *outbox, struct error *err)
{
    struct error why = {0};
    bool is_committed;

    if (!outbox->is_on_disk)
        return true;
    pthread_mutex_lock(&outbox->lock);
    is_committed = commit(outbox, &why);
    if (!is_committed) {
        outbox->counts.failed_commits++;
        snprintf(outbox->counts.last_error, sizeof(outbox->counts.last_error), "%.255s",
                 why.text);
        FAIL(err, why.kind, "outbox: %s", why.text);
    }
    show(outbox);
    pthread_mutex_unlock(&outbox->lock);
    return is_committed;
}

struct graph_definitions *outbox_graphs(struct outbox *outbox)
{
    return outbox->graphs;
}

/* ---- values ------------------------------------------------------------------------------ */

size_t outbox_list(struct outbox *outbox, uint64_t after_id,
                   struct outbox_destination *list, size_t max)
{
    size_t listed;

    pthread_mutex_lock(&outbox->lock);
    listed = outbox_flow_list(&outbox->stock, after_id, list, max);
    pthread_mutex_unlock(&outbox->lock);
    return listed;
}

void outbox_prune(struct outbox *outbox, uint64_t since_s,
                  void (*gone)(void *self, uint64_t id), void *self)
{
    pthread_mutex_lock(&outbox->lock);
    outbox_flow_prune(&outbox->stock, since_s, gone, self);
    show(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

void outbox_keep_host(struct outbox *outbox, uint64_t id, const struct outbox_host *host)
{
    pthread_mutex_lock(&outbox->lock);
    outbox_flow_keep_host(&outbox->stock, id, host);
    pthread_mutex_unlock(&outbox->lock);
}

bool outbox_find_host(struct outbox *outbox, uint64_t id, struct outbox_host *host)
{
    const struct shelf *shelf;
    bool is_known;

    pthread_mutex_lock(&outbox->lock);
    shelf = shelf_table_find(&outbox->stock.table, id);
    is_known = shelf && shelf->host.host_id[0];
    if (is_known)
        *host = shelf->host;
    pthread_mutex_unlock(&outbox->lock);
    return is_known;
}

void outbox_keep_service(struct outbox *outbox, uint64_t id, bool exists)
{
    pthread_mutex_lock(&outbox->lock);
    outbox_flow_keep_service(&outbox->stock, id, exists);
    pthread_mutex_unlock(&outbox->lock);
}

bool outbox_has_service(struct outbox *outbox, uint64_t id)
{
    const struct shelf *shelf;
    bool is_known;

    pthread_mutex_lock(&outbox->lock);
    shelf = shelf_table_find(&outbox->stock.table, id);
    is_known = shelf && shelf->has_service;
    pthread_mutex_unlock(&outbox->lock);
    return is_known;
}

void outbox_batch_release(struct outbox_batch *batch)
{
    outbox_flow_release(batch);
}

size_t outbox_take(struct outbox *outbox, const struct outbox_query *query,
                   struct outbox_batch *batch)
{
    size_t taken;

    pthread_mutex_lock(&outbox->lock);
    taken = outbox_flow_take(&outbox->stock, query, batch);
    show_loading(outbox);
    pthread_mutex_unlock(&outbox->lock);
    return taken;
}

void outbox_settle(struct outbox *outbox, const struct outbox_item *items, size_t count,
                   const struct outbox_verdict *verdict)
{
    pthread_mutex_lock(&outbox->lock);
    outbox_flow_settle(&outbox->stock, items, count, verdict);
    show(outbox);
    pthread_mutex_unlock(&outbox->lock);
}

size_t outbox_drop(struct outbox *outbox, const struct outbox_selection *selection,
                   const struct outbox_verdict *verdict)
{
    size_t dropped;

    pthread_mutex_lock(&outbox->lock);
    dropped = outbox_flow_drop(&outbox->stock, selection, verdict);
    show(outbox);
    pthread_mutex_unlock(&outbox->lock);
    return dropped;
}

/* ---- for people -------------------------------------------------------------------------- */

size_t outbox_list_rows(struct outbox *outbox, uint64_t after_destination,
                        uint64_t after_minute_s, struct outbox_row_view *list, size_t max)
{
    const struct outbox_key after = {after_destination, after_minute_s};
    size_t listed;

    pthread_mutex_lock(&outbox->lock);
    listed = outbox_view_rows(&outbox->stock, &after, list, max);
    pthread_mutex_unlock(&outbox->lock);
    return listed;
}

bool outbox_show_row(struct outbox *outbox, uint64_t destination, uint64_t minute_s,
                     void (*print)(void *self, const struct outbox_value_view *value),
                     void *self)
{
    const struct outbox_key key = {destination, minute_s};
    bool is_there;

    pthread_mutex_lock(&outbox->lock);
    is_there = outbox_view_values(&outbox->stock, &key, print, self);
    show_loading(outbox);
    pthread_mutex_unlock(&outbox->lock);
    return is_there;
}

size_t outbox_retry(struct outbox *outbox, const struct outbox_selection *selection,
                    uint64_t now_s)
{
    size_t values;

    pthread_mutex_lock(&outbox->lock);
    values = outbox_view_retry(&outbox->stock, selection, now_s);
    show(outbox);
    pthread_mutex_unlock(&outbox->lock);
    return values;
}
