/*
 * The admin server: health, metrics and status over HTTP/1.1, on a port of its own. One thread, one
 * answer per connection, no input: GET and HEAD only, and what is asked for is a word of a table.
 *
 * Limits: ADMIN_CONNECTIONS at a time (more wait in the kernel's queue), ADMIN_HEAD_MAX bytes of
 * request, 10 s for a whole exchange. A slow client therefore delays no probe.
 *
 * Source: RFC 9110 and 9112.
 */
#ifndef APP_ADMIN_H
#define APP_ADMIN_H

#include "app/admin_request.h"
#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"

#include <stdbool.h>

struct admin;

enum {
    ADMIN_CONNECTIONS = 32,
    ADMIN_ADDRESS_MAX = 64
};

/* What a page says. The body is released by the admin server. */
struct admin_answer {
    int status;
    const char *media_type;
    struct buffer body;
};

struct admin_options {
    const char *endpoint; /* host:port */
    /* Writes a page; runs on the admin thread. */
    void (*render)(void *self, enum admin_page page, struct admin_answer *answer);
    void *self;
};

/* Binds. NULL when the endpoint is none (ERROR_INVALID) or cannot be bound (ERROR_INTERNAL). */
struct admin *admin_open(const struct admin_options *options,
                         struct error *err) MUST_CHECK;

/* Begins to serve: render() may be called from now on. */
bool admin_start(struct admin *admin, struct error *err) MUST_CHECK;

/* host:port as bound. */
const char *admin_address(const struct admin *admin);

/* Closes everything and ends the thread. NULL is fine. */
void admin_free(struct admin *admin);

#endif
