/* Any bytes as gzip: what comes out never exceeds the cap. */
#include "proto/gzip.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum {
        MAX_BYTES = 1 << 20
    };

    struct slice body = {(const char *)data, size};
    char *out = NULL;
    size_t len = 0;

    if (gzip_inflate(body, MAX_BYTES, &out, &len, NULL) && len > MAX_BYTES)
        abort();
    free(out);
    return 0;
}
