/*
 * The books in the outbox's database: the value ledger, the newest tick and the last id. A heading
 * that this version does not know (of a later one) leaves the books with its values.
 */
#ifndef EXPORTER_OUTBOX_BOOKS_H
#define EXPORTER_OUTBOX_BOOKS_H

#include "base/ledger.h"
#include "exporter/outbox_file.h"

#include <stdint.h>

struct outbox_books {
    uint64_t last_lsn, last_id;
    struct value_ledger ledger;
};

/* ERROR_CORRUPT when they are damaged or do not balance; a new database has empty books. */
bool outbox_books_read(struct outbox_file *file, struct outbox_books *books,
                       struct error *err) MUST_CHECK;
bool outbox_books_write(struct outbox_file *file, const struct outbox_books *books,
                        struct error *err) MUST_CHECK;

#endif
