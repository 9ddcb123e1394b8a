#include "base/checksum.h"
#include "base/journal_log_forget.h"
#include "base/journal_log_sync.h"
#include "base/journal_queue.h"
#include "base/journal_record.h"
#include "base/journal_replay.h"
#include "base/journal_store.h"
#include "base/memory.h"

#include <stdlib.h>

/*
 * The store on disk: the log under the queue's lock, the records that were there at the start from the
 * replay, later ones from the queue. With JOURNAL_FSYNC a thread syncs whatever has been written since
 * it synced last: one record when they come slowly, many when they come fast; nobody waits for company.
 */
struct disk_journal {
    struct journal base;
    struct journal_queue queue; /* its lock guards everything up to the reader's own */
    const struct disk *disk;
    struct journal_log *log;
    enum journal_durability durability;
    bool is_manual, is_stopping, has_thread;
    pthread_cond_t work;
    pthread_t thread;
    uint64_t replayed, replay_lost;
    /* The reader's own. */
    struct journal_replay *replay; /* NULL: done */
    uint64_t read_lsn;
};

/* ---- syncing ----------------------------------------------------------------------------- */

/* The sync failed: nothing that waited for it counts. */
static void refuse_waiting(struct disk_journal *journal)
{
    struct journal_entry entry;

    while (journal_queue_take_back(&journal->queue, &entry)) {
        journal_log_take_back(journal->log, &entry.record);
        if (entry.done)
            entry.done(entry.done_self, ERROR_BUSY);
    }
}

/* One sync, with the lock held before and after but not meanwhile. False: there was nothing to do. */
static bool sync_once(struct disk_journal *journal)
{
    struct journal_sync sync;
    struct error err = {0};

    if (!journal_log_sync_begin(journal->log, &sync))
        return false;
    pthread_mutex_unlock(&journal->queue.lock);

    bool ok = journal_log_sync_run(journal->disk, &sync, &err);

    pthread_mutex_lock(&journal->queue.lock);
    journal_log_sync_end(journal->log, &sync, ok ? NULL : &err);
    if (ok)
        journal_queue_settle(&journal->queue, journal_log_durable(journal->log));
    else
        refuse_waiting(journal);
    return true;
}

static void *run(void *self)
{
    struct disk_journal *journal = self;

    pthread_mutex_lock(&journal->queue.lock);
    for (;;) {
        if (sync_once(journal))
            continue;
        if (journal->is_stopping)
            break;
        pthread_cond_wait(&journal->work, &journal->queue.lock);
    }
    pthread_mutex_unlock(&journal->queue.lock);
    return NULL;
}

static void flush(void *self)
{
    struct disk_journal *journal = self;

    if (journal->durability != JOURNAL_FSYNC || !journal->is_manual)
        return;
    pthread_mutex_lock(&journal->queue.lock);
    while (sync_once(journal))
        continue;
    pthread_mutex_unlock(&journal->queue.lock);
}

/* ---- appending --------------------------------------------------------------------------- */

static void append(void *self, const struct journal_record *record, journal_done *done,
                   void *done_self)
{
    struct disk_journal *journal = self;
    struct journal_record kept = *record;
    uint32_t crc = checksum_crc32c(0, record->body);

    kept.body = journal_queue_keep(record);
    pthread_mutex_lock(&journal->queue.lock);

    struct error err = {0};
    bool ok = journal_log_append(journal->log, &kept, crc, &err);

    if (ok) {
        journal_queue_push(&journal->queue, &kept, done, done_self);
        journal_queue_settle(&journal->queue, journal_log_durable(journal->log));
        pthread_cond_signal(&journal->work);
    }
    pthread_mutex_unlock(&journal->queue.lock);
    if (ok)
        return;
    journal_queue_drop(&kept);
    if (done)
        done(done_self, err.kind);
}

/* ---- reading ----------------------------------------------------------------------------- */

static void mark_damaged(void *self, uint64_t first_lsn)
{
    struct disk_journal *journal = self;

    pthread_mutex_lock(&journal->queue.lock);
    journal_log_mark_damaged(journal->log, first_lsn);
    pthread_mutex_unlock(&journal->queue.lock);
}

static bool replay_next(struct disk_journal *journal, struct journal_record *record)
{
    bool found = journal_replay_next(journal->replay, record);

    pthread_mutex_lock(&journal->queue.lock);
    journal->replayed += found;
    journal->replay_lost = journal_replay_lost(journal->replay);
    pthread_mutex_unlock(&journal->queue.lock);
    if (found)
        return true;
    journal_replay_free(journal->replay);
    journal->replay = NULL;
    return false;
}

static bool next(void *self, struct journal_record *record)
{
    struct disk_journal *journal = self;
    bool found = journal->replay && replay_next(journal, record);

    if (!found) {
        pthread_mutex_lock(&journal->queue.lock);
        found = journal_queue_next(&journal->queue, record);
        pthread_mutex_unlock(&journal->queue.lock);
    }
    if (found)
        journal->read_lsn = record->lsn;
    return found;
}

static void wait_for_news(void *self, uint64_t until_ns)
{
    struct disk_journal *journal = self;

    if (!journal->replay)
        journal_queue_wait(&journal->queue, until_ns);
}

static void wake(void *self)
{
    struct disk_journal *journal = self;

    journal_queue_wake(&journal->queue);
}

static void forget(void *self, uint64_t lsn)
{
    struct disk_journal *journal = self;
    struct journal_waste waste;
    bool found, is_news = false;

    if (lsn > journal->read_lsn)
        lsn = journal->read_lsn;
    do {
        pthread_mutex_lock(&journal->queue.lock);
        found = journal_log_forget(journal->log, lsn, &waste);
        pthread_mutex_unlock(&journal->queue.lock);
        /* Removing a large file takes its time; nobody waits for it. */
        journal_log_forget_waste(journal->disk, &waste);
        is_news |= found;
    } while (found);
    /* Before the spares are used: what is torn then must not have a segment's name after a loss of
     * power. That it would be taken for damage is all that can happen; so it may fail. */
    if (is_news && journal->durability == JOURNAL_FSYNC)
        journal->disk->sync_names(journal->disk->self, NULL);
}

static void read_stats(void *self, struct journal_stats *stats)
{
    struct disk_journal *journal = self;

    pthread_mutex_lock(&journal->queue.lock);
    journal_log_read_stats(journal->log, stats);
    stats->replayed = journal->replayed;
    stats->lost_records += journal->replay_lost;
    pthread_mutex_unlock(&journal->queue.lock);
}

/* ---- life -------------------------------------------------------------------------------- */

static void stop(struct disk_journal *journal)
{
    if (!journal->has_thread) {
        flush(journal);
        return;
    }
    pthread_mutex_lock(&journal->queue.lock);
    journal->is_stopping = true;
    pthread_cond_signal(&journal->work);
    pthread_mutex_unlock(&journal->queue.lock);
    pthread_join(journal->thread, NULL);
}

static void free_disk(void *self)
{
    struct disk_journal *journal = self;

    stop(journal);
    journal_replay_free(journal->replay);
    journal_log_free(journal->log);
    pthread_cond_destroy(&journal->work);
    journal_queue_release(&journal->queue);
    free(journal);
}

static const struct journal_store disk_store = {
    .free = free_disk,
    .append = append,
    .flush = flush,
    .next = next,
    .wait = wait_for_news,
    .wake = wake,
    .forget = forget,
    .read_stats = read_stats,
};

struct journal *journal_open(const struct journal_options *options, struct error *err)
{
    struct journal_log *log = journal_log_open(options, err);

    if (!log)
        return NULL;

    struct disk_journal *journal = memory_new(1, sizeof(*journal));

    journal->base.store = &disk_store;
    journal->disk = options->disk;
    journal->log = log;
    journal->durability = options->durability;
    journal->is_manual = options->is_manual;
    journal->read_lsn = options->after_lsn;
    journal->replay = journal_log_replay(log, mark_damaged, journal);
    journal_queue_init(&journal->queue);
    pthread_cond_init(&journal->work, NULL);
    if (options->durability == JOURNAL_FSYNC && !options->is_manual) {
        journal->has_thread = pthread_create(&journal->thread, NULL, run, journal) == 0;
        if (!journal->has_thread) {
            free_disk(journal);
            FAIL(err, ERROR_INTERNAL, "cannot start the journal's thread");
            return NULL;
        }
    }
    return &journal->base;
}
