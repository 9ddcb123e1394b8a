#include "exporter/outbox_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char log_suffix[] = "-wal";

void outbox_place_path(const struct outbox_place *place, const char *suffix,
                       char path[OUTBOX_PATH_MAX])
{
    snprintf(path, OUTBOX_PATH_MAX, "%s%s", place->path, suffix);
}

/* The name inside its directory. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool is_there(const struct outbox_place *place, const char *path)
{
    struct disk_file *file;

    if (!place->disk)
        return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    file = place->disk->open(place->disk->self, base_name(path), DISK_READ, NULL);
    if (file)
        place->disk->close(place->disk->self, file);
    return file != NULL;
}

static bool move(const struct outbox_place *place, const char *from, const char *to,
                 struct error *err)
{
    if (!is_there(place, from))
        return true;
    if (place->disk)
        return place->disk->rename(place->disk->self, base_name(from), base_name(to),
                                   err);
    if (rename(from, to) == 0)
        return true;
    return FAIL(err, ERROR_INTERNAL, "rename %s to %s: %s", from, to, strerror(errno));
}

/* Names are durable once their directory is. Best effort: some file systems have no such thing. */
static bool sync_names(const struct outbox_place *place, struct error *err)
{
    size_t len = (size_t)(base_name(place->path) - place->path);
    char directory[OUTBOX_PATH_MAX];
    int fd;

    if (place->disk)
        return place->disk->sync_names(place->disk->self, err);
    snprintf(directory, sizeof(directory), "%.*s", len ? (int)len : 1,
             len ? place->path : ".");
    fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    return true;
}

bool outbox_place_exists(const struct outbox_place *place, const char *suffix)
{
    char path[OUTBOX_PATH_MAX];

    outbox_place_path(place, suffix, path);
    return is_there(place, path);
}

/* With the log's suffix behind the file's. */
static void both_suffixes(const char *suffix, const char *log, char both[64])
{
    snprintf(both, 64, "%s%s", suffix, log);
}

bool outbox_place_rename(const struct outbox_place *place, const char *from,
                         const char *to, struct error *err)
{
    /* The log first: a database without its log is damaged, a log without database is nothing. */
    const char *const logs[] = {log_suffix, ""};
    char path[OUTBOX_PATH_MAX], target[OUTBOX_PATH_MAX], suffix[64];

    for (size_t i = 0; i < 2; i++) {
        both_suffixes(from, logs[i], suffix);
        outbox_place_path(place, suffix, path);
        both_suffixes(to, logs[i], suffix);
        outbox_place_path(place, suffix, target);
        if (!move(place, path, target, err))
            return false;
    }
    return sync_names(place, err);
}

void outbox_place_remove(const struct outbox_place *place, const char *suffix)
{
    const char *const logs[] = {"", log_suffix};
    char path[OUTBOX_PATH_MAX], both[64];

    for (size_t i = 0; i < 2; i++) {
        both_suffixes(suffix, logs[i], both);
        outbox_place_path(place, both, path);
        if (!is_there(place, path))
            continue;
        if (place->disk)
            (void)place->disk->remove(place->disk->self, base_name(path), NULL);
        else
            (void)unlink(path);
    }
}

bool outbox_place_set_aside(const struct outbox_place *place, char path[OUTBOX_PATH_MAX],
                            struct error *err)
{
    char suffix[32], log[64];
    unsigned number = 0;

    do {
        if (number == 0)
            snprintf(suffix, sizeof(suffix), ".bad");
        else
            snprintf(suffix, sizeof(suffix), ".%u.bad", number);
        both_suffixes(suffix, log_suffix, log);
        number++;
    } while (outbox_place_exists(place, suffix) || outbox_place_exists(place, log));
    outbox_place_path(place, suffix, path);
    return outbox_place_rename(place, "", suffix, err);
}
