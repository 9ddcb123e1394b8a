/*
 * The outbox's database: its tables and the statements on them. What is written between begin and
 * commit is there entirely or not at all.
 *
 *   meta          newest tick, last id of a destination; sealed against flipped bits
 *   ledger        the value ledger, one heading a line; sealed
 *   destinations  id and identity; sealed
 *   rows          one per (destination, minute); the payload is of exporter/outbox_code.h
 *   flights       rows of which something is on its way to Mackerel, and since when
 *   bad_rows      rows whose payload is damaged, kept for a person
 *   hosts, services  what was found in Mackerel for a destination; hosts are sealed
 *   graphs        definitions that Mackerel took; sealed, and added to a file that has none
 *
 * exporter/outbox_books.h, outbox_table.h and graph_table.h read and write them. Errors as in
 * exporter/database.h. One thread.
 */
#ifndef EXPORTER_OUTBOX_FILE_H
#define EXPORTER_OUTBOX_FILE_H

#include "base/compiler.h"
#include "base/error.h"
#include "exporter/database.h"

enum outbox_statement {
    OUTBOX_READ_META,
    OUTBOX_READ_LEDGER,
    OUTBOX_READ_DESTINATIONS,
    OUTBOX_READ_DESTINATIONS_BACK,
    OUTBOX_READ_ROWS,
    OUTBOX_READ_ROWS_BACK,
    OUTBOX_READ_FLIGHTS,
    OUTBOX_READ_HOSTS,
    OUTBOX_READ_SERVICES,
    OUTBOX_READ_GRAPHS,
    OUTBOX_LOAD_ROW,
    OUTBOX_WRITE_META,
    OUTBOX_WRITE_LEDGER,
    OUTBOX_WRITE_DESTINATION,
    OUTBOX_WRITE_ROW,
    OUTBOX_WRITE_FLIGHT,
    OUTBOX_WRITE_HOST,
    OUTBOX_WRITE_SERVICE,
    OUTBOX_WRITE_GRAPH,
    OUTBOX_KEEP_BAD_ROW,
    OUTBOX_DELETE_DESTINATION,
    OUTBOX_DELETE_ROW,
    OUTBOX_DELETE_FLIGHT,
    OUTBOX_DELETE_HOST,
    OUTBOX_DELETE_SERVICE,
    OUTBOX_DELETE_GRAPH,
    OUTBOX_STATEMENT_LAST = OUTBOX_DELETE_GRAPH
};

struct outbox_file {
    struct database database;
    sqlite3_stmt *statements[OUTBOX_STATEMENT_LAST + 1]; /* of graphs: NULL without it */
};

/* Makes the tables in a new or empty file. NULL with ERROR_CORRUPT when it is not an outbox. */
struct outbox_file *outbox_file_open(const char *path, const char *vfs,
                                     struct error *err) MUST_CHECK;
/* Without looking whether it is sound; to save what can be read. */
struct outbox_file *outbox_file_open_damaged(const char *path, const char *vfs,
                                             struct error *err) MUST_CHECK;
/* `is_damaged`: leave it as it is. NULL-safe. */
void outbox_file_close(struct outbox_file *file, bool is_damaged);

bool outbox_file_begin(struct outbox_file *file, struct error *err) MUST_CHECK;
bool outbox_file_commit(struct outbox_file *file, struct error *err) MUST_CHECK;
void outbox_file_rollback(struct outbox_file *file);

/* A flipped bit in what no page structure covers would be believed: such lines carry a seal. */
uint64_t outbox_file_seal(struct slice text, uint64_t number);

/* Runs a statement without results: OUTBOX_RUN(file, statement, err, NUMBER(1), TEXT(name)). */
#define OUTBOX_RUN(file, statement, err, ...)                           \
    database_run(&(file)->database, (file)->statements[statement],      \
                 (const struct database_value[]){__VA_ARGS__},          \
                 sizeof((const struct database_value[]){__VA_ARGS__}) / \
                     sizeof(struct database_value),                     \
                 err)

#endif
