#include "base/journal_resync.h"

enum {
    CHUNK_BYTES = 64 << 10
};

static bool write_again(const struct disk *disk, struct disk_file *file)
{
    char bytes[CHUNK_BYTES];
    uint64_t offset = 0;
    size_t got;

    do {
        struct slice part = {bytes, 0};

        if (!disk->read(disk->self, file, offset, bytes, sizeof(bytes), &got, NULL))
            return false;
        part.len = got;
        if (got > 0 && !disk->write(disk->self, file, offset, &part, 1, NULL))
            return false;
        offset += got;
    } while (got == sizeof(bytes));
    return true;
}

unsigned journal_resync(const struct disk *disk, const char *name, bool is_doubtful,
                        unsigned tries)
{
    struct disk_file *file = disk->open(disk->self, name, DISK_WRITE, NULL);
    unsigned failed = 0;

    if (!file)
        return tries;
    if (is_doubtful && !write_again(disk, file))
        failed = tries;
    while (failed < tries && !disk->sync(disk->self, file, NULL)) {
        failed++;
        if (!write_again(disk, file))
            failed = tries;
    }
    disk->close(disk->self, file);
    return failed;
}
