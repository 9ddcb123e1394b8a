#include "base/journal.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/*
 * The store in memory: a ring of records, oldest first. Positions are LSNs, so that the ring needs
 * no index: record `lsn` is at records[lsn & (capacity - 1)]. Bodies are not copied; they belong to
 * the records' contexts. The receiver's budget of bytes in flight bounds the ring.
 */
struct journal {
    pthread_mutex_t lock;
    pthread_cond_t news;
    struct journal_record *records;
    size_t capacity;       /* a power of two */
    uint64_t oldest, next; /* LSN of the oldest kept record, of the next one to read */
    uint64_t end;          /* LSN of the next record appended */
    bool is_woken;
};

enum {
    FIRST_RECORDS = 64
};

struct journal *journal_new_memory(void)
{
    struct journal *journal = memory_new(1, sizeof(*journal));

    pthread_mutex_init(&journal->lock, NULL);
    /* The default clock of a condition is CLOCK_REALTIME, which is what journal_wait() is given. */
    pthread_cond_init(&journal->news, NULL);
    journal->capacity = FIRST_RECORDS;
    journal->records = memory_new(FIRST_RECORDS, sizeof(*journal->records));
    journal->oldest = journal->next = journal->end = 1;
    return journal;
}

void journal_free(struct journal *journal)
{
    if (!journal)
        return;
    pthread_cond_destroy(&journal->news);
    pthread_mutex_destroy(&journal->lock);
    free(journal->records);
    free(journal);
}

static struct journal_record *at(struct journal *journal, uint64_t lsn)
{
    return &journal->records[lsn & (journal->capacity - 1)];
}

static void grow(struct journal *journal)
{
    size_t old_capacity = journal->capacity;
    struct journal_record *old = journal->records;

    journal->capacity = old_capacity * 2;
    journal->records = memory_new(journal->capacity, sizeof(*journal->records));
    for (uint64_t lsn = journal->oldest; lsn < journal->end; lsn++)
        *at(journal, lsn) = old[lsn & (old_capacity - 1)];
    free(old);
}

void journal_append(struct journal *journal, const struct journal_record *record,
                    journal_done *done, void *self)
{
    pthread_mutex_lock(&journal->lock);
    if (journal->end - journal->oldest == journal->capacity)
        grow(journal);

    uint64_t lsn = journal->end++;

    *at(journal, lsn) = *record;
    at(journal, lsn)->lsn = lsn;
    /* Under the lock, so that the reader cannot apply the record and free what `self` is before
     * the sender was answered. */
    if (done)
        done(self, ERROR_NONE);
    pthread_cond_signal(&journal->news);
    pthread_mutex_unlock(&journal->lock);
}

bool journal_next(struct journal *journal, struct journal_record *record)
{
    pthread_mutex_lock(&journal->lock);

    bool found = journal->next < journal->end;

    if (found)
        *record = *at(journal, journal->next++);
    pthread_mutex_unlock(&journal->lock);
    return found;
}

static struct timespec to_timespec(uint64_t time_ns)
{
    return (struct timespec){.tv_sec = (time_t)(time_ns / 1000000000),
                             .tv_nsec = (long)(time_ns % 1000000000)};
}

void journal_wait(struct journal *journal, uint64_t until_ns)
{
    struct timespec until = to_timespec(until_ns);
    int timed_out = 0;

    pthread_mutex_lock(&journal->lock);
    while (journal->next == journal->end && !journal->is_woken && !timed_out)
        timed_out = pthread_cond_timedwait(&journal->news, &journal->lock, &until);
    journal->is_woken = false;
    pthread_mutex_unlock(&journal->lock);
}

void journal_wake(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_woken = true;
    pthread_cond_signal(&journal->news);
    pthread_mutex_unlock(&journal->lock);
}

void journal_forget(struct journal *journal, uint64_t lsn)
{
    pthread_mutex_lock(&journal->lock);
    /* What was not read yet is never forgotten. */
    if (lsn >= journal->next)
        lsn = journal->next - 1;
    if (lsn >= journal->oldest)
        journal->oldest = lsn + 1;
    pthread_mutex_unlock(&journal->lock);
}
