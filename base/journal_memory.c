#include "base/journal_queue.h"
#include "base/journal_store.h"
#include "base/memory.h"

#include <stdlib.h>

/*
 * The store in memory: a queue and nothing else, since nobody reads a record twice. The receiver's
 * budget of bytes in flight bounds it.
 */
struct memory_journal {
    struct journal base;
    struct journal_queue queue;
    uint64_t last_lsn, read_lsn, forgotten_lsn;
    uint64_t bytes, appended_bytes;
};

static void free_memory(void *self)
{
    struct memory_journal *journal = self;

    journal_queue_release(&journal->queue);
    free(journal);
}

static void append(void *self, const struct journal_record *record, journal_done *done,
                   void *done_self)
{
    struct memory_journal *journal = self;
    struct journal_record kept = *record;

    kept.body = journal_queue_keep(record);
    pthread_mutex_lock(&journal->queue.lock);
    kept.lsn = ++journal->last_lsn;
    journal->bytes += kept.body.len;
    journal->appended_bytes += kept.body.len;
    journal_queue_push(&journal->queue, &kept, done, done_self);
    journal_queue_settle(&journal->queue, kept.lsn);
    pthread_mutex_unlock(&journal->queue.lock);
}

static void flush(void *self)
{
    (void)self;
}

static bool next(void *self, struct journal_record *record)
{
    struct memory_journal *journal = self;

    pthread_mutex_lock(&journal->queue.lock);

    bool found = journal_queue_next(&journal->queue, record);

    if (found) {
        journal->read_lsn = record->lsn;
        journal->bytes -= record->body.len;
    }
    pthread_mutex_unlock(&journal->queue.lock);
    return found;
}

static void wait_for_news(void *self, uint64_t until_ns)
{
    struct memory_journal *journal = self;

    journal_queue_wait(&journal->queue, until_ns);
}

static void wake(void *self)
{
    struct memory_journal *journal = self;

    journal_queue_wake(&journal->queue);
}

static void forget(void *self, uint64_t lsn)
{
    struct memory_journal *journal = self;

    pthread_mutex_lock(&journal->queue.lock);
    /* What was not read yet is never forgotten. */
    if (lsn > journal->read_lsn)
        lsn = journal->read_lsn;
    if (lsn > journal->forgotten_lsn)
        journal->forgotten_lsn = lsn;
    pthread_mutex_unlock(&journal->queue.lock);
}

static void read_stats(void *self, struct journal_stats *stats)
{
    struct memory_journal *journal = self;

    pthread_mutex_lock(&journal->queue.lock);
    *stats = (struct journal_stats){
        .bytes = journal->bytes,
        .first_lsn = journal->forgotten_lsn + 1,
        .last_lsn = journal->last_lsn,
        .appended = journal->last_lsn,
        .appended_bytes = journal->appended_bytes,
    };
    pthread_mutex_unlock(&journal->queue.lock);
}

static const struct journal_store memory_store = {
    .free = free_memory,
    .append = append,
    .flush = flush,
    .next = next,
    .wait = wait_for_news,
    .wake = wake,
    .forget = forget,
    .read_stats = read_stats,
};

struct journal *journal_new_memory(void)
{
    struct memory_journal *journal = memory_new(1, sizeof(*journal));

    journal->base.store = &memory_store;
    journal_queue_init(&journal->queue);
    return &journal->base;
}
