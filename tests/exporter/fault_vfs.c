#include "tests/exporter/fault_vfs.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>

static struct fault_vfs faults;
static sqlite3_vfs vfs;
static sqlite3_vfs *real_vfs;

struct file {
    sqlite3_file base;
    bool is_database;
    sqlite3_file *real; /* behind this struct */
};

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct file *)file)->real;
}

static int close_file(sqlite3_file *file)
{
    sqlite3_file *real = real_of(file);

    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int read_file(sqlite3_file *file, void *to, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    int code;

    if (faults.fails_read)
        return SQLITE_IOERR_READ;
    code = real->pMethods->xRead(real, to, len, offset);
    if (faults.reads_garbage && ((struct file *)file)->is_database)
        memset(to, 0xA5, (size_t)len);
    return code;
}

static int write_file(sqlite3_file *file, const void *from, int len, sqlite3_int64 offset)
{
    sqlite3_file *real = real_of(file);
    sqlite3_int64 size = 0;

    if (faults.fails_write)
        return SQLITE_IOERR_WRITE;
    real->pMethods->xFileSize(real, &size);
    if (faults.is_full && offset + len > size)
        return SQLITE_FULL;
    faults.writes++;
    faults.written_bytes += (uint64_t)len;
    return real->pMethods->xWrite(real, from, len, offset);
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int sync_file(sqlite3_file *file, int flags)
{
    faults.syncs++;
    if (faults.on_sync)
        faults.on_sync(faults.self);
    if (faults.fails_sync)
        return SQLITE_IOERR_FSYNC;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int lock_file(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int unlock_file(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int check_lock(sqlite3_file *file, int *is_locked)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), is_locked);
}

static int control_file(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

/* Version 1: no shared memory, as the outbox is to work without. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_lock,
    .xFileControl = control_file,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int open_file(sqlite3_vfs *self, const char *name, sqlite3_file *to, int flags,
                     int *out_flags)
{
    struct file *file = (struct file *)to;
    int code;

    (void)self;
    file->real = (sqlite3_file *)(file + 1);
    file->is_database = flags & SQLITE_OPEN_MAIN_DB;
    if (file->is_database && faults.read_only_opens) {
        faults.read_only_opens--;
        flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        flags |= SQLITE_OPEN_READONLY;
    }
    code = real_vfs->xOpen(real_vfs, name, file->real, flags, out_flags);
    file->base.pMethods = code == SQLITE_OK ? &methods : NULL;
    return code;
}

struct fault_vfs *fault_vfs_reset(void)
{
    faults = (struct fault_vfs){0};
    if (real_vfs)
        return &faults;
    real_vfs = sqlite3_vfs_find(NULL);
    vfs = *real_vfs;
    vfs.zName = "fault";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct file) + real_vfs->szOsFile;
    vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
        abort();
    return &faults;
}
