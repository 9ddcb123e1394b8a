#include "exporter/outbox_books.h"

#include <stdio.h>

enum {
    HEADINGS = 6,
    HEADING_NAME_MAX = 64
};

/* The place of heading number i, with its name in the table. */
static uint64_t *heading(struct value_ledger *ledger, int i, char name[HEADING_NAME_MAX])
{
    const struct {
        const char *name;
        uint64_t *count;
    } headings[HEADINGS] = {
        {"closed", &ledger->closed},     {"delivered", &ledger->delivered},
        {"replaced", &ledger->replaced}, {"expired", &ledger->expired},
        {"rejected", &ledger->rejected}, {"queued", &ledger->queued},
    };

    if (i < HEADINGS) {
        snprintf(name, HEADING_NAME_MAX, "%s", headings[i].name);
        return headings[i].count;
    }
    snprintf(name, HEADING_NAME_MAX, "withheld.%s",
             withheld_name((enum withheld)(i - HEADINGS)));
    return &ledger->withheld[i - HEADINGS].count;
}

static bool read_meta(struct outbox_file *file, struct outbox_books *books,
                      struct error *err)
{
    sqlite3_stmt *statement = file->statements[OUTBOX_READ_META];
    bool has_row = true, is_read = true;

    while (is_read &&
           (is_read = database_step(&file->database, statement, &has_row, err)) &&
           has_row) {
        struct slice key = database_column_bytes(statement, 0);
        uint64_t value = database_column_number(statement, 1);

        if (database_column_number(statement, 2) != outbox_file_seal(key, value))
            is_read = FAIL(err, ERROR_CORRUPT, "meta: the seal of %.*s does not match",
                           SLICE_ARG(key));
        else if (slice_is(key, "last_lsn"))
            books->last_lsn = value;
        else if (slice_is(key, "last_id"))
            books->last_id = value;
    }
    sqlite3_reset(statement);
    return is_read;
}

/* False when this version knows no such heading. */
static bool take_heading(struct value_ledger *ledger, sqlite3_stmt *statement)
{
    struct slice name = database_column_bytes(statement, 0);
    char heading_name[HEADING_NAME_MAX];

    for (int i = 0; i <= HEADINGS + WITHHELD_LAST; i++) {
        uint64_t *count = heading(ledger, i, heading_name);
        struct ledger_reason *reason =
            &ledger->withheld[i >= HEADINGS ? i - HEADINGS : 0];

        if (!slice_is(name, heading_name))
            continue;
        *count = database_column_number(statement, 1);
        if (i >= HEADINGS && database_column_bytes(statement, 2).len)
            ledger_keep_example(reason, database_column_number(statement, 3),
                                database_column_bytes(statement, 2));
        return true;
    }
    return false;
}

static bool read_ledger(struct outbox_file *file, struct value_ledger *ledger,
                        struct error *err)
{
    sqlite3_stmt *statement = file->statements[OUTBOX_READ_LEDGER];
    bool has_row = true, is_read = true;
    uint64_t unknown = 0;

    while (is_read &&
           (is_read = database_step(&file->database, statement, &has_row, err)) &&
           has_row) {
        struct slice name = database_column_bytes(statement, 0);

        if (database_column_number(statement, 4) !=
            outbox_file_seal(name, database_column_number(statement, 1)))
            is_read = FAIL(err, ERROR_CORRUPT, "ledger: the seal of %.*s does not match",
                           SLICE_ARG(name));
        else if (!take_heading(ledger, statement))
            unknown += database_column_number(statement, 1);
    }
    sqlite3_reset(statement);
    ledger->closed -= unknown;
    if (is_read && !value_ledger_balances(ledger))
        return FAIL(err, ERROR_CORRUPT, "the ledger does not balance");
    return is_read;
}

bool outbox_books_read(struct outbox_file *file, struct outbox_books *books,
                       struct error *err)
{
    *books = (struct outbox_books){0};
    return read_meta(file, books, err) && read_ledger(file, &books->ledger, err);
}

static bool write_meta(struct outbox_file *file, const char *key, uint64_t value,
                       struct error *err)
{
    return OUTBOX_RUN(file, OUTBOX_WRITE_META, err, TEXT(slice_of(key)), NUMBER(value),
                      NUMBER(outbox_file_seal(slice_of(key), value)));
}

bool outbox_books_write(struct outbox_file *file, const struct outbox_books *books,
                        struct error *err)
{
    struct value_ledger ledger = books->ledger;
    char name[HEADING_NAME_MAX];

    for (int i = 0; i <= HEADINGS + WITHHELD_LAST; i++) {
        uint64_t count = *heading(&ledger, i, name);
        struct ledger_reason none = {0};
        const struct ledger_reason *reason = i < HEADINGS
                                                 ? &none
                                                 : &ledger.withheld[i - HEADINGS];

        if (!OUTBOX_RUN(file, OUTBOX_WRITE_LEDGER, err, TEXT(slice_of(name)),
                        NUMBER(count), TEXT(slice_of(reason->example)),
                        NUMBER(reason->example_ns),
                        NUMBER(outbox_file_seal(slice_of(name), count))))
            return false;
    }
    return write_meta(file, "last_lsn", books->last_lsn, err) &&
           write_meta(file, "last_id", books->last_id, err);
}
