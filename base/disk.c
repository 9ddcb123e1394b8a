#include "base/disk.h"

#include <stdio.h>

enum {
    MAX_NAME = 256,
    /* A directory with more set-aside copies of one name has a trouble that another copy will not
     * make clearer. */
    MAX_COPIES = 1000
};

/* Only a name that is certainly missing is free: renaming onto anything else would destroy it. */
static bool is_free(const struct disk *disk, const char *name)
{
    struct error err = {0};
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, &err);

    if (file)
        disk->close(disk->self, file);
    return !file && err.kind == ERROR_NOT_FOUND;
}

bool disk_set_aside(const struct disk *disk, const char *name, struct error *err)
{
    char to[MAX_NAME];

    for (unsigned copy = 0; copy < MAX_COPIES; copy++) {
        int len = copy == 0 ? snprintf(to, sizeof(to), "%s.bad", name)
                            : snprintf(to, sizeof(to), "%s.%u.bad", name, copy);

        if (len < 0 || (size_t)len >= sizeof(to))
            return FAIL(err, ERROR_INVALID, "%.64s...: the name is too long", name);
        if (is_free(disk, to))
            return disk->rename(disk->self, name, to, err);
    }
    return FAIL(err, ERROR_INTERNAL, "%s: %d copies are set aside already", name,
                MAX_COPIES);
}
