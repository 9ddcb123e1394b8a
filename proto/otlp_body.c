#include "proto/otlp_body.h"

#include "proto/gzip.h"

bool otlp_body_open(struct slice body, enum otlp_coding coding, size_t max_bytes,
                    struct otlp_body *opened, struct error *err)
{
    char *inflated;
    size_t len;

    /* No bytes are an empty request in every coding. */
    if (coding == OTLP_IDENTITY || body.len == 0) {
        *opened = (struct otlp_body){.bytes = body};
        return true;
    }
    if (!gzip_inflate(body, max_bytes, &inflated, &len, err))
        return false;
    *opened = (struct otlp_body){.bytes = {inflated, len}, .inflated = inflated};
    return true;
}
