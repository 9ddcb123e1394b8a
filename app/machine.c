#include "app/machine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* In a container the own control group is the root that it sees. */
static const char *const limit_files[] = {
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
};

/* The number in the file's first line; UINT64_MAX when there is none ("max"). */
static uint64_t read_number(const char *path)
{
    FILE *file = fopen(path, "re");
    char line[64], *end;
    uint64_t number = UINT64_MAX;

    if (!file)
        return UINT64_MAX;
    if (fgets(line, sizeof(line), file)) {
        errno = 0;

        uint64_t parsed = strtoull(line, &end, 10);

        if (end != line && errno == 0)
            number = parsed;
    }
    fclose(file);
    return number;
}

uint64_t machine_memory_bytes(void)
{
    uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

    for (size_t i = 0; i < sizeof(limit_files) / sizeof(limit_files[0]); i++) {
        uint64_t limit = read_number(limit_files[i]);

        if (limit < bytes)
            bytes = limit;
    }
    return bytes;
}

uint64_t machine_resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char line[128], *second;
    uint64_t pages = 0;

    if (!file)
        return 0;
    /* "size resident shared ...", in pages: proc(5). */
    if (fgets(line, sizeof(line), file)) {
        (void)strtoull(line, &second, 10);
        pages = strtoull(second, NULL, 10);
    }
    fclose(file);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void machine_identity(char *text, size_t size)
{
    FILE *file = fopen("/etc/machine-id", "re");
    char id[40] = "", host[256] = "";

    if (file) {
        if (!fgets(id, sizeof(id), file))
            id[0] = '\0';
        fclose(file);
    }
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    snprintf(text, size, "%s/%s", id, host);
}
