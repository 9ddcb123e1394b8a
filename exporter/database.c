#include "exporter/database.h"

/*
 * Exclusive before anything touches the log; auto_vacuum before there is a table, so that the file
 * can give pages back. Freed pages are not overwritten with zeros, which would
 * write every row twice. The log is cut to 16 MiB after a large transaction.
 */
static const char setup[] = "PRAGMA locking_mode=EXCLUSIVE;"
                            "PRAGMA auto_vacuum=INCREMENTAL;"
                            "PRAGMA journal_mode=WAL;"
                            "PRAGMA synchronous=FULL;"
                            "PRAGMA secure_delete=OFF;"
                            "PRAGMA temp_store=MEMORY;"
                            "PRAGMA trusted_schema=OFF;"
                            "PRAGMA cell_size_check=ON;"
                            "PRAGMA journal_size_limit=16777216;";

enum {
    SHRINK_PAGES = 512 /* of 4 KiB: what busy minutes need is not worth giving back */
};

static enum error_kind kind_of(int code)
{
    switch (code & 0xFF) {
    case SQLITE_FULL: return ERROR_BUSY;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return ERROR_INVALID;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR: /* SQL that the schema does not fit */
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG: return ERROR_CORRUPT;
    default: return ERROR_INTERNAL;
    }
}

bool database_fail(const struct database *database, const char *what, struct error *err)
{
    int code = sqlite3_extended_errcode(database->db);

    if ((code & 0xFF) == SQLITE_BUSY)
        return FAIL(err, ERROR_INVALID, "another process has the database open (%s)",
                    what);
    return FAIL(err, kind_of(code), "%s (code %d, %.40s)", sqlite3_errmsg(database->db),
                code, what);
}

bool database_open(struct database *database, const char *path, const char *vfs,
                   struct error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(path, &database->db, flags, vfs && *vfs ? vfs : NULL) !=
        SQLITE_OK) {
        if (database->db)
            database_fail(database, "open", err);
        else
            FAIL(err, ERROR_INTERNAL, "open: out of memory");
        database_close(database, true);
        return false;
    }
    sqlite3_extended_result_codes(database->db, 1);
    sqlite3_db_config(database->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (sqlite3_db_readonly(database->db, "main") == 1) {
        FAIL(err, ERROR_CORRUPT, "open: the file may not be written");
        database_close(database, true);
        return false;
    }
    if (database_exec(database, setup, err))
        return true;
    database_close(database, true);
    return false;
}

void database_close(struct database *database, bool is_damaged)
{
    if (is_damaged && database->db)
        sqlite3_db_config(database->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_close_v2(database->db);
    database->db = NULL;
}

bool database_exec(const struct database *database, const char *sql, struct error *err)
{
    if (sqlite3_exec(database->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_fail(database, "exec", err);
    return true;
}

bool database_number(const struct database *database, const char *sql, int64_t *number,
                     struct error *err)
{
    sqlite3_stmt *statement = database_prepare(database, sql, err);
    bool is_read = false, has_row = false;

    if (!statement)
        return false;
    is_read = database_step(database, statement, &has_row, err);
    if (has_row)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return is_read && (has_row || FAIL(err, ERROR_CORRUPT, "%s gives nothing", sql));
}

bool database_check(const struct database *database, struct error *err)
{
    sqlite3_stmt *statement = database_prepare(database, "PRAGMA quick_check(1)", err);
    bool is_read, has_row = false, is_fine = false;

    if (!statement)
        return false;
    is_read = database_step(database, statement, &has_row, err);
    if (has_row) {
        struct slice finding = database_column_bytes(statement, 0);

        is_fine = slice_is(finding, "ok");
        if (!is_fine)
            FAIL(err, ERROR_CORRUPT, "check: %.*s", SLICE_ARG(finding));
    }
    sqlite3_finalize(statement);
    return is_read && is_fine;
}

void database_shrink(const struct database *database)
{
    int64_t pages = 0, unused = 0;

    if (!database_number(database, "PRAGMA page_count", &pages, NULL) ||
        !database_number(database, "PRAGMA freelist_count", &unused, NULL) ||
        unused < SHRINK_PAGES || unused < pages / 2)
        return;
    /* It may fail, on a full disk say; then the pages stay where they are. */
    sqlite3_exec(database->db, "PRAGMA incremental_vacuum(1024)", NULL, NULL, NULL);
}

bool database_has_moved(const struct database *database)
{
    int has_moved = 0;

    /* A VFS that cannot tell leaves it at 0. */
    sqlite3_file_control(database->db, "main", SQLITE_FCNTL_HAS_MOVED, &has_moved);
    return has_moved;
}

sqlite3_stmt *database_prepare(const struct database *database, const char *sql,
                               struct error *err)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(database->db, sql, -1, &statement, NULL) == SQLITE_OK)
        return statement;
    database_fail(database, "schema", err);
    return NULL;
}

void database_bind(sqlite3_stmt *statement, const struct database_value *values,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct database_value *value = &values[i];
        const char *bytes = value->bytes.len ? value->bytes.ptr : "";
        int at = (int)i + 1;

        switch (value->type) {
        case DATABASE_NUMBER:
            sqlite3_bind_int64(statement, at, (sqlite3_int64)value->number);
            break;
        case DATABASE_TEXT:
            sqlite3_bind_text64(statement, at, bytes, value->bytes.len, SQLITE_STATIC,
                                SQLITE_UTF8);
            break;
        case DATABASE_BLOB:
            sqlite3_bind_blob64(statement, at, bytes, value->bytes.len, SQLITE_STATIC);
            break;
        }
    }
}

bool database_step(const struct database *database, sqlite3_stmt *statement,
                   bool *has_row, struct error *err)
{
    int code = sqlite3_step(statement);

    *has_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return true;
    return database_fail(database, sqlite3_sql(statement), err);
}

bool database_run(const struct database *database, sqlite3_stmt *statement,
                  const struct database_value *values, size_t count, struct error *err)
{
    bool has_row, has_run;

    database_bind(statement, values, count);
    has_run = database_step(database, statement, &has_row, err);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return has_run;
}

uint64_t database_column_number(sqlite3_stmt *statement, int column)
{
    return (uint64_t)sqlite3_column_int64(statement, column);
}

struct slice database_column_bytes(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);

    return (struct slice){bytes, (size_t)sqlite3_column_bytes(statement, column)};
}
