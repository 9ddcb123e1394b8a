/*
 * A database of SQLite: opened the way a store with one writer and one connection wants it, its
 * statements run with typed values, its result codes told as errors.
 *
 * Locking is exclusive, so that the write-ahead log needs no shared memory and a second process is
 * refused; every commit is synced. Kinds of errors: ERROR_BUSY: the disk is full. ERROR_CORRUPT: not
 * a database, damaged, of another schema, or read-only. ERROR_INVALID: another process has it open.
 * ERROR_INTERNAL: the disk fails, or the file cannot be opened. Owner: one thread.
 */
#ifndef EXPORTER_DATABASE_H
#define EXPORTER_DATABASE_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"

#include <sqlite3.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct database {
    sqlite3 *db;
};

/* Creates an empty file where there is none. */
bool database_open(struct database *database, const char *path, const char *vfs,
                   struct error *err) MUST_CHECK;

/* A damaged one is left as it is: its log is not written back into it. */
void database_close(struct database *database, bool is_damaged);

/* The error of the last call, with what was tried. Returns false. */
bool database_fail(const struct database *database, const char *what, struct error *err);

/* Several statements without results. */
bool database_exec(const struct database *database, const char *sql,
                   struct error *err) MUST_CHECK;

/* The one number of a query such as a PRAGMA. */
bool database_number(const struct database *database, const char *sql, int64_t *number,
                     struct error *err) MUST_CHECK;

/* Are the pages in order? False with ERROR_CORRUPT and the first complaint. */
bool database_check(const struct database *database, struct error *err) MUST_CHECK;

/* Gives some pages back to the disk when more than half of them are unused. */
void database_shrink(const struct database *database);

/* Was the file renamed or removed behind our back? What is written to it would be lost. */
bool database_has_moved(const struct database *database);

/* NULL with ERROR_CORRUPT where the schema does not have what the statement names. */
sqlite3_stmt *database_prepare(const struct database *database, const char *sql,
                               struct error *err) MUST_CHECK;

struct database_value {
    enum database_type {
        DATABASE_NUMBER,
        DATABASE_TEXT,
        DATABASE_BLOB
    } type;

    uint64_t number;
    struct slice bytes; /* borrowed for the call */
};

#define NUMBER(value) ((struct database_value){DATABASE_NUMBER, (uint64_t)(value), {0}})
#define TEXT(value)   ((struct database_value){DATABASE_TEXT, 0, (value)})
#define BLOB(value)   ((struct database_value){DATABASE_BLOB, 0, (value)})

/* Binds the values; then database_step() until it says so, then sqlite3_reset(). */
void database_bind(sqlite3_stmt *statement, const struct database_value *values,
                   size_t count);

/* *has_row says whether there is a (further) row. */
bool database_step(const struct database *database, sqlite3_stmt *statement,
                   bool *has_row, struct error *err) MUST_CHECK;

/* Binds, runs and resets a statement without results. */
bool database_run(const struct database *database, sqlite3_stmt *statement,
                  const struct database_value *values, size_t count,
                  struct error *err) MUST_CHECK;

/* A column of the current row; bytes are borrowed until the next step. */
uint64_t database_column_number(sqlite3_stmt *statement, int column);
struct slice database_column_bytes(sqlite3_stmt *statement, int column);

#endif
