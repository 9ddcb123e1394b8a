#include "tests/sim/sim_vfs.h"

#include "base/memory.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>

enum {
    PATH_MAX_BYTES = 128,
    SECTOR = 4096,      /* as the unix VFS says */
    TEMPORARY_NAME = 32 /* bytes */
};

struct sim_vfs {
    sqlite3_vfs vfs;
    const struct disk *disk;
    const uint64_t *now_ns;
    struct chance chance;
    unsigned temporaries;
};

struct sim_file {
    sqlite3_file base;
    const struct disk *disk;
    struct disk_file *file;
    bool is_new;       /* its name is not synced yet */
    bool is_temporary; /* removed when closed */
    char name[PATH_MAX_BYTES];
};

static struct sim_vfs *vfs_of(sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

static struct sim_file *file_of(sqlite3_file *file)
{
    return (struct sim_file *)file;
}

/* ---- files ------------------------------------------------------------------------------- */

static int close_file(sqlite3_file *base)
{
    struct sim_file *file = file_of(base);

    file->disk->close(file->disk->self, file->file);
    if (file->is_temporary)
        (void)file->disk->remove(file->disk->self, file->name, NULL);
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *to, int len, sqlite3_int64 offset)
{
    struct sim_file *file = file_of(base);
    size_t got;

    if (!file->disk->read(file->disk->self, file->file, (uint64_t)offset, to, (size_t)len,
                          &got, NULL))
        return SQLITE_IOERR_READ;
    if (got == (size_t)len)
        return SQLITE_OK;
    memset((char *)to + got, 0, (size_t)len - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *from, int len, sqlite3_int64 offset)
{
    struct sim_file *file = file_of(base);
    struct slice part = {from, (size_t)len};
    struct error err;

    if (file->disk->write(file->disk->self, file->file, (uint64_t)offset, &part, 1, &err))
        return SQLITE_OK;
    return err.kind == ERROR_BUSY ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
    struct sim_file *file = file_of(base);

    return file->disk->truncate(file->disk->self, file->file, (uint64_t)size, NULL)
               ? SQLITE_OK
               : SQLITE_IOERR_TRUNCATE;
}

static int sync_file(sqlite3_file *base, int flags)
{
    struct sim_file *file = file_of(base);

    (void)flags;
    if (!file->disk->sync(file->disk->self, file->file, NULL))
        return SQLITE_IOERR_FSYNC;
    if (file->is_new && !file->disk->sync_names(file->disk->self, NULL))
        return SQLITE_IOERR_DIR_FSYNC;
    file->is_new = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *size)
{
    struct sim_file *file = file_of(base);

    *size = (sqlite3_int64)file->disk->size(file->disk->self, file->file);
    return SQLITE_OK;
}

static int lock_file(sqlite3_file *base, int level)
{
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int check_lock(sqlite3_file *base, int *is_reserved)
{
    (void)base;
    *is_reserved = 0;
    return SQLITE_OK;
}

static int control_file(sqlite3_file *base, int operation, void *argument)
{
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base)
{
    (void)base;
    return SECTOR;
}

/* What the unix VFS says: writing a range harms nothing beside it. */
static int characteristics(sqlite3_file *base)
{
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods file_methods = {
    .iVersion = 1, /* no shared memory, no memory map */
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = lock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

/* ---- names ------------------------------------------------------------------------------- */

struct search {
    const char *name;
    bool is_found;
};

static void compare(void *self, const char *name)
{
    struct search *search = self;

    search->is_found |= strcmp(name, search->name) == 0;
}

static bool exists(const struct disk *disk, const char *name)
{
    struct search search = {.name = name};

    return disk->list(disk->self, compare, &search, NULL) && search.is_found;
}

static int open_file(sqlite3_vfs *base, const char *name, sqlite3_file *to, int flags,
                     int *flags_out)
{
    struct sim_vfs *vfs = vfs_of(base);
    struct sim_file *file = file_of(to);
    bool was_there;

    *file = (struct sim_file){.disk = vfs->disk};
    if (name)
        snprintf(file->name, sizeof(file->name), "%s", name);
    else
        snprintf(file->name, sizeof(file->name), "temporary-%u", vfs->temporaries++);
    was_there = exists(vfs->disk, file->name);
    if (!was_there && !(flags & SQLITE_OPEN_CREATE))
        return SQLITE_CANTOPEN;
    file->file = vfs->disk->open(vfs->disk->self, file->name,
                                 flags & SQLITE_OPEN_READONLY ? DISK_READ : DISK_WRITE,
                                 NULL);
    if (!file->file)
        return SQLITE_CANTOPEN;
    file->is_new = !was_there;
    file->is_temporary = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0;
    file->base.pMethods = &file_methods;
    if (flags_out)
        *flags_out = flags;
    return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *base, const char *name, int syncs_names)
{
    const struct disk *disk = vfs_of(base)->disk;
    struct error err;

    if (!disk->remove(disk->self, name, &err))
        return err.kind == ERROR_NOT_FOUND ? SQLITE_IOERR_DELETE_NOENT
                                           : SQLITE_IOERR_DELETE;
    if (syncs_names && !disk->sync_names(disk->self, &err))
        return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
}

static int access_file(sqlite3_vfs *base, const char *name, int flags, int *result)
{
    const struct disk *disk = vfs_of(base)->disk;
    struct error err;
    struct disk_file *file;

    *result = exists(disk, name);
    if (!*result || flags != SQLITE_ACCESS_EXISTS)
        return SQLITE_OK;
    /* An empty journal or log is none. */
    file = disk->open(disk->self, name, DISK_READ, &err);
    if (!file)
        return SQLITE_IOERR_ACCESS;
    *result = disk->size(disk->self, file) > 0;
    disk->close(disk->self, file);
    return SQLITE_OK;
}

static int full_path(sqlite3_vfs *base, const char *name, int size, char *path)
{
    const char *slash = strrchr(name, '/');

    (void)base;
    snprintf(path, (size_t)size, "%s", slash ? slash + 1 : name);
    return SQLITE_OK;
}

/* ---- the rest of the world --------------------------------------------------------------- */

static int fill_random(sqlite3_vfs *base, int len, char *to)
{
    struct sim_vfs *vfs = vfs_of(base);

    for (int i = 0; i < len; i++)
        to[i] = (char)chance_next(&vfs->chance);
    return len;
}

static int sleep_on(sqlite3_vfs *base, int us)
{
    (void)base;
    return us;
}

static int read_time_ms(sqlite3_vfs *base, sqlite3_int64 *time_ms)
{
    static const sqlite3_int64 julian_epoch_ms = 210866760000000;

    *time_ms = julian_epoch_ms + (sqlite3_int64)(*vfs_of(base)->now_ns / 1000000);
    return SQLITE_OK;
}

static int read_time(sqlite3_vfs *base, double *days)
{
    sqlite3_int64 time_ms;

    read_time_ms(base, &time_ms);
    *days = (double)time_ms / 86400000.0;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *base, int size, char *text)
{
    (void)base;
    (void)size;
    (void)text;
    return 0;
}

struct sim_vfs *sim_vfs_new(const struct disk *disk, uint64_t seed,
                            const uint64_t *now_ns)
{
    struct sim_vfs *vfs = memory_new(1, sizeof(*vfs));

    vfs->disk = disk;
    vfs->now_ns = now_ns;
    vfs->chance = chance_of(seed);
    vfs->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(struct sim_file),
        .mxPathname = PATH_MAX_BYTES - 1,
        .zName = SIM_VFS_NAME,
        .pAppData = vfs,
        .xOpen = open_file,
        .xDelete = delete_file,
        .xAccess = access_file,
        .xFullPathname = full_path,
        .xRandomness = fill_random,
        .xSleep = sleep_on,
        .xCurrentTime = read_time,
        .xGetLastError = last_error,
        .xCurrentTimeInt64 = read_time_ms,
    };
    sqlite3_vfs_register(&vfs->vfs, 1);
    sqlite3_randomness(0, NULL); /* seeded anew, from the default VFS */
    return vfs;
}

void sim_vfs_free(struct sim_vfs *vfs)
{
    if (!vfs)
        return;
    sqlite3_vfs_unregister(&vfs->vfs);
    free(vfs);
}
