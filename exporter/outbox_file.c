#include "exporter/outbox_file.h"

#include "base/hash.h"
#include "base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum {
    SCHEMA_VERSION = 1,
    APPLICATION_ID = 0x4D6F676F, /* "Mogo": Mackerel OTel gateway's outbox */
};

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL, seal INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE ledger(name TEXT PRIMARY KEY, count INTEGER NOT NULL,"
    " example TEXT NOT NULL, example_ns INTEGER NOT NULL, seal INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE destinations(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
    " name TEXT NOT NULL, host_id TEXT NOT NULL, custom_identifier TEXT NOT NULL,"
    " roles TEXT NOT NULL, last_put INTEGER NOT NULL, seal INTEGER NOT NULL);"
    "CREATE TABLE rows(destination INTEGER NOT NULL, minute INTEGER NOT NULL,"
    " lane INTEGER NOT NULL, revision INTEGER NOT NULL, queued INTEGER NOT NULL,"
    " natives INTEGER NOT NULL, due INTEGER NOT NULL, payload BLOB NOT NULL,"
    " PRIMARY KEY(destination, minute)) WITHOUT ROWID;"
    "CREATE TABLE flights(destination INTEGER NOT NULL, minute INTEGER NOT NULL,"
    " taken INTEGER NOT NULL, PRIMARY KEY(destination, minute)) WITHOUT ROWID;"
    "CREATE TABLE bad_rows(destination INTEGER NOT NULL, minute INTEGER NOT NULL,"
    " lane INTEGER, revision INTEGER, queued INTEGER, natives INTEGER, due INTEGER,"
    " payload BLOB, reason TEXT NOT NULL);"
    "CREATE TABLE hosts(destination INTEGER PRIMARY KEY, mackerel_id TEXT NOT NULL,"
    " verify INTEGER NOT NULL, native INTEGER NOT NULL, native_due INTEGER NOT NULL,"
    " seal INTEGER NOT NULL);"
    "CREATE TABLE services(destination INTEGER PRIMARY KEY);"
    "PRAGMA application_id=0x4D6F676F;"
    "PRAGMA user_version=1;"
    "COMMIT;";

/* Came after the first schema: a file without it is as good. */
static const char graph_schema[] =
    "CREATE TABLE IF NOT EXISTS graphs(name TEXT PRIMARY KEY, lines TEXT NOT NULL,"
    " posted INTEGER NOT NULL, posted_at INTEGER NOT NULL, used_at INTEGER NOT NULL,"
    " seal INTEGER NOT NULL) WITHOUT ROWID;";

#define DESTINATION_COLUMNS \
    "id, kind, name, host_id, custom_identifier, roles, last_put, seal"
#define ROW_COLUMNS "destination, minute, lane, revision, queued, natives, due, "

static const char *const statements[] = {
    [OUTBOX_READ_META] = "SELECT key, value, seal FROM meta",
    [OUTBOX_READ_LEDGER] = "SELECT name, count, example, example_ns, seal FROM ledger",
    [OUTBOX_READ_DESTINATIONS_BACK] = "SELECT " DESTINATION_COLUMNS
                                      " FROM destinations ORDER BY id DESC",
    [OUTBOX_READ_ROWS_BACK] =
        "SELECT " ROW_COLUMNS
        "length(payload) FROM rows ORDER BY destination DESC, minute DESC",
    [OUTBOX_READ_DESTINATIONS] = "SELECT " DESTINATION_COLUMNS
                                 " FROM destinations ORDER BY id",
    [OUTBOX_READ_ROWS] = "SELECT " ROW_COLUMNS
                         "length(payload) FROM rows ORDER BY destination, minute",
    [OUTBOX_READ_FLIGHTS] = "SELECT destination, minute, taken FROM flights",
    [OUTBOX_READ_HOSTS] =
        "SELECT destination, mackerel_id, verify, native, native_due, seal FROM hosts",
    [OUTBOX_READ_SERVICES] = "SELECT destination FROM services",
    [OUTBOX_READ_GRAPHS] =
        "SELECT name, lines, posted, posted_at, used_at, seal FROM graphs",
    [OUTBOX_LOAD_ROW] = "SELECT " ROW_COLUMNS
                        "payload FROM rows WHERE destination = ?1 AND minute = ?2",
    [OUTBOX_WRITE_META] = "INSERT OR REPLACE INTO meta VALUES(?1, ?2, ?3)",
    [OUTBOX_WRITE_LEDGER] = "INSERT OR REPLACE INTO ledger VALUES(?1, ?2, ?3, ?4, ?5)",
    [OUTBOX_WRITE_DESTINATION] =
        "INSERT OR REPLACE INTO destinations VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [OUTBOX_WRITE_ROW] =
        "INSERT OR REPLACE INTO rows VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    [OUTBOX_WRITE_FLIGHT] = "INSERT OR REPLACE INTO flights VALUES(?1, ?2, ?3)",
    [OUTBOX_WRITE_HOST] = "INSERT OR REPLACE INTO hosts VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [OUTBOX_WRITE_SERVICE] = "INSERT OR REPLACE INTO services VALUES(?1)",
    [OUTBOX_WRITE_GRAPH] = "INSERT OR REPLACE INTO graphs VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [OUTBOX_KEEP_BAD_ROW] =
        "INSERT INTO bad_rows SELECT " ROW_COLUMNS
        "payload, ?3 FROM rows WHERE destination = ?1 AND minute = ?2",
    [OUTBOX_DELETE_DESTINATION] = "DELETE FROM destinations WHERE id = ?1",
    [OUTBOX_DELETE_ROW] = "DELETE FROM rows WHERE destination = ?1 AND minute = ?2",
    [OUTBOX_DELETE_FLIGHT] = "DELETE FROM flights WHERE destination = ?1 AND minute = ?2",
    [OUTBOX_DELETE_HOST] = "DELETE FROM hosts WHERE destination = ?1",
    [OUTBOX_DELETE_SERVICE] = "DELETE FROM services WHERE destination = ?1",
    [OUTBOX_DELETE_GRAPH] = "DELETE FROM graphs WHERE name = ?1",
};

static_assert(sizeof(statements) / sizeof(statements[0]) == OUTBOX_STATEMENT_LAST + 1,
              "one text per statement");

static bool read_versions(const struct database *database, int64_t *application,
                          int64_t *version, struct error *err)
{
    return database_number(database, "PRAGMA application_id", application, err) &&
           database_number(database, "PRAGMA user_version", version, err);
}

static bool make_tables(const struct database *database, struct error *err)
{
    int64_t version, application, tables;

    if (!read_versions(database, &application, &version, err) ||
        !database_number(database, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (version == 0 && application == 0 && tables == 0)
        return database_exec(database, schema, err) &&
               database_exec(database, graph_schema, err);
    if (application != APPLICATION_ID)
        return FAIL(err, ERROR_CORRUPT, "a database of another program");
    if (version != SCHEMA_VERSION)
        return FAIL(err, ERROR_CORRUPT, "schema version %lld is not known",
                    (long long)version);
    return database_check(database, err) && database_exec(database, graph_schema, err);
}

static bool is_about_graphs(int statement)
{
    return statement == OUTBOX_READ_GRAPHS || statement == OUTBOX_WRITE_GRAPH ||
           statement == OUTBOX_DELETE_GRAPH;
}

static bool prepare(struct outbox_file *file, struct error *err)
{
    for (int i = 0; i <= OUTBOX_STATEMENT_LAST; i++) {
        file->statements[i] = database_prepare(&file->database, statements[i], err);
        if (!file->statements[i] && !is_about_graphs(i))
            return false;
    }
    return true;
}

struct outbox_file *outbox_file_open(const char *path, const char *vfs, struct error *err)
{
    struct outbox_file *file = memory_new(1, sizeof(*file));

    if (database_open(&file->database, path, vfs, err) &&
        make_tables(&file->database, err) && prepare(file, err))
        return file;
    outbox_file_close(file, true);
    return NULL;
}

struct outbox_file *outbox_file_open_damaged(const char *path, const char *vfs,
                                             struct error *err)
{
    struct outbox_file *file = memory_new(1, sizeof(*file));
    int64_t application = 0, version = 0;

    if (database_open(&file->database, path, vfs, err) &&
        read_versions(&file->database, &application, &version, err) &&
        application == APPLICATION_ID && version == SCHEMA_VERSION && prepare(file, err))
        return file;
    outbox_file_close(file, true);
    return NULL;
}

void outbox_file_close(struct outbox_file *file, bool is_damaged)
{
    if (!file)
        return;
    for (int i = 0; i <= OUTBOX_STATEMENT_LAST; i++)
        sqlite3_finalize(file->statements[i]);
    database_close(&file->database, is_damaged);
    free(file);
}

bool outbox_file_begin(struct outbox_file *file, struct error *err)
{
    return database_exec(&file->database, "BEGIN IMMEDIATE", err);
}

bool outbox_file_commit(struct outbox_file *file, struct error *err)
{
    return database_exec(&file->database, "COMMIT", err);
}

void outbox_file_rollback(struct outbox_file *file)
{
    /* SQLite has rolled back by itself after some failures; nothing is left to do then. */
    if (!sqlite3_get_autocommit(file->database.db))
        sqlite3_exec(file->database.db, "ROLLBACK", NULL, NULL, NULL);
}

uint64_t outbox_file_seal(struct slice text, uint64_t number)
{
    return hash_bytes(text, number).low;
}
