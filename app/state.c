#include "app/state.h"

#include "base/log.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct state {
    char *directory;
    struct disk *disk;
    int lock;
    uint64_t reserve_bytes;
    pthread_mutex_t mutex; /* of the reserve */
    bool has_reserve;
    atomic_bool is_gone; /* as far as it was said */
};

/* ---- lock -------------------------------------------------------------------------------- */

/* Who holds it, as far as it says. */
static bool fail_locked(const struct state *state, struct error *err)
{
    char text[32] = "";
    ssize_t len = pread(state->lock, text, sizeof(text) - 1, 0);

    text[len > 0 ? strcspn(text, "\n") : 0] = '\0';
    return FAIL(err, ERROR_BUSY,
                "another process (%s) uses the state directory %s; give each its own "
                "with state.directory",
                *text ? text : "unknown", state->directory);
}

/* 0, or why it cannot be opened. */
static int open_lock(struct state *state)
{
    struct buffer path = {0};

    buffer_printf(&path, "%s/lock", state->directory);
    buffer_append_char(&path, '\0');
    state->lock = open(path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    int why = state->lock < 0 ? errno : 0;

    buffer_release(&path);
    return why;
}

/* Something else of that name, such as a directory: nobody can hold it. */
static bool is_no_file(int why)
{
    return why == EISDIR || why == ELOOP || why == ENOENT || why == ENXIO;
}

static bool take_lock(struct state *state, struct error *err)
{
    char text[32];
    int why = open_lock(state);

    if (why && is_no_file(why) && disk_set_aside(state->disk, "lock", err)) {
        log_event(LOG_ERROR, "what was called lock is no file; it is set aside as *.bad",
                  LOG_TEXT("directory", state->directory));
        why = open_lock(state);
    }
    if (why)
        return FAIL(err, ERROR_INVALID, "the state directory %s cannot be used: %s",
                    state->directory, strerror(why));
    if (flock(state->lock, LOCK_EX | LOCK_NB) != 0)
        return fail_locked(state, err);
    /* For people only: a full disk may refuse it. */
    int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    if (ftruncate(state->lock, 0) != 0 || pwrite(state->lock, text, (size_t)len, 0) < 0)
        log_event(LOG_WARN, "cannot write into the lock file",
                  LOG_TEXT("directory", state->directory),
                  LOG_TEXT("error", strerror(errno)));
    return true;
}

/* ---- reserve ----------------------------------------------------------------------------- */

/* Makes the file that long; one that cannot be had whole is given back. */
static bool set_reserve(struct state *state, uint64_t bytes)
{
    const struct disk *disk = state->disk;
    struct disk_file *file = disk->open(disk->self, "reserve", DISK_WRITE, NULL);

    if (!file)
        return false;

    uint64_t size = disk->size(disk->self, file);
    bool is_set = size == bytes ||
                  (size < bytes ? disk->allocate(disk->self, file, bytes, NULL)
                                : disk->truncate(disk->self, file, bytes, NULL));

    if (!is_set)
        is_set = disk->truncate(disk->self, file, 0, NULL) && bytes == 0;
    disk->close(disk->self, file);
    return is_set;
}

static bool finds_reserve(struct state *state)
{
    const struct disk *disk = state->disk;
    struct disk_file *file = disk->open(disk->self, "reserve", DISK_READ, NULL);

    if (!file)
        return false;

    bool is_there = disk->size(disk->self, file) >= state->reserve_bytes;

    disk->close(disk->self, file);
    return is_there && set_reserve(state, state->reserve_bytes);
}

bool state_make_room(struct state *state)
{
    pthread_mutex_lock(&state->mutex);

    bool made = state->has_reserve && set_reserve(state, 0);

    if (made)
        state->has_reserve = false;
    pthread_mutex_unlock(&state->mutex);
    if (made)
        log_event(LOG_ERROR,
                  "the disk is full: its reserve is given up so that what was accepted "
                  "can be finished; senders are refused until there is room",
                  LOG_TEXT("directory", state->directory),
                  LOG_UINT("reserve", state->reserve_bytes));
    return made;
}

void state_restore_reserve(struct state *state, uint64_t spare_bytes)
{
    pthread_mutex_lock(&state->mutex);
    if (!state->has_reserve && state->reserve_bytes &&
        state->disk->free_bytes(state->disk->self) >= state->reserve_bytes + spare_bytes)
        state->has_reserve = set_reserve(state, state->reserve_bytes);
    pthread_mutex_unlock(&state->mutex);
}

bool state_has_reserve(struct state *state)
{
    pthread_mutex_lock(&state->mutex);

    bool has = state->has_reserve || state->reserve_bytes == 0;

    pthread_mutex_unlock(&state->mutex);
    return has;
}

/* ---- life -------------------------------------------------------------------------------- */

static bool open_all(struct state *state, struct error *err)
{
    state->disk = disk_open_directory(state->directory, err);
    if (!state->disk) {
        if (err->kind != ERROR_BUSY)
            err->kind = ERROR_INVALID;
        return false;
    }
    if (!take_lock(state, err))
        return false;
    state->has_reserve = finds_reserve(state);
    state_restore_reserve(state, 0);
    return true;
}

struct state *state_open(const struct state_options *options, struct error *err)
{
    struct state *state = memory_new(1, sizeof(*state));

    state->lock = -1;
    state->directory = memory_copy(slice_of(options->directory));
    state->reserve_bytes = options->reserve_bytes;
    pthread_mutex_init(&state->mutex, NULL);
    if (open_all(state, err))
        return state;
    state_free(state);
    return NULL;
}

void state_free(struct state *state)
{
    if (!state)
        return;
    if (state->disk)
        disk_free_directory(state->disk);
    if (state->lock >= 0)
        close(state->lock); /* and with it the lock */
    pthread_mutex_destroy(&state->mutex);
    free(state->directory);
    free(state);
}

const struct disk *state_disk(const struct state *state)
{
    return state->disk;
}

const char *state_directory(const struct state *state)
{
    return state->directory;
}

bool state_is_there(struct state *state)
{
    struct error err = {0};
    bool is_there = state->disk->check(state->disk->self, NULL, &err);

    if (atomic_exchange(&state->is_gone, !is_there) == !is_there)
        return is_there;
    if (is_there)
        log_event(LOG_INFO, "the state directory is back",
                  LOG_TEXT("directory", state->directory));
    else
        log_event(LOG_ERROR,
                  "the state directory is gone, so senders are refused: put it back, or "
                  "restart; what is not posted until then is lost",
                  LOG_TEXT("directory", state->directory), LOG_TEXT("error", err.text));
    return is_there;
}
