#include "exporter/outbox_restore.h"

#include "base/log.h"
#include "base/memory.h"
#include "exporter/graph_table.h"
#include "exporter/outbox_books.h"
#include "exporter/outbox_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A request takes 30 s at most and may take effect OUTBOX_CONFIRM_S after that. */
enum {
    FLIGHT_MAX_S = 30
};

struct flight {
    struct outbox_key key;
    uint64_t taken_s;
};

struct restoring {
    struct outbox_stock *stock;
    struct flight *flights;
    size_t count, capacity;
    size_t strays; /* rows without a destination, destinations that are there twice */
};

static void take_destination(void *self, uint64_t id,
                             const struct mackerel_destination *destination,
                             uint64_t last_put_s)
{
    struct restoring *restoring = self;
    struct shelf_table *table = &restoring->stock->table;

    if (!shelf_table_restore(table, id, destination)) {
        restoring->strays++;
        return;
    }
    shelf_table_find(table, id)->last_put_s = last_put_s;
}

static void take_row(void *self, const struct outbox_record *record)
{
    struct restoring *restoring = self;
    struct outbox_stock *stock = restoring->stock;
    struct shelf *shelf = shelf_table_find(&stock->table, record->destination);
    struct shelf_entry *entry;

    if (!shelf || shelf_find_row(shelf, record->minute_s) ||
        record->natives > record->values || record->values > UINT32_MAX ||
        record->payload.len > UINT32_MAX) {
        restoring->strays++;
        return;
    }
    entry = shelf_add_row(shelf, record->minute_s);
    entry->lane = record->lane;
    entry->values = (uint32_t)record->values;
    entry->natives = (uint32_t)record->natives;
    entry->revision = record->revision;
    entry->due_s = record->due_s;
    entry->bytes = (uint32_t)record->payload.len;
    shelf->values += record->values;
    shelf->bytes += record->payload.len;
    stock->bytes += record->payload.len;
    stock->rows++;
    stock->row_changes++;
}

static void take_flight(void *self, uint64_t destination, uint64_t minute_s,
                        uint64_t taken_s)
{
    struct restoring *restoring = self;

    restoring->flights = memory_grow(restoring->flights, restoring->count + 1,
                                     &restoring->capacity, sizeof(struct flight));
    restoring->flights[restoring->count++] = (struct flight){
        .key = {destination, minute_s}, .taken_s = taken_s};
}

static void take_host(void *self, uint64_t destination, const struct outbox_host *host)
{
    const struct restoring *restoring = self;
    struct shelf *shelf = shelf_table_find(&restoring->stock->table, destination);

    if (shelf)
        shelf->host = *host;
}

static void take_service(void *self, uint64_t destination)
{
    const struct restoring *restoring = self;
    struct shelf *shelf = shelf_table_find(&restoring->stock->table, destination);

    if (shelf)
        shelf->has_service = true;
}

/* Whether Mackerel got these values is not known. */
static void doubt_flights(const struct restoring *restoring)
{
    struct outbox_stock *stock = restoring->stock;

    for (size_t i = 0; i < restoring->count; i++) {
        const struct flight *flight = &restoring->flights[i];
        struct shelf *shelf = shelf_table_find(&stock->table, flight->key.destination);
        struct shelf_entry *entry = shelf ? shelf_find_row(shelf, flight->key.minute_s)
                                          : NULL;
        size_t at = entry ? (size_t)(entry - shelf->entries) : 0;
        struct outbox_row *row = NULL;

        if (entry) {
            entry->marked_s = flight->taken_s;
            row = outbox_stock_load(stock, shelf, at);
        }
        if (!row) {
            outbox_stock_note(stock, flight->key.destination, flight->key.minute_s);
            continue;
        }
        outbox_row_doubt(row, flight->taken_s + FLIGHT_MAX_S + OUTBOX_CONFIRM_S);
        outbox_stock_changed(stock, shelf, at);
    }
}

/* Damage that nothing else notices may cost rows: the books follow what is there. */
static void fit_books(struct outbox_stock *stock)
{
    struct value_ledger *ledger = &stock->ledger;
    uint64_t values = 0;

    for (size_t i = 0; i < stock->table.count; i++)
        values += stock->table.shelves[i]->values;
    if (values == ledger->queued)
        return;
    log_event(LOG_ERROR, "the outbox does not hold what its books say; they follow it",
              LOG_UINT("values", values), LOG_UINT("values_in_books", ledger->queued));
    if (values < ledger->queued)
        ledger->withheld[WITHHELD_UNREADABLE].count += ledger->queued - values;
    else
        ledger->closed += values - ledger->queued;
    ledger->queued = values;
    stock->is_changed = true;
}

static struct outbox_reader reader_of(struct restoring *restoring)
{
    return (struct outbox_reader){
        .self = restoring,
        .destination = take_destination,
        .row = take_row,
        .flight = take_flight,
        .host = take_host,
        .service = take_service,
    };
}

static void take_books(struct restoring *restoring, const struct outbox_books *books)
{
    struct outbox_stock *stock = restoring->stock;

    stock->ledger = books->ledger;
    stock->last_lsn = books->last_lsn;
    if (books->last_id > stock->table.last_id)
        stock->table.last_id = books->last_id;
    fit_books(stock);
    doubt_flights(restoring);
}

bool outbox_restore(struct outbox_stock *stock, struct error *err)
{
    struct restoring restoring = {.stock = stock};
    const struct outbox_reader reader = reader_of(&restoring);
    struct outbox_books books;
    bool is_read = outbox_books_read(stock->file, &books, err) &&
                   outbox_table_read(stock->file, &reader, err);

    if (is_read && restoring.strays)
        is_read = FAIL(err, ERROR_CORRUPT, "%zu rows or destinations make no sense",
                       restoring.strays);
    if (is_read) {
        take_books(&restoring, &books);
        graph_table_read(stock->file, stock->graphs);
    }
    free(restoring.flights);
    return is_read;
}

bool outbox_restore_damaged(struct outbox_stock *stock, const char *why)
{
    struct restoring restoring = {.stock = stock};
    const struct outbox_reader reader = reader_of(&restoring);
    struct error damage = {.kind = ERROR_CORRUPT};
    struct outbox_books books;
    bool has_books = outbox_books_read(stock->file, &books, NULL);

    if (!has_books)
        books = (struct outbox_books){0};
    outbox_table_salvage(stock->file, &reader);
    graph_table_read(stock->file, stock->graphs);
    take_books(&restoring, &books);
    free(restoring.flights);
    snprintf(damage.text, sizeof(damage.text), "%s", why);
    outbox_stock_distrust(stock, &damage);
    return has_books || stock->rows > 0;
}
