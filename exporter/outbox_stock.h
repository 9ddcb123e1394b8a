/*
 * What the outbox holds, without locks: shelves with their rows, the books, and which rows are in
 * memory. With a file, a row that is neither dirty nor in flight may be unloaded and is loaded again
 * when it is needed; what changed since the last save is remembered by key. Without one, all rows
 * stay in memory.
 *
 * A row that cannot be decoded leaves the books as withheld{unreadable}, and the save moves it to
 * bad_rows. When SQLite itself reports damage, is_damaged is set and rows on disk stay where they
 * are until the owner has made a new file.
 * Owner: exporter/outbox.c. exporter/outbox_flow.h moves values through it, outbox_save.h and
 * outbox_restore.h write and read the file.
 */
#ifndef EXPORTER_OUTBOX_STOCK_H
#define EXPORTER_OUTBOX_STOCK_H

#include "base/error.h"
#include "exporter/graph_book.h"
#include "exporter/outbox_file.h"
#include "exporter/shelf.h"

/* A row, or with OUTBOX_NO_MINUTE the destination alone. */
struct outbox_key {
    uint64_t destination, minute_s;
};

#define OUTBOX_NO_MINUTE UINT64_MAX

enum {
    OUTBOX_REASON_MAX = 128
};

struct outbox_bad_row {
    struct outbox_key key;
    char reason[OUTBOX_REASON_MAX];
};

struct outbox_stock {
    bool is_on_disk;
    struct outbox_file
        *file; /* NULL: memory, or while a rebuilt file is not in its place yet */
    size_t max_bytes, loaded_max_bytes;
    struct graph_book *graphs; /* kept in the file as well; the owner's */
    struct shelf_table table;
    struct value_ledger ledger;
    uint64_t last_lsn;                  /* newest tick that was merged */
    size_t rows, bytes;                 /* `bytes` as they count against max_bytes */
    uint64_t row_changes;               /* rows that came and went */
    size_t loaded_bytes;                /* memory of loaded rows */
    struct outbox_row *oldest, *newest; /* that may be unloaded, by their last use */
    struct outbox_older older; /* sum over all rows, as the books on disk take them */
    struct buffer payload;     /* room to encode rows in */
    /* Since the last save: */
    bool is_changed;
    struct outbox_key *changed;
    size_t changed_count, changed_capacity;
    uint64_t *gone; /* destinations */
    size_t gone_count, gone_capacity;
    struct outbox_bad_row *bad;
    size_t bad_count, bad_capacity;
    /* Since the start: */
    uint64_t bad_rows;
    char last_bad[OUTBOX_REASON_MAX + 64];
    bool is_damaged;
    char damage[OUTBOX_REASON_MAX]; /* what SQLite said */
};

void outbox_stock_release(struct outbox_stock *stock);

/* The row at `at`, loaded if it must be. NULL when that fails; a bad row is gone then. */
struct outbox_row *outbox_stock_load(struct outbox_stock *stock, struct shelf *shelf,
                                     size_t at);
/* After a change of the row at `at`: it differs from what is on disk, or is over and gone. */
void outbox_stock_changed(struct outbox_stock *stock, struct shelf *shelf, size_t at);
/* Values of it were taken for a flight or came back from one. */
void outbox_stock_taken(struct outbox_stock *stock, struct outbox_row *row);
/* Sets the row aside. */
void outbox_stock_lose(struct outbox_stock *stock, struct shelf *shelf, size_t at,
                       const char *reason);
/* The row or destination has something to write. */
void outbox_stock_note(struct outbox_stock *stock, uint64_t destination,
                       uint64_t minute_s);
/* The row is as it is on disk: it may be unloaded. */
void outbox_stock_link(struct outbox_stock *stock, struct outbox_row *row);
/* SQLite reports damage: nothing more is read from the file or written to it. */
void outbox_stock_distrust(struct outbox_stock *stock, const struct error *why);
/* Unloads until the loaded rows fit. */
void outbox_stock_trim(struct outbox_stock *stock);

#endif
