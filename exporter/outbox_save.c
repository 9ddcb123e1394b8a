#include "exporter/outbox_save.h"

#include "exporter/graph_table.h"
#include "exporter/outbox_books.h"
#include "exporter/outbox_table.h"

/* The flight that ought to be noted on disk; 0: none. */
static uint64_t flight_of(const struct shelf_entry *entry)
{
    return entry->row && entry->row->flights ? entry->row->taken_s : 0;
}

/* ---- writing ----------------------------------------------------------------------------- */

static bool write_shelf(struct outbox_file *file, const struct shelf *shelf,
                        struct error *err)
{
    const struct outbox_host *host = shelf->host.host_id[0] ? &shelf->host : NULL;

    return outbox_table_write_destination(file, shelf->id, &shelf->destination,
                                          shelf->last_put_s, err) &&
           outbox_table_write_host(file, shelf->id, host, err) &&
           outbox_table_write_service(file, shelf->id, shelf->has_service, err);
}

/* The books on disk must fit what is there after a restart. */
static void count_older(struct outbox_stock *stock, struct shelf_entry *entry,
                        const struct outbox_older *older)
{
    stock->older.values += older->values - entry->older.values;
    stock->older.accepted += older->accepted - entry->older.accepted;
    entry->older = *older;
}

static bool write_row(struct outbox_stock *stock, struct outbox_file *file,
                      struct shelf_entry *entry, struct error *err)
{
    struct outbox_record record;
    struct outbox_older older;

    buffer_reset(&stock->payload);
    outbox_code_write(entry->row, &stock->payload, &record, &older);
    count_older(stock, entry, &older);
    return outbox_table_write_row(file, &record, err);
}

static bool write_entry(struct outbox_stock *stock, const struct shelf *shelf,
                        struct shelf_entry *entry, struct error *err)
{
    bool is_written = true;

    if (entry->row && entry->row->is_dirty)
        is_written = write_row(stock, stock->file, entry, err);
    if (flight_of(entry) == entry->marked_s)
        return is_written;
    return is_written && outbox_table_mark_flight(stock->file, shelf->id, entry->minute_s,
                                                  flight_of(entry), err);
}

static bool write_key(struct outbox_stock *stock, const struct outbox_key *key,
                      struct error *err)
{
    struct shelf *shelf = shelf_table_find(&stock->table, key->destination);
    struct shelf_entry *entry = shelf ? shelf_find_row(shelf, key->minute_s) : NULL;

    if (shelf && shelf->is_dirty && !write_shelf(stock->file, shelf, err))
        return false;
    if (entry)
        return write_entry(stock, shelf, entry, err);
    if (key->minute_s == OUTBOX_NO_MINUTE)
        return true;
    return outbox_table_delete_row(stock->file, key->destination, key->minute_s, err);
}

static bool write_books(const struct outbox_stock *stock, struct outbox_file *file,
                        struct error *err)
{
    struct outbox_books books = {
        .last_lsn = stock->last_lsn,
        .last_id = stock->table.last_id,
        .ledger = stock->ledger,
    };

    books.ledger.queued -= stock->older.values;
    books.ledger.delivered += stock->older.accepted;
    books.ledger.replaced += stock->older.values - stock->older.accepted;
    return outbox_books_write(file, &books, err);
}

static bool write_all(struct outbox_stock *stock, struct error *err)
{
    for (size_t i = 0; i < stock->bad_count; i++)
        if (!outbox_table_keep_bad_row(stock->file, stock->bad[i].key.destination,
                                       stock->bad[i].key.minute_s, stock->bad[i].reason,
                                       err))
            return false;
    for (size_t i = 0; i < stock->changed_count; i++)
        if (!write_key(stock, &stock->changed[i], err))
            return false;
    for (size_t i = 0; i < stock->gone_count; i++)
        if (!outbox_table_delete_destination(stock->file, stock->gone[i], err))
            return false;
    return graph_table_write(stock->file, stock->graphs, false, err) &&
           write_books(stock, stock->file, err);
}

/* ---- afterwards -------------------------------------------------------------------------- */

static void note_entry(struct outbox_stock *stock, struct shelf_entry *entry)
{
    struct outbox_row *row = entry->row;

    entry->marked_s = flight_of(entry);
    entry->is_uncommitted = false;
    if (!row)
        return;
    row->is_dirty = row->is_changed = false;
    if (!row->is_linked)
        outbox_stock_link(stock, row);
}

static void note_saved(struct outbox_stock *stock)
{
    for (size_t i = 0; i < stock->changed_count; i++) {
        const struct outbox_key *key = &stock->changed[i];
        struct shelf *shelf = shelf_table_find(&stock->table, key->destination);
        struct shelf_entry *entry = shelf ? shelf_find_row(shelf, key->minute_s) : NULL;

        if (shelf)
            shelf->is_dirty = false;
        if (entry)
            note_entry(stock, entry);
    }
    stock->changed_count = stock->gone_count = stock->bad_count = 0;
    stock->is_changed = false;
    graph_book_stored(stock->graphs);
}

bool outbox_save(struct outbox_stock *stock, struct error *err)
{
    struct error why = {0};

    if (!stock->is_changed && !graph_book_is_dirty(stock->graphs))
        return true;
    if (outbox_file_begin(stock->file, &why) && write_all(stock, &why) &&
        outbox_file_commit(stock->file, &why)) {
        note_saved(stock);
        outbox_stock_trim(stock);
        database_shrink(&stock->file->database);
        return true;
    }
    outbox_file_rollback(stock->file);
    if (why.kind == ERROR_CORRUPT)
        outbox_stock_distrust(stock, &why);
    return FAIL(err, why.kind, "%s", why.text);
}

/* ---- everything, into another file --------------------------------------------------------- */

static bool copy_record(struct outbox_stock *stock, struct outbox_file *to,
                        const struct outbox_record *record, struct error *read_err,
                        struct error *err)
{
    struct outbox_row *row = outbox_code_read(record, read_err);
    bool is_written = !row || outbox_table_write_row(to, record, err);

    outbox_row_free(row);
    outbox_table_unload(stock->file);
    return is_written;
}

/* A row that is on disk only; read_err says why it cannot be read. */
static bool copy_row(struct outbox_stock *stock, struct outbox_file *to,
                     const struct outbox_key *key, struct error *read_err,
                     struct error *err)
{
    struct outbox_record record;

    read_err->kind = ERROR_NONE;
    if (!stock->file)
        FAIL(read_err, ERROR_CORRUPT, "the file cannot be opened");
    else if (outbox_table_load(stock->file, key->destination, key->minute_s, &record,
                               read_err))
        return copy_record(stock, to, &record, read_err, err);
    return true;
}

static bool copy_rows(struct outbox_stock *stock, struct shelf *shelf,
                      struct outbox_file *to, struct error *err)
{
    size_t at = 0;

    while (at < shelf->count) {
        struct shelf_entry *entry = &shelf->entries[at];
        const struct outbox_key key = {shelf->id, entry->minute_s};
        struct error lost = {0};
        bool is_written;

        if (entry->row)
            is_written = write_row(stock, to, entry, err);
        else
            is_written = copy_row(stock, to, &key, &lost, err);
        if (!is_written)
            return false;
        if (flight_of(entry) &&
            !outbox_table_mark_flight(to, key.destination, key.minute_s, flight_of(entry),
                                      err))
            return false;
        if (lost.kind == ERROR_NONE)
            at++;
        else
            outbox_stock_lose(stock, shelf, at, lost.text);
    }
    return true;
}

static bool copy_all(struct outbox_stock *stock, struct outbox_file *to,
                     struct error *err)
{
    for (size_t i = 0; i < stock->table.count; i++)
        if (!write_shelf(to, stock->table.shelves[i], err) ||
            !copy_rows(stock, stock->table.shelves[i], to, err))
            return false;
    return graph_table_write(to, stock->graphs, true, err) && write_books(stock, to, err);
}

bool outbox_save_copy(struct outbox_stock *stock, struct outbox_file *to,
                      struct error *err)
{
    if (outbox_file_begin(to, err) && copy_all(stock, to, err) &&
        outbox_file_commit(to, err))
        return true;
    outbox_file_rollback(to);
    return false;
}

void outbox_save_adopt(struct outbox_stock *stock)
{
    stock->file = NULL;
    stock->is_damaged = false;
    note_saved(stock);
    for (size_t i = 0; i < stock->table.count; i++) {
        struct shelf *shelf = stock->table.shelves[i];

        shelf->is_dirty = false;
        for (size_t at = 0; at < shelf->count; at++)
            note_entry(stock, &shelf->entries[at]);
    }
}
