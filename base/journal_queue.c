#include "base/journal_queue.h"

#include "base/clock.h"
#include "base/memory.h"

#include <stdlib.h>
#include <time.h>

enum {
    FIRST_ENTRIES = 64
};

void journal_queue_init(struct journal_queue *queue)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&queue->lock, NULL);
    /* A wait must not become an hour because the machine's clock is set back meanwhile. */
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->news, &attributes);
    pthread_condattr_destroy(&attributes);
    queue->capacity = FIRST_ENTRIES;
    queue->entries = memory_new(FIRST_ENTRIES, sizeof(*queue->entries));
    queue->first = queue->ready = queue->end = 0;
    queue->loan = NULL;
    queue->is_woken = false;
}

static struct journal_entry *at(struct journal_queue *queue, size_t position)
{
    return &queue->entries[position & (queue->capacity - 1)];
}

void journal_queue_drop(const struct journal_record *kept)
{
    if (!kept->context)
        free((void *)(uintptr_t)kept->body.ptr);
}

void journal_queue_release(struct journal_queue *queue)
{
    for (size_t i = queue->first; i < queue->end; i++)
        journal_queue_drop(&at(queue, i)->record);
    free(queue->loan);
    free(queue->entries);
    pthread_cond_destroy(&queue->news);
    pthread_mutex_destroy(&queue->lock);
}

/* ---- the ring ---------------------------------------------------------------------------- */

static void grow(struct journal_queue *queue)
{
    size_t old_capacity = queue->capacity;
    struct journal_entry *old = queue->entries;

    queue->capacity = old_capacity * 2;
    queue->entries = memory_new(queue->capacity, sizeof(*queue->entries));
    for (size_t i = queue->first; i < queue->end; i++)
        *at(queue, i) = old[i & (old_capacity - 1)];
    free(old);
}

struct slice journal_queue_keep(const struct journal_record *record)
{
    if (record->context)
        return record->body;
    if (record->body.len == 0)
        return (struct slice){0};
    return (struct slice){memory_copy(record->body), record->body.len};
}

void journal_queue_push(struct journal_queue *queue, const struct journal_record *record,
                        journal_done *done, void *done_self)
{
    if (queue->end - queue->first == queue->capacity)
        grow(queue);
    *at(queue, queue->end++) = (struct journal_entry){*record, done, done_self};
}

void journal_queue_settle(struct journal_queue *queue, uint64_t lsn)
{
    bool is_news = false;

    while (queue->ready < queue->end && at(queue, queue->ready)->record.lsn <= lsn) {
        const struct journal_entry *entry = at(queue, queue->ready++);

        /* Under the lock, so that the reader cannot apply the record and free what `done_self` is
         * before the sender was answered. */
        if (entry->done)
            entry->done(entry->done_self, ERROR_NONE);
        is_news = true;
    }
    if (is_news)
        pthread_cond_signal(&queue->news);
}

bool journal_queue_take_back(struct journal_queue *queue, struct journal_entry *entry)
{
    if (queue->end == queue->ready)
        return false;
    *entry = *at(queue, --queue->end);
    journal_queue_drop(&entry->record);
    return true;
}

bool journal_queue_next(struct journal_queue *queue, struct journal_record *record)
{
    free(queue->loan);
    queue->loan = NULL;
    if (queue->first == queue->ready)
        return false;
    *record = at(queue, queue->first++)->record;
    if (!record->context)
        queue->loan = (char *)(uintptr_t)record->body.ptr;
    return true;
}

/* ---- waiting ----------------------------------------------------------------------------- */

/* The monotonic time at which the machine will have that Unix time, as its clock is now. */
static struct timespec to_monotonic(uint64_t until_ns)
{
    uint64_t now_ns = clock_now_ns(), rest_ns = until_ns > now_ns ? until_ns - now_ns : 0;
    uint64_t time_ns = clock_monotonic_ns();

    time_ns += rest_ns < INT64_MAX - time_ns ? rest_ns : INT64_MAX - time_ns;
    return (struct timespec){.tv_sec = (time_t)(time_ns / 1000000000),
                             .tv_nsec = (long)(time_ns % 1000000000)};
}

void journal_queue_wait(struct journal_queue *queue, uint64_t until_ns)
{
    struct timespec until = to_monotonic(until_ns);
    int timed_out = 0;

    pthread_mutex_lock(&queue->lock);
    while (queue->first == queue->ready && !queue->is_woken && !timed_out)
        timed_out = pthread_cond_timedwait(&queue->news, &queue->lock, &until);
    queue->is_woken = false;
    pthread_mutex_unlock(&queue->lock);
}

void journal_queue_wake(struct journal_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_woken = true;
    pthread_cond_signal(&queue->news);
    pthread_mutex_unlock(&queue->lock);
}
