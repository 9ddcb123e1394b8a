/*
 * What stands behind the functions of base/journal.h: a store for its own kind of journal. Private to
 * the stores; everybody else uses base/journal.h.
 */
#ifndef BASE_JOURNAL_STORE_H
#define BASE_JOURNAL_STORE_H

#include "base/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct journal_store {
    void (*free)(void *self);
    void (*append)(void *self, const struct journal_record *record, journal_done *done,
                   void *done_self);
    void (*flush)(void *self);
    bool (*next)(void *self, struct journal_record *record);
    void (*wait)(void *self, uint64_t until_ns);
    void (*wake)(void *self);
    void (*forget)(void *self, uint64_t lsn);
    void (*read_stats)(void *self, struct journal_stats *stats);
};

/* The store's own structure begins with it and frees it; the functions get it as `self`. */
struct journal {
    const struct journal_store *store;
};

#endif
