/*
 * A request's body as it was received, and as the decoder wants it. The receiver opens bodies when
 * they arrive, the fold when they are read back from the journal.
 */
#ifndef PROTO_OTLP_BODY_H
#define PROTO_OTLP_BODY_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/slice.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stddef.h>

struct otlp_body {
    struct slice bytes; /* without coding */
    char *
        inflated; /* heap memory for the caller to free(); NULL: bytes are the body's own */
};

/*
 * Undoes the coding, to at most max_bytes. ERROR_TOO_LARGE above that, ERROR_CORRUPT for damaged
 * data.
 */
bool otlp_body_open(struct slice body, enum otlp_coding coding, size_t max_bytes,
                    struct otlp_body *opened, struct error *err) MUST_CHECK;

#endif
