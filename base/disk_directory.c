#include "base/disk.h"
#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

struct disk_file {
    int fd;
    bool has_links; /* some file systems do not count them */
    char *name;
};

struct directory {
    struct disk disk;
    int fd;
    char *path;
};

/* ---- errors ------------------------------------------------------------------------------ */

static enum error_kind kind_of(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT: return ERROR_BUSY;
    case ENOENT: return ERROR_NOT_FOUND;
    default: return ERROR_INTERNAL;
    }
}

static bool fail(struct error *err, const char *name, const char *what, int number)
{
    return FAIL(err, kind_of(number), "%s: %s: %s", name, what, strerror(number));
}

/* ---- files ------------------------------------------------------------------------------- */

static int flags_of(enum disk_open how)
{
    /* O_NONBLOCK: a FIFO under our name must not stop the start; files do not care. O_NOFOLLOW:
     * state files are never links, and writing through one could hit anything. */
    const int always = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

    switch (how) {
    case DISK_READ: return always | O_RDONLY;
    case DISK_WRITE: return always | O_RDWR | O_CREAT;
    case DISK_REPLACE: return always | O_RDWR | O_CREAT | O_TRUNC;
    }
    return always | O_RDONLY;
}

static bool is_regular(int fd, bool *has_links)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return false;
    *has_links = status.st_nlink > 0;
    return S_ISREG(status.st_mode);
}

static struct disk_file *open_file(void *self, const char *name, enum disk_open how,
                                   struct error *err)
{
    struct directory *directory = self;
    int fd = openat(directory->fd, name, flags_of(how), 0600);
    bool has_links = false;

    if (fd < 0) {
        fail(err, name, "open", errno);
        return NULL;
    }
    if (!is_regular(fd, &has_links)) {
        close(fd);
        FAIL(err, ERROR_INTERNAL, "%s: is no regular file", name);
        return NULL;
    }

    struct disk_file *file = memory_new(1, sizeof(*file));

    file->fd = fd;
    file->has_links = has_links;
    file->name = memory_copy(slice_of(name));
    return file;
}

static void close_file(void *self, struct disk_file *file)
{
    (void)self;
    close(file->fd);
    free(file->name);
    free(file);
}

static bool read_file(void *self, struct disk_file *file, uint64_t offset, char *to,
                      size_t len, size_t *got, struct error *err)
{
    (void)self;
    size_t done = 0;

    while (done < len) {
        ssize_t count = pread(file->fd, to + done, len - done, (off_t)(offset + done));

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail(err, file->name, "read", errno);
        if (count == 0)
            break;
        done += (size_t)count;
    }
    *got = done;
    return true;
}

enum {
    /* Parts that one system call takes; our writes have two. */
    MAX_PARTS = 8
};

/* What is left of the parts behind the first `skip` bytes, at most MAX_PARTS of them. */
static int fill(struct iovec *vector, const struct slice *parts, size_t count,
                size_t skip)
{
    int used = 0;

    for (size_t i = 0; i < count && used < MAX_PARTS; i++) {
        if (skip >= parts[i].len) {
            skip -= parts[i].len;
            continue;
        }
        /* struct iovec serves reads too, so it cannot say that writing leaves the bytes alone. */
        vector[used].iov_base = (void *)(uintptr_t)(parts[i].ptr + skip);
        vector[used++].iov_len = parts[i].len - skip;
        skip = 0;
    }
    return used;
}

static bool write_file(void *self, struct disk_file *file, uint64_t offset,
                       const struct slice *parts, size_t count, struct error *err)
{
    (void)self;
    struct iovec vector[MAX_PARTS];
    size_t done = 0;
    int used;

    while ((used = fill(vector, parts, count, done)) > 0) {
        ssize_t written = pwritev(file->fd, vector, used, (off_t)(offset + done));

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return fail(err, file->name, "write", errno);
        if (written == 0)
            return fail(err, file->name, "write", EIO);
        done += (size_t)written;
    }
    return true;
}

static bool truncate_file(void *self, struct disk_file *file, uint64_t bytes,
                          struct error *err)
{
    (void)self;
    while (ftruncate(file->fd, (off_t)bytes) != 0) {
        if (errno != EINTR)
            return fail(err, file->name, "truncate", errno);
    }
    return true;
}

static uint64_t size_of_file(void *self, struct disk_file *file)
{
    (void)self;
    struct stat status;

    return fstat(file->fd, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/*
 * posix_fallocate() and not fallocate(): where the file system cannot allocate, the C library
 * writes a byte into every block, which costs milliseconds once per file but keeps the promise that
 * writing inside cannot run out. (On a file system that copies on write nothing can; a write there
 * may still fail with ERROR_BUSY.) It only grows, so a longer file is cut first.
 */
static bool allocate_file(void *self, struct disk_file *file, uint64_t bytes,
                          struct error *err)
{
    int number;

    if (size_of_file(self, file) > bytes && !truncate_file(self, file, bytes, err))
        return false;
    if (bytes == 0)
        return true;
    do
        number = posix_fallocate(file->fd, 0, (off_t)bytes);
    while (number == EINTR);
    return number == 0 || fail(err, file->name, "allocate", number);
}

static bool sync_file(void *self, struct disk_file *file, struct error *err)
{
    (void)self;
    /* Not tried again, not after EINTR either: a second call may succeed without having written what
     * the first one lost. */
    return fdatasync(file->fd) == 0 || fail(err, file->name, "sync", errno);
}

/* ---- names ------------------------------------------------------------------------------- */

static bool rename_file(void *self, const char *from, const char *to, struct error *err)
{
    struct directory *directory = self;

    return renameat(directory->fd, from, directory->fd, to) == 0 ||
           fail(err, from, "rename", errno);
}

static bool remove_file(void *self, const char *name, struct error *err)
{
    struct directory *directory = self;

    return unlinkat(directory->fd, name, 0) == 0 || fail(err, name, "remove", errno);
}

static bool sync_names(void *self, struct error *err)
{
    struct directory *directory = self;

    return fsync(directory->fd) == 0 || fail(err, directory->path, "sync", errno);
}

static bool list_names(void *self, void (*found)(void *found_self, const char *name),
                       void *found_self, struct error *err)
{
    struct directory *directory = self;
    /* Its own description: reading moves a position that is shared with the copies of one. */
    int fd = openat(directory->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);

    if (!stream) {
        fail(err, directory->path, "list", errno);
        if (fd >= 0)
            close(fd);
        return false;
    }

    const struct dirent *entry;

    for (errno = 0; (entry = readdir(stream)); errno = 0) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            found(found_self, entry->d_name);
    }

    int number = errno;

    closedir(stream);
    return number == 0 || fail(err, directory->path, "list", number);
}

static uint64_t free_bytes(void *self)
{
    struct directory *directory = self;
    struct statvfs status;

    /* Not known: then writing will tell. */
    if (fstatvfs(directory->fd, &status) != 0)
        return UINT64_MAX;
    return (uint64_t)status.f_bavail * status.f_frsize;
}

/* What cannot be looked at (rights, a network) is taken to be there: writing will tell. */
static bool is_where_it_was(const struct directory *directory)
{
    struct stat held, found;

    if (fstat(directory->fd, &held) != 0)
        return true;
    if (stat(directory->path, &found) != 0)
        return errno != ENOENT && errno != ENOTDIR;
    return held.st_dev == found.st_dev && held.st_ino == found.st_ino;
}

static bool check(void *self, const struct disk_file *file, struct error *err)
{
    const struct directory *directory = self;
    struct stat status;

    if (!is_where_it_was(directory))
        return FAIL(err, ERROR_NOT_FOUND, "the directory %s was removed or moved away",
                    directory->path);
    /* By the name that it was opened with. */
    if (file && file->has_links && fstat(file->fd, &status) == 0 && status.st_nlink == 0)
        return FAIL(err, ERROR_NOT_FOUND, "%s: the file was removed", file->name);
    return true;
}

/* ---- life -------------------------------------------------------------------------------- */

struct disk *disk_open_directory(const char *path, struct error *err)
{
    int fd = -1;

    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        fail(err, path, "open directory", errno);
        return NULL;
    }

    struct directory *directory = memory_new(1, sizeof(*directory));

    directory->fd = fd;
    directory->path = memory_copy(slice_of(path));
    directory->disk = (struct disk){
        .self = directory,
        .open = open_file,
        .close = close_file,
        .read = read_file,
        .write = write_file,
        .allocate = allocate_file,
        .truncate = truncate_file,
        .sync = sync_file,
        .size = size_of_file,
        .rename = rename_file,
        .remove = remove_file,
        .sync_names = sync_names,
        .list = list_names,
        .free_bytes = free_bytes,
        .check = check,
    };
    return &directory->disk;
}

void disk_free_directory(struct disk *disk)
{
    if (!disk)
        return;

    struct directory *directory = disk->self;

    close(directory->fd);
    free(directory->path);
    free(directory);
}
