#include "tests/base/scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void scratch_make(struct scratch *scratch)
{
    const char *parent = getenv("TMPDIR");

    snprintf(scratch->path, sizeof(scratch->path), "%s/gateway-test-XXXXXX",
             parent ? parent : "/tmp");
    if (!mkdtemp(scratch->path)) {
        perror(scratch->path);
        abort();
    }
}

static int remove_one(const char *path, const struct stat *status, int type,
                      struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

void scratch_remove(struct scratch *scratch)
{
    nftw(scratch->path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch_path(const struct scratch *scratch, const char *name, char *buffer,
                         size_t bytes)
{
    snprintf(buffer, bytes, "%s/%s", scratch->path, name);
    return buffer;
}

size_t scratch_count(const struct scratch *scratch, const char *suffix)
{
    size_t count = 0, len = strlen(suffix);
    DIR *stream = opendir(scratch->path);
    const struct dirent *entry;

    if (!stream)
        return 0;
    while ((entry = readdir(stream))) {
        size_t name_len = strlen(entry->d_name);

        count += name_len >= len && strcmp(entry->d_name + name_len - len, suffix) == 0;
    }
    closedir(stream);
    return count;
}
