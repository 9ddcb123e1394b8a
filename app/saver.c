#include "app/saver.h"

#include "app/checkpoint_file.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const uint64_t NS_PER_S = 1000000000;

enum {
    RETRY_S = 60, /* a full disk stays full, and writing costs the engine time */
    OUTBOX_PATIENCE_S = 60, /* then the outbox has trouble of its own */
    LAST_PATIENCE_S =
        5, /* at the end: values must be posted too in the time that is left */
    POLL_MS = 20,
    RESERVE_MS = 5000, /* how often the reserve is looked after */
};

struct saver {
    struct saver_options options;
    pthread_t thread;
    bool has_thread;
    /* Engine thread: of the last one that was begun. */
    uint64_t begun_bytes, begun_ns;
    bool has_long_replay; /* a start now would take as long as this one did */
    uint64_t forgotten_lsn;
    pthread_mutex_t lock;
    pthread_cond_t news;
    /* Under the lock. */
    bool is_ending;
    struct checkpoint_writer
        *writer; /* of the one under way; the saver's thread has it */
    uint64_t new_lsn, new_tick_lsn;
    struct saver_status status;
};

/* ---- verdicts; locked -------------------------------------------------------------------- */

static void succeed(struct saver *saver, uint64_t bytes, uint64_t sync_ns)
{
    struct saver_status *status = &saver->status;

    status->lsn = saver->new_lsn;
    status->time_ns = clock_now_ns();
    status->bytes = bytes;
    status->sync_ns = sync_ns;
    status->saved++;
    if (*status->last_error)
        log_message(LOG_INFO, "checkpoints work again");
    *status->last_error = '\0';
}

static void fail(struct saver *saver, const struct error *err)
{
    struct saver_status *status = &saver->status;

    status->failed++;
    /* Once; it is tried again for as long as it takes. */
    if (!*status->last_error)
        log_event(LOG_ERROR,
                  "cannot save a checkpoint; the journal is kept and it is tried again",
                  LOG_TEXT("error", err->text));
    snprintf(status->last_error, sizeof(status->last_error), "%s", err->text);
}

/* ---- the second half: the saver's thread ------------------------------------------------- */

/* Until something happens, but not for long. Locked. */
static void nap(struct saver *saver, uint64_t ms)
{
    uint64_t at_ns = clock_now_ns() + ms * 1000000;
    struct timespec until = {.tv_sec = (time_t)(at_ns / NS_PER_S),
                             .tv_nsec = (long)(at_ns % NS_PER_S)};

    pthread_cond_timedwait(&saver->news, &saver->lock, &until);
}

static bool is_ending(struct saver *saver)
{
    pthread_mutex_lock(&saver->lock);

    bool is = saver->is_ending;

    pthread_mutex_unlock(&saver->lock);
    return is;
}

/* Nothing that the fold has given away may be missing in the outbox. */
static bool await_outbox(struct saver *saver, uint64_t tick_lsn, struct error *err)
{
    uint64_t end_ns = clock_monotonic_ns() + OUTBOX_PATIENCE_S * NS_PER_S;

    while (saver->options.committed_lsn(saver->options.self) < tick_lsn) {
        if (is_ending(saver))
            return FAIL(err, ERROR_TIMEOUT, "the outbox had not committed at the end");
        if (clock_monotonic_ns() > end_ns)
            return FAIL(err, ERROR_TIMEOUT, "the outbox did not commit for %d s",
                        OUTBOX_PATIENCE_S);
        pthread_mutex_lock(&saver->lock);
        nap(saver, POLL_MS);
        pthread_mutex_unlock(&saver->lock);
    }
    return true;
}

static bool settle(struct saver *saver, struct checkpoint_writer *writer,
                   uint64_t tick_lsn, struct error *err)
{
    if (checkpoint_file_sync(writer, err) && await_outbox(saver, tick_lsn, err))
        return checkpoint_file_commit(writer, err);
    checkpoint_file_abandon(writer);
    return false;
}

/* Locked; unlocks meanwhile. */
static void settle_next(struct saver *saver)
{
    struct error err = {0};
    struct checkpoint_writer *writer = saver->writer;
    uint64_t tick_lsn = saver->new_tick_lsn, begun_ns = clock_monotonic_ns();
    uint64_t bytes = checkpoint_file_bytes(writer);

    pthread_mutex_unlock(&saver->lock);

    bool is_settled = settle(saver, writer, tick_lsn, &err);

    if (!is_settled && err.kind == ERROR_BUSY)
        state_make_room(saver->options.state);
    pthread_mutex_lock(&saver->lock);
    saver->writer = NULL;
    if (is_settled)
        succeed(saver, bytes, clock_monotonic_ns() - begun_ns);
    else
        fail(saver, &err);
    pthread_cond_broadcast(&saver->news);
    if (is_settled)
        journal_wake(saver->options.journal); /* a full journal waits for room */
}

static void *run(void *self)
{
    struct saver *saver = self;

    pthread_mutex_lock(&saver->lock);
    while (saver->writer || !saver->is_ending) {
        if (saver->writer) {
            settle_next(saver);
            continue;
        }
        nap(saver, RESERVE_MS);
        pthread_mutex_unlock(&saver->lock);
        state_restore_reserve(saver->options.state, saver->options.spare_bytes);
        pthread_mutex_lock(&saver->lock);
    }
    pthread_mutex_unlock(&saver->lock);
    return NULL;
}

/* ---- the first half: the engine's thread ------------------------------------------------- */

static struct checkpoint_writer *write_once(struct saver *saver, const struct fold *fold,
                                            struct error *err)
{
    struct checkpoint_head head = {.lsn = fold_lsn(fold), .seed = saver->options.seed};
    struct checkpoint_writer *writer = checkpoint_file_begin(
        state_disk(saver->options.state), &head, err);
    bool is_saved;

    if (!writer)
        return NULL;
    is_saved = fold_save(fold, checkpoint_file_write, writer);
    if (checkpoint_file_end(writer, err) && is_saved)
        return writer;
    checkpoint_file_abandon(writer);
    return NULL;
}

static bool is_due(struct saver *saver, const struct fold *fold, uint64_t journal_bytes)
{
    const struct saver_options *options = &saver->options;
    uint64_t wait_ns = clock_monotonic_ns() - saver->begun_ns;

    pthread_mutex_lock(&saver->lock);

    bool is_idle = !saver->writer && fold_lsn(fold) != saver->status.lsn;
    bool has_failed = *saver->status.last_error;

    pthread_mutex_unlock(&saver->lock);
    if (!is_idle)
        return false;
    if (has_failed)
        return wait_ns >= RETRY_S * NS_PER_S;
    return saver->has_long_replay || wait_ns >= options->interval_ns ||
           journal_bytes - saver->begun_bytes >= options->max_journal_bytes;
}

static void begin(struct saver *saver, const struct fold *fold)
{
    struct error err = {0};

    saver->begun_ns = clock_monotonic_ns();
    saver->has_long_replay = false;

    struct checkpoint_writer *writer = write_once(saver, fold, &err);

    if (!writer && err.kind == ERROR_BUSY && state_make_room(saver->options.state))
        writer = write_once(saver, fold, &err);
    pthread_mutex_lock(&saver->lock);
    saver->status.write_ns = clock_monotonic_ns() - saver->begun_ns;
    saver->new_lsn = fold_lsn(fold);
    saver->new_tick_lsn = fold_tick_lsn(fold);
    saver->writer = writer;
    if (!writer)
        fail(saver, &err);
    pthread_cond_broadcast(&saver->news);
    pthread_mutex_unlock(&saver->lock);
}

void saver_forget(struct saver *saver)
{
    pthread_mutex_lock(&saver->lock);

    uint64_t lsn = saver->status.lsn;

    pthread_mutex_unlock(&saver->lock);
    if (lsn > saver->forgotten_lsn)
        journal_forget(saver->options.journal, lsn);
    saver->forgotten_lsn = lsn;
}

void saver_tend(struct saver *saver, const struct fold *fold, uint64_t journal_bytes)
{
    if (is_due(saver, fold, journal_bytes)) {
        saver->begun_bytes = journal_bytes;
        begin(saver, fold);
    }
    saver_forget(saver);
}

/* For the one under way. False when one is still to be begun. */
static bool await(struct saver *saver, const struct fold *fold)
{
    uint64_t end_ns = clock_monotonic_ns() + LAST_PATIENCE_S * NS_PER_S;

    pthread_mutex_lock(&saver->lock);
    while (saver->writer && clock_monotonic_ns() < end_ns)
        nap(saver, POLL_MS);

    bool is_done = saver->writer || saver->status.lsn == fold_lsn(fold);

    pthread_mutex_unlock(&saver->lock);
    return is_done;
}

void saver_finish(struct saver *saver, const struct fold *fold)
{
    if (await(saver, fold))
        return;
    begin(saver, fold);
    await(saver, fold);
    saver_forget(saver);
}

void saver_read(struct saver *saver, struct saver_status *status)
{
    pthread_mutex_lock(&saver->lock);
    *status = saver->status;
    pthread_mutex_unlock(&saver->lock);
}

uint64_t saver_journal_bytes(uint64_t journal_max_bytes)
{
    const uint64_t most = UINT64_C(256) << 20;

    return journal_max_bytes / 2 < most ? journal_max_bytes / 2 : most;
}

/* ---- life -------------------------------------------------------------------------------- */

struct saver *saver_new(const struct saver_options *options, struct error *err)
{
    struct saver *saver = memory_new(1, sizeof(*saver));

    saver->options = *options;
    saver->begun_ns = clock_monotonic_ns();
    saver->has_long_replay = options->replay_ns >= SAVER_LONG_REPLAY_NS;
    saver->status.lsn = options->lsn;
    pthread_mutex_init(&saver->lock, NULL);
    pthread_cond_init(&saver->news, NULL);
    saver->has_thread = pthread_create(&saver->thread, NULL, run, saver) == 0;
    if (saver->has_thread)
        return saver;
    saver_free(saver);
    FAIL(err, ERROR_INTERNAL, "cannot start the thread that saves checkpoints");
    return NULL;
}

void saver_free(struct saver *saver)
{
    if (!saver)
        return;
    if (saver->has_thread) {
        pthread_mutex_lock(&saver->lock);
        saver->is_ending = true;
        pthread_cond_broadcast(&saver->news);
        pthread_mutex_unlock(&saver->lock);
        pthread_join(saver->thread, NULL);
    }
    pthread_cond_destroy(&saver->news);
    pthread_mutex_destroy(&saver->lock);
    free(saver);
}
