/*
 * The journal: an ordered log of everything that changes the engine's state. Records get log
 * sequence numbers (LSN) 1, 2, 3, ...; LSN order is apply order. A sender is told OK once its
 * record is as durable as configured, so the engine's state is a fold of the journal.
 *
 * This interface has one store today: memory, in which a record lives until it is forgotten.
 * A store on disk, or a Kafka partition, takes its place behind the same functions.
 *
 * Threads: append from any thread; next, wait and forget from the one reader (the engine).
 */
#ifndef BASE_JOURNAL_H
#define BASE_JOURNAL_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum journal_kind {
    JOURNAL_REQUEST,
    JOURNAL_TICK
};

struct journal_record {
    enum journal_kind kind;
    uint64_t lsn;        /* given by append */
    uint64_t receive_ns; /* Unix time; the only clock that the engine knows */
    uint8_t media_type;  /* request: enum otlp_media */
    uint8_t coding;      /* request: enum otlp_coding */
    struct slice body;   /* request: as received; borrowed from `context` */
    void *context; /* in memory: what was appended with it (a request); replay has NULL */
};

struct journal;

/*
 * Called on the appending thread once the record is as durable as configured, and before the
 * reader sees it. Must not block and must not call the journal.
 */
typedef void journal_done(void *self, uint64_t lsn);

struct journal *journal_new_memory(void);
void journal_free(struct journal *journal);

/* Appends; never blocks on the reader. `done` may be NULL. Returns the LSN. */
uint64_t journal_append(struct journal *journal, const struct journal_record *record,
                        journal_done *done, void *self);

/* The next record in LSN order, or false when there is none yet. */
bool journal_next(struct journal *journal, struct journal_record *record);

/* Blocks until a record is there, the Unix time `until_ns` is reached or journal_wake() is called. */
void journal_wait(struct journal *journal, uint64_t until_ns);
void journal_wake(struct journal *journal);

/* Frees everything up to and including lsn. */
void journal_forget(struct journal *journal, uint64_t lsn);

#endif
