#include "exporter/outbox_view.h"

static struct outbox_row_view view_of(const struct shelf *shelf,
                                      const struct shelf_entry *entry)
{
    struct outbox_row_view view = {
        .destination = shelf->id,
        .minute_s = entry->minute_s,
        .lane = entry->lane,
        .revision = entry->row ? entry->row->revision : entry->revision,
        .queued = shelf_entry_queued(entry, OUTBOX_ALL),
        .due_s = entry->row ? outbox_row_due_s(entry->row) : entry->due_s,
        .bytes = entry->bytes,
    };

    view.in_flight = shelf_entry_values(entry) - view.queued;
    if (view.queued == 0)
        view.due_s = 0;
    return view;
}

size_t outbox_view_rows(const struct outbox_stock *stock, const struct outbox_key *after,
                        struct outbox_row_view *list, size_t max)
{
    size_t listed = 0;

    for (size_t i = shelf_table_at(&stock->table, after->destination);
         i < stock->table.count && listed < max; i++) {
        const struct shelf *shelf = stock->table.shelves[i];
        size_t at = 0;

        if (shelf->id == after->destination)
            at = shelf_row_at(shelf, after->minute_s + 1);
        for (; at < shelf->count && listed < max; at++)
            list[listed++] = view_of(shelf, &shelf->entries[at]);
    }
    return listed;
}

bool outbox_view_values(struct outbox_stock *stock, const struct outbox_key *key,
                        void (*show)(void *self, const struct outbox_value_view *value),
                        void *self)
{
    struct shelf *shelf = shelf_table_find(&stock->table, key->destination);
    struct shelf_entry *entry = shelf ? shelf_find_row(shelf, key->minute_s) : NULL;
    const struct outbox_row *row = NULL;

    if (entry)
        row = outbox_stock_load(stock, shelf, (size_t)(entry - shelf->entries));
    for (size_t i = 0; row && i < row->count; i++) {
        const struct outbox_slot *slot = &row->slots[i];

        if (!slot->queued && !slot->flight)
            continue;
        show(self, &(struct outbox_value_view){
                       .name = outbox_row_name(row, slot),
                       .value = slot->value,
                       .revision = slot->revision,
                       .native = slot->native,
                       .queued = slot->queued,
                       .in_flight = slot->flight != 0,
                       .is_accepted = slot->accepted && slot->accepted == slot->revision,
                       .confirm_s = slot->confirm_s,
                   });
    }
    return row != NULL;
}

/* Does anything of the row wait for its confirmation? */
static bool is_waiting(const struct shelf_entry *entry, uint64_t now_s)
{
    if (shelf_entry_queued(entry, OUTBOX_ALL) == 0)
        return false;
    /* Of a loaded row each value is looked at. */
    return entry->row || entry->due_s > now_s;
}

static size_t retry_row(struct outbox_stock *stock, struct shelf *shelf, size_t at,
                        enum outbox_pick pick, uint64_t now_s)
{
    struct outbox_row *row;

    if (!is_waiting(&shelf->entries[at], now_s))
        return shelf_entry_queued(&shelf->entries[at], pick);
    row = outbox_stock_load(stock, shelf, at);
    if (!row)
        return 0;
    if (outbox_row_retry(row, pick, now_s))
        outbox_stock_changed(stock, shelf, at);
    return shelf_entry_queued(&shelf->entries[at], pick);
}

static size_t retry_shelf(struct outbox_stock *stock, struct shelf *shelf,
                          const struct outbox_selection *selection, uint64_t now_s)
{
    size_t values = 0, at = shelf_row_at(shelf, selection->from_minute_s);

    while (at < shelf->count &&
           shelf->entries[at].minute_s <= selection->until_minute_s) {
        size_t rows = shelf->count;

        values += retry_row(stock, shelf, at, selection->pick, now_s);
        at += shelf->count == rows;
    }
    return values;
}

size_t outbox_view_retry(struct outbox_stock *stock,
                         const struct outbox_selection *selection, uint64_t now_s)
{
    size_t values = 0;

    for (size_t i = 0; i < stock->table.count; i++) {
        struct shelf *shelf = stock->table.shelves[i];

        if (selection->destination == 0 || selection->destination == shelf->id)
            values += retry_shelf(stock, shelf, selection, now_s);
    }
    return values;
}
