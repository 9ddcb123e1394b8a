#include "base/checksum.h"

#include <isa-l/crc.h>

#include <limits.h>

uint32_t checksum_crc32c(uint32_t before, struct slice bytes)
{
    uint32_t crc = ~before;

    /* The library counts in int and forgot a const. */
    while (bytes.len > 0) {
        int chunk = bytes.len > INT_MAX ? INT_MAX : (int)bytes.len;

        crc = crc32_iscsi((unsigned char *)(uintptr_t)bytes.ptr, chunk, crc);
        bytes.ptr += chunk;
        bytes.len -= (size_t)chunk;
    }
    return ~crc;
}
