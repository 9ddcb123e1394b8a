/*
 * Records that were appended and not read yet, with their contexts, oldest first; and how the reader
 * waits for them. Both stores have one. A body without a context is copied: nobody else keeps it.
 *
 * The caller holds `lock` for everything but wait and wake.
 */
#ifndef BASE_JOURNAL_QUEUE_H
#define BASE_JOURNAL_QUEUE_H

#include "base/journal.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal_entry {
    struct journal_record record;
    /* Not called yet; NULL: nobody asks. */
    journal_done *done;
    void *done_self;
};

struct journal_queue {
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct journal_entry *entries; /* a ring */
    size_t capacity;               /* a power of two */
    size_t first, end;             /* positions, ever growing */
    size_t ready;                  /* first to ready - 1 may be read */
    char *loan;                    /* the body read last, if it was a copy */
    bool is_woken;
};

void journal_queue_init(struct journal_queue *queue);
void journal_queue_release(struct journal_queue *queue);

/* What the queue will need of the record, copied if it must be. Without the lock. */
struct slice journal_queue_keep(const struct journal_record *record);

void journal_queue_drop(const struct journal_record *kept);

/* `record` has the body that journal_queue_keep() gave. Not ready yet. */
void journal_queue_push(struct journal_queue *queue, const struct journal_record *record,
                        journal_done *done, void *done_self);

/* Tells the senders of everything up to and including lsn, and lets the reader have it. */
void journal_queue_settle(struct journal_queue *queue, uint64_t lsn);

/* Takes back the last one that is not ready; false when there is none. The body is dropped. */
bool journal_queue_take_back(struct journal_queue *queue, struct journal_entry *entry);

/* The next ready record; a copied body is valid until the next call. */
bool journal_queue_next(struct journal_queue *queue, struct journal_record *record);

/* As journal_wait() and journal_wake(). */
void journal_queue_wait(struct journal_queue *queue, uint64_t until_ns);
void journal_queue_wake(struct journal_queue *queue);

#endif
