#include "exporter/outbox_stock.h"

#include "base/log.h"
#include "base/memory.h"
#include "exporter/outbox_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    MAX_LOGGED = 10 /* bad rows; all are counted */
};

void outbox_stock_release(struct outbox_stock *stock)
{
    shelf_table_release(&stock->table);
    free(stock->changed);
    free(stock->gone);
    free(stock->bad);
    buffer_release(&stock->payload);
    *stock = (struct outbox_stock){0};
}

/* ---- which rows are in memory ------------------------------------------------------------ */

static void unlink_row(struct outbox_stock *stock, struct outbox_row *row)
{
    if (!row->is_linked)
        return;
    *(row->before ? &row->before->after : &stock->oldest) = row->after;
    *(row->after ? &row->after->before : &stock->newest) = row->before;
    row->before = row->after = NULL;
    row->is_linked = false;
}

void outbox_stock_link(struct outbox_stock *stock, struct outbox_row *row)
{
    unlink_row(stock, row);
    row->before = stock->newest;
    *(stock->newest ? &stock->newest->after : &stock->oldest) = row;
    stock->newest = row;
    row->is_linked = true;
}

/* Takes the row's memory and budget into the sums. */
static void count(struct outbox_stock *stock, struct shelf *shelf,
                  struct shelf_entry *entry)
{
    size_t loaded = outbox_row_bytes(entry->row);
    size_t bytes = stock->is_on_disk ? outbox_code_bytes(entry->row) : loaded;

    stock->loaded_bytes += loaded - entry->row->counted_bytes;
    entry->row->counted_bytes = loaded;
    stock->bytes += bytes - entry->bytes;
    shelf->bytes += bytes - entry->bytes;
    entry->bytes = (uint32_t)bytes;
}

/* The row leaves the memory. */
static void free_row(struct outbox_stock *stock, struct shelf_entry *entry)
{
    unlink_row(stock, entry->row);
    stock->loaded_bytes -= entry->row->counted_bytes;
    outbox_row_free(entry->row);
    entry->row = NULL;
}

static void unload(struct outbox_stock *stock, struct outbox_row *row)
{
    struct shelf *shelf = shelf_table_find(&stock->table, row->destination);
    struct shelf_entry *entry = shelf_find_row(shelf, row->minute_s);

    entry->values = (uint32_t)row->queued;
    entry->natives = (uint32_t)row->natives;
    entry->revision = row->revision;
    entry->due_s = outbox_row_due_s(row);
    free_row(stock, entry);
}

void outbox_stock_trim(struct outbox_stock *stock)
{
    for (struct outbox_row *row = stock->oldest, *after;
         row && stock->loaded_bytes > stock->loaded_max_bytes; row = after) {
        after = row->after;
        if (row->flights == 0)
            unload(stock, row);
    }
}

void outbox_stock_note(struct outbox_stock *stock, uint64_t destination,
                       uint64_t minute_s)
{
    stock->is_changed = true;
    if (!stock->is_on_disk)
        return;
    stock->changed = memory_grow(stock->changed, stock->changed_count + 1,
                                 &stock->changed_capacity, sizeof(stock->changed[0]));
    stock->changed[stock->changed_count++] = (struct outbox_key){destination, minute_s};
}

void outbox_stock_taken(struct outbox_stock *stock, struct outbox_row *row)
{
    if (!row->is_changed)
        outbox_stock_note(stock, row->destination, row->minute_s);
    row->is_changed = true;
}

static void mark(struct outbox_stock *stock, struct outbox_row *row)
{
    unlink_row(stock, row);
    row->is_dirty = true;
    outbox_stock_taken(stock, row);
}

void outbox_stock_distrust(struct outbox_stock *stock, const struct error *why)
{
    stock->is_damaged = true;
    snprintf(stock->damage, sizeof(stock->damage), "%.*s", OUTBOX_REASON_MAX - 1,
             why->text);
}

/* ---- rows on disk ------------------------------------------------------------------------ */

static void remove_row(struct outbox_stock *stock, struct shelf *shelf, size_t at)
{
    struct shelf_entry *entry = &shelf->entries[at];

    if (!entry->row || !entry->row->is_changed)
        outbox_stock_note(stock, shelf->id, entry->minute_s);
    if (entry->row)
        free_row(stock, entry);
    stock->older.values -= entry->older.values;
    stock->older.accepted -= entry->older.accepted;
    stock->bytes -= entry->bytes;
    shelf->bytes -= entry->bytes;
    stock->rows--;
    stock->row_changes++;
    shelf_remove_row(shelf, at);
}

void outbox_stock_lose(struct outbox_stock *stock, struct shelf *shelf, size_t at,
                       const char *reason)
{
    const struct shelf_entry *entry = &shelf->entries[at];
    struct ledger_reason *unreadable = &stock->ledger.withheld[WITHHELD_UNREADABLE];
    struct outbox_bad_row *bad;
    size_t values = shelf_entry_values(entry);

    stock->bad = memory_grow(stock->bad, stock->bad_count + 1, &stock->bad_capacity,
                             sizeof(stock->bad[0]));
    bad = &stock->bad[stock->bad_count++];
    bad->key = (struct outbox_key){shelf->id, entry->minute_s};
    snprintf(bad->reason, sizeof(bad->reason), "%s", reason);
    snprintf(stock->last_bad, sizeof(stock->last_bad),
             "row of destination %" PRIu64 ", minute %" PRIu64 ": %s", shelf->id,
             entry->minute_s, bad->reason);
    if (stock->bad_rows < MAX_LOGGED)
        log_event(LOG_ERROR, "a row of the outbox cannot be read and is set aside",
                  LOG_UINT("destination", shelf->id), LOG_UINT("minute", entry->minute_s),
                  LOG_UINT("values", values), LOG_TEXT("error", bad->reason));
    stock->bad_rows++;
    stock->ledger.queued -= values;
    unreadable->count += values;
    ledger_keep_example(unreadable, 0, slice_of(stock->last_bad));
    shelf->values -= values;
    remove_row(stock, shelf, at);
}

static struct outbox_row *read_row(struct outbox_stock *stock, struct shelf *shelf,
                                   size_t at)
{
    uint64_t minute_s = shelf->entries[at].minute_s;
    struct outbox_record record;
    struct outbox_row *row;
    struct error err;

    if (!outbox_table_load(stock->file, shelf->id, minute_s, &record, &err)) {
        if (err.kind == ERROR_NOT_FOUND)
            outbox_stock_lose(stock, shelf, at, err.text);
        else if (err.kind == ERROR_CORRUPT)
            outbox_stock_distrust(stock, &err);
        return NULL;
    }
    row = outbox_code_read(&record, &err);
    outbox_table_unload(stock->file);
    if (row && row->queued == shelf->entries[at].values)
        return row;
    outbox_stock_lose(stock, shelf, at, row ? "not the values it had" : err.text);
    outbox_row_free(row);
    return NULL;
}

struct outbox_row *outbox_stock_load(struct outbox_stock *stock, struct shelf *shelf,
                                     size_t at)
{
    struct outbox_row *row = shelf->entries[at].row;

    if (row) {
        if (row->is_linked)
            outbox_stock_link(stock, row);
        return row;
    }
    if (stock->is_damaged || !stock->file)
        return NULL;
    outbox_stock_trim(stock);
    row = read_row(stock, shelf, at);
    if (!row)
        return NULL;
    shelf->entries[at].row = row;
    outbox_stock_link(stock, row);
    count(stock, shelf, &shelf->entries[at]);
    return row;
}

void outbox_stock_changed(struct outbox_stock *stock, struct shelf *shelf, size_t at)
{
    struct shelf_entry *entry = &shelf->entries[at];

    if (outbox_row_is_over(entry->row)) {
        remove_row(stock, shelf, at);
        return;
    }
    mark(stock, entry->row);
    count(stock, shelf, entry);
}
