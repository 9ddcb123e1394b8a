/*
 * What went wrong, said once. Functions that can fail take `struct error *err`, return false and
 * leave their outputs untouched; the caller that handles the failure logs or answers it.
 *
 * The kind decides how an error is answered. One table maps it to gRPC status, HTTP status and
 * whether a sender may try again (reference: OTLP specification, "Failures").
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include "base/compiler.h"

#include <stdbool.h>

enum error_kind {
    ERROR_NONE,
    ERROR_INVALID,           /* the bytes or the configuration are wrong and stay wrong */
    ERROR_TOO_LARGE,         /* over a size limit; the same request will never fit */
    ERROR_BUSY,              /* no room now; the same request may work later */
    ERROR_NOT_FOUND,         /* unknown path, service or method */
    ERROR_METHOD,            /* HTTP method not allowed */
    ERROR_MEDIA_TYPE,        /* content type not understood */
    ERROR_CODING,            /* compression not understood */
    ERROR_CORRUPT,           /* compressed data or framing is damaged */
    ERROR_TIMEOUT,           /* the peer took too long */
    ERROR_HEADERS_TOO_LARGE, /* header block over its limit */
    ERROR_INTERNAL,          /* a fault of this program or machine */
};

enum {
    ERROR_TEXT_MAX = 512
};

struct error {
    enum error_kind kind;
    char text[ERROR_TEXT_MAX];
};

/* Sets kind and text; returns false so that `return FAIL(...)` reads well. err may be NULL. */
bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define FAIL(err, kind, ...) error_set(err, kind, __VA_ARGS__)

const char *error_name(enum error_kind kind);
int error_grpc_status(enum error_kind kind);
int error_http_status(enum error_kind kind);
bool error_is_retryable(enum error_kind kind);

#endif
