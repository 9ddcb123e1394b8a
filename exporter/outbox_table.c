#include "exporter/outbox_table.h"

#include <stdio.h>

/* ---- seals ------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t seal, struct slice text)
{
    return outbox_file_seal(text, seal);
}

static uint64_t seal_destination(uint64_t id,
                                 const struct mackerel_destination *destination)
{
    uint64_t seal = id * 2 + (destination->kind == MACKEREL_SERVICE);

    seal = mix(seal, destination->name);
    seal = mix(seal, destination->host_id);
    seal = mix(seal, destination->custom_identifier);
    return mix(seal, destination->roles);
}

static uint64_t seal_host(uint64_t destination, const struct outbox_host *host)
{
    return mix(destination * 4 + host->native, slice_of(host->host_id));
}

/* ---- reading ----------------------------------------------------------------------------- */

static bool give_destination(const struct outbox_reader *reader, sqlite3_stmt *row)
{
    const struct mackerel_destination destination = {
        .kind = database_column_number(row, 1) ? MACKEREL_SERVICE : MACKEREL_HOST,
        .name = database_column_bytes(row, 2),
        .host_id = database_column_bytes(row, 3),
        .custom_identifier = database_column_bytes(row, 4),
        .roles = database_column_bytes(row, 5),
    };
    uint64_t id = database_column_number(row, 0);

    if (seal_destination(id, &destination) != database_column_number(row, 7))
        return false;
    reader->destination(reader->self, id, &destination, database_column_number(row, 6));
    return true;
}

static struct outbox_record read_record(sqlite3_stmt *row)
{
    return (struct outbox_record){
        .destination = database_column_number(row, 0),
        .minute_s = database_column_number(row, 1),
        .lane = database_column_number(row, 2) ? MACKEREL_BACKFILL : MACKEREL_LIVE,
        .revision = (uint32_t)database_column_number(row, 3),
        .values = database_column_number(row, 4),
        .natives = database_column_number(row, 5),
        .due_s = database_column_number(row, 6),
    };
}

static bool give_row(const struct outbox_reader *reader, sqlite3_stmt *row)
{
    struct outbox_record record = read_record(row);

    record.payload.len = database_column_number(row, 7);
    reader->row(reader->self, &record);
    return true;
}

static bool give_flight(const struct outbox_reader *reader, sqlite3_stmt *row)
{
    reader->flight(reader->self, database_column_number(row, 0),
                   database_column_number(row, 1), database_column_number(row, 2));
    return true;
}

static bool give_host(const struct outbox_reader *reader, sqlite3_stmt *row)
{
    struct slice id = database_column_bytes(row, 1);
    struct outbox_host host = {
        .verify_s = database_column_number(row, 2),
        .native = (uint32_t)database_column_number(row, 3),
        .native_due_s = database_column_number(row, 4),
    };

    snprintf(host.host_id, sizeof(host.host_id), "%.*s", SLICE_ARG(id));
    if (seal_host(database_column_number(row, 0), &host) !=
        database_column_number(row, 5))
        return false;
    reader->host(reader->self, database_column_number(row, 0), &host);
    return true;
}

static bool give_service(const struct outbox_reader *reader, sqlite3_stmt *row)
{
    reader->service(reader->self, database_column_number(row, 0));
    return true;
}

struct reading {
    bool (*give)(const struct outbox_reader *reader, sqlite3_stmt *row);
    enum outbox_statement statement;
    bool rises; /* by destination and minute */
};

/* A damaged key leaves rows that a walk finds and a search does not: then the keys do not rise. */
struct key {
    uint64_t destination, minute_s;
    bool is_set;
};

static bool key_rises(struct key *last, sqlite3_stmt *row)
{
    struct key next = {database_column_number(row, 0), database_column_number(row, 1),
                       true};
    bool is_beyond = next.destination != last->destination
                         ? next.destination > last->destination
                         : next.minute_s > last->minute_s;
    bool rises = !last->is_set || is_beyond;

    *last = next;
    return rises;
}

/* Gives each row of the statement's result away. Adds to *broken how many have a broken seal or are
 * out of order. */
static bool read_all(struct outbox_file *file, const struct reading *reading,
                     const struct outbox_reader *reader, size_t *broken,
                     struct error *err)
{
    sqlite3_stmt *statement = file->statements[reading->statement];
    struct key last = {0};
    bool has_row, is_read;

    while ((is_read = database_step(&file->database, statement, &has_row, err)) &&
           has_row) {
        *broken += !reading->give(reader, statement);
        *broken += reading->rises && !key_rises(&last, statement);
    }
    sqlite3_reset(statement);
    return is_read;
}

bool outbox_table_read(struct outbox_file *file, const struct outbox_reader *reader,
                       struct error *err)
{
    static const struct reading readings[] = {
        {give_destination, OUTBOX_READ_DESTINATIONS, false},
        {give_row, OUTBOX_READ_ROWS, true},
        {give_flight, OUTBOX_READ_FLIGHTS, true},
        {give_host, OUTBOX_READ_HOSTS, false},
        {give_service, OUTBOX_READ_SERVICES, false},
    };
    size_t broken = 0;

    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
        if (!read_all(file, &readings[i], reader, &broken, err))
            return false;
    if (broken)
        return FAIL(err, ERROR_CORRUPT, "%zu rows with a broken seal or out of order",
                    broken);
    return true;
}

void outbox_table_salvage(struct outbox_file *file, const struct outbox_reader *reader)
{
    static const struct reading readings[] = {
        {give_destination, OUTBOX_READ_DESTINATIONS, false},
        {give_destination, OUTBOX_READ_DESTINATIONS_BACK, false},
        {give_row, OUTBOX_READ_ROWS, false},
        {give_row, OUTBOX_READ_ROWS_BACK, false},
        {give_flight, OUTBOX_READ_FLIGHTS, false},
        {give_host, OUTBOX_READ_HOSTS, false},
        {give_service, OUTBOX_READ_SERVICES, false},
    };
    size_t broken = 0;

    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
        (void)read_all(file, &readings[i], reader, &broken, NULL);
}

bool outbox_table_load(struct outbox_file *file, uint64_t destination, uint64_t minute_s,
                       struct outbox_record *record, struct error *err)
{
    sqlite3_stmt *statement = file->statements[OUTBOX_LOAD_ROW];
    const struct database_value key[] = {NUMBER(destination), NUMBER(minute_s)};
    bool has_row;

    sqlite3_reset(statement);
    database_bind(statement, key, 2);
    if (!database_step(&file->database, statement, &has_row, err)) {
        sqlite3_reset(statement);
        return false;
    }
    if (!has_row) {
        sqlite3_reset(statement);
        return FAIL(err, ERROR_NOT_FOUND, "the row is not in the database");
    }
    *record = read_record(statement);
    record->payload = database_column_bytes(statement, 7);
    return true;
}

void outbox_table_unload(struct outbox_file *file)
{
    sqlite3_reset(file->statements[OUTBOX_LOAD_ROW]);
}

/* ---- writing ----------------------------------------------------------------------------- */

bool outbox_table_write_destination(struct outbox_file *file, uint64_t id,
                                    const struct mackerel_destination *destination,
                                    uint64_t last_put_s, struct error *err)
{
    return OUTBOX_RUN(file, OUTBOX_WRITE_DESTINATION, err, NUMBER(id),
                      NUMBER(destination->kind), TEXT(destination->name),
                      TEXT(destination->host_id), TEXT(destination->custom_identifier),
                      TEXT(destination->roles), NUMBER(last_put_s),
                      NUMBER(seal_destination(id, destination)));
}

bool outbox_table_delete_destination(struct outbox_file *file, uint64_t id,
                                     struct error *err)
{
    return OUTBOX_RUN(file, OUTBOX_DELETE_DESTINATION, err, NUMBER(id)) &&
           OUTBOX_RUN(file, OUTBOX_DELETE_HOST, err, NUMBER(id)) &&
           OUTBOX_RUN(file, OUTBOX_DELETE_SERVICE, err, NUMBER(id));
}

bool outbox_table_write_row(struct outbox_file *file, const struct outbox_record *record,
                            struct error *err)
{
    return OUTBOX_RUN(file, OUTBOX_WRITE_ROW, err, NUMBER(record->destination),
                      NUMBER(record->minute_s), NUMBER(record->lane),
                      NUMBER(record->revision), NUMBER(record->values),
                      NUMBER(record->natives), NUMBER(record->due_s),
                      BLOB(record->payload));
}

bool outbox_table_delete_row(struct outbox_file *file, uint64_t destination,
                             uint64_t minute_s, struct error *err)
{
    return OUTBOX_RUN(file, OUTBOX_DELETE_ROW, err, NUMBER(destination),
                      NUMBER(minute_s)) &&
           outbox_table_mark_flight(file, destination, minute_s, 0, err);
}

bool outbox_table_keep_bad_row(struct outbox_file *file, uint64_t destination,
                               uint64_t minute_s, const char *reason, struct error *err)
{
    return OUTBOX_RUN(file, OUTBOX_KEEP_BAD_ROW, err, NUMBER(destination),
                      NUMBER(minute_s), TEXT(slice_of(reason)));
}

bool outbox_table_mark_flight(struct outbox_file *file, uint64_t destination,
                              uint64_t minute_s, uint64_t taken_s, struct error *err)
{
    if (taken_s == 0)
        return OUTBOX_RUN(file, OUTBOX_DELETE_FLIGHT, err, NUMBER(destination),
                          NUMBER(minute_s));
    return OUTBOX_RUN(file, OUTBOX_WRITE_FLIGHT, err, NUMBER(destination),
                      NUMBER(minute_s), NUMBER(taken_s));
}

bool outbox_table_write_host(struct outbox_file *file, uint64_t destination,
                             const struct outbox_host *host, struct error *err)
{
    if (!host)
        return OUTBOX_RUN(file, OUTBOX_DELETE_HOST, err, NUMBER(destination));
    return OUTBOX_RUN(file, OUTBOX_WRITE_HOST, err, NUMBER(destination),
                      TEXT(slice_of(host->host_id)), NUMBER(host->verify_s),
                      NUMBER(host->native), NUMBER(host->native_due_s),
                      NUMBER(seal_host(destination, host)));
}

bool outbox_table_write_service(struct outbox_file *file, uint64_t destination,
                                bool exists, struct error *err)
{
    return OUTBOX_RUN(file, exists ? OUTBOX_WRITE_SERVICE : OUTBOX_DELETE_SERVICE, err,
                      NUMBER(destination));
}
