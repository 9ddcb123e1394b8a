#include "exporter/outbox.h"

#include "base/log.h"
#include "base/memory.h"
#include "exporter/outbox_flow.h"
#include "exporter/outbox_pending.h"
#include "exporter/outbox_place.h"
#include "exporter/outbox_restore.h"
#include "exporter/outbox_save.h"

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
    struct outbox_options options;
    struct outbox_place place;
    char *path, *vfs; /* NULL path: memory */
    pthread_mutex_t lock;
    struct outbox_stock stock;
    uint64_t opened_lsn; /* what was durable when the file was opened */
    struct outbox_counts
        counts; /* what the stock does not know: commits, files, errors */
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
    counts.last_lsn = stock->last_lsn;
    counts.oldest_minute_s = find_oldest_minute(&stock->table);
    counts.is_on_disk = outbox->path != NULL;
    if (!outbox->path)
        counts.committed_lsn = stock->last_lsn;
    pthread_mutex_lock(&outbox->desk);
    outbox->shown_counts = counts;
    outbox->shown_ledger = stock->ledger;
    outbox->merging = 0;
    pthread_mutex_unlock(&outbox->desk);
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

    outbox->options = *options;
    pthread_mutex_init(&outbox->lock, NULL);
    pthread_mutex_init(&outbox->desk, NULL);
    return outbox;
}

static void reset_stock(struct outbox *outbox)
{
    outbox_stock_release(&outbox->stock);
    outbox->stock.is_on_disk = outbox->path != NULL;
    outbox->stock.max_bytes = outbox->options.max_bytes;
    outbox->stock.loaded_max_bytes = outbox->options.loaded_max_bytes
                                         ? outbox->options.loaded_max_bytes
                                         : LOADED_MAX_BYTES;
}

struct outbox *outbox_new(const struct outbox_options *options)
{
    struct outbox *outbox = make(options);

    reset_stock(outbox);
    return outbox;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    outbox_pending_free_all(outbox_queue_take(&outbox->queue));
    outbox_file_close(outbox->stock.file, outbox->stock.is_damaged);
    outbox_stock_release(&outbox->stock);
    pthread_mutex_destroy(&outbox->lock);
    pthread_mutex_destroy(&outbox->desk);
    free(outbox->path);
    free(outbox->vfs);
    free(outbox);
}

/* ---- the file ---------------------------------------------------------------------------- */

/* Closes the database, renames it and takes note. */
static bool set_aside(struct outbox *outbox, const struct error *why, struct error *err)
{
    char path[OUTBOX_PATH_MAX];

    outbox_file_close(outbox->stock.file, true);
    outbox->stock.file = NULL;
    if (!outbox_place_set_aside(&outbox->place, path, err))
        return false;
    log_event(LOG_ERROR, "the outbox's file is damaged and set aside; a new one begins",
              LOG_TEXT("file", outbox->path), LOG_TEXT("kept_as", path),
              LOG_TEXT("error", why->text));
    outbox->counts.bad_files++;
    snprintf(outbox->counts.last_bad, sizeof(outbox->counts.last_bad), "%.100s: %.140s",
             path, why->text);
    return true;
}

static bool open_file(struct outbox *outbox, struct error *err)
{
    reset_stock(outbox);
    outbox->stock.file = outbox_file_open(outbox->path, outbox->vfs, err);
    return outbox->stock.file && outbox_restore(&outbox->stock, err);
}

static bool open_or_begin(struct outbox *outbox, struct error *err)
{
    struct error why;

    /* A rebuilt file was complete when the damaged one was set aside, and not in its place yet. */
    if (!outbox_place_exists(&outbox->place, "") &&
        outbox_place_exists(&outbox->place, ".new") &&
        !outbox_place_rename(&outbox->place, ".new", "", err))
        return false;
    if (open_file(outbox, &why)) {
        outbox_place_remove(&outbox->place, ".new");
        return true;
    }
    /* Neither is the file's fault. */
    if (why.kind == ERROR_INVALID || why.kind == ERROR_BUSY)
        return FAIL(err, why.kind, "%s: %s", outbox->path, why.text);
    return set_aside(outbox, &why, err) &&
           outbox_place_rename(&outbox->place, ".new", "", err) && open_file(outbox, err);
}

struct outbox *outbox_open(const struct outbox_options *options, struct error *err)
{
    struct outbox *outbox = make(options);

    if (options->path && *options->path) {
        outbox->path = memory_copy(slice_of(options->path));
        outbox->vfs = memory_copy(slice_of(options->vfs ? options->vfs : ""));
        outbox->place = (struct outbox_place){outbox->path, options->disk};
    }
    if (!outbox->path)
        reset_stock(outbox);
    else if (!open_or_begin(outbox, err)) {
        outbox_free(outbox);
        return NULL;
    }
    outbox->opened_lsn = outbox->counts.committed_lsn = outbox->stock.last_lsn;
    show(outbox);
    return outbox;
}

/* Brings the rebuilt file, which holds all of the stock as of now, into its place. */
static bool swap(struct outbox *outbox, struct error *err)
{
    const struct error damage = {.kind = ERROR_CORRUPT,
                                 .text = "damage met while running"};
    const struct outbox_place *place = &outbox->place;

    if (outbox_place_exists(place, ".new")) {
        if (outbox_place_exists(place, "") && !set_aside(outbox, &damage, err))
            return false;
        if (!outbox_place_rename(place, ".new", "", err))
            return false;
    }
    outbox->stock.file = outbox_file_open(outbox->path, outbox->vfs, err);
    return outbox->stock.file != NULL;
}

/* All that is in memory, and what the damaged file still gives, goes into a new file. */
static bool rebuild(struct outbox *outbox, struct error *err)
{
    struct outbox_stock *stock = &outbox->stock;
    char path[OUTBOX_PATH_MAX];
    struct outbox_file *file;
    bool is_copied;

    outbox_place_path(&outbox->place, ".new", path);
    outbox_place_remove(&outbox->place, ".new");
    file = outbox_file_open(path, outbox->vfs, err);
    if (!file)
        return false;
    is_copied = outbox_save_copy(stock, file, err);
    outbox_file_close(file, !is_copied);
    if (!is_copied)
        return false;
    outbox_file_close(stock->file, true);
    outbox_save_adopt(stock);
    return swap(outbox, err);
}

static bool mend(struct outbox *outbox, struct error *err)
{
    if (!outbox->stock.file)
        return swap(outbox, err);
    return !outbox->stock.is_damaged || rebuild(outbox, err);
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

    if (!outbox->path) {
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

    if (!outbox_save(&outbox->stock, err))
        return false;
    outbox->counts.commits += was_changed;
    outbox->counts.committed_lsn = outbox->stock.last_lsn;
    outbox->counts.last_error[0] = '\0';
    return true;
}

static bool commit(struct outbox *outbox, struct error *err)
{
    if (!mend(outbox, err))
        return false;
    merge(outbox);
    return save(outbox, err) ||
           (outbox->stock.is_damaged && mend(outbox, err) && save(outbox, err));
}

bool outbox_commit(struct outbox *outbox, struct error *err)
{
    struct error why = {0};
    bool is_committed;

    if (!outbox->path)
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
    show(outbox);
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
