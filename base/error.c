#include "base/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

/* gRPC and HTTP statuses: OTLP specification 1.11, "OTLP/gRPC Response", "OTLP/HTTP Response". */
static const struct {
    const char *name;
    int grpc, http;
    bool retryable;
} kinds[] = {
    [ERROR_NONE] = {"none", 0, 200, false},
    [ERROR_INVALID] = {"invalid", 3, 400, false},
    [ERROR_TOO_LARGE] = {"too_large", 8, 413, false},
    [ERROR_BUSY] = {"busy", 14, 503, true},
    [ERROR_NOT_FOUND] = {"not_found", 12, 404, false},
    [ERROR_METHOD] = {"method", 12, 405, false},
    [ERROR_MEDIA_TYPE] = {"media_type", 3, 415, false},
    [ERROR_CODING] = {"coding", 12, 415, false},
    [ERROR_CORRUPT] = {"corrupt", 13, 400, false},
    [ERROR_TIMEOUT] = {"timeout", 4, 408, false},
    [ERROR_HEADERS_TOO_LARGE] = {"headers_too_large", 8, 431, false},
    [ERROR_INTERNAL] = {"internal", 13, 500, false},
};

static_assert(sizeof(kinds) / sizeof(kinds[0]) == ERROR_INTERNAL + 1, "one row per kind");

bool error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    if (!err)
        return false;

    va_list args;

    err->kind = kind;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return false;
}

const char *error_name(enum error_kind kind)
{
    return kinds[kind].name;
}

int error_grpc_status(enum error_kind kind)
{
    return kinds[kind].grpc;
}

int error_http_status(enum error_kind kind)
{
    return kinds[kind].http;
}

bool error_is_retryable(enum error_kind kind)
{
    return kinds[kind].retryable;
}
