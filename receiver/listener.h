/*
 * A listening TCP socket from "host:port" text.
 */
#ifndef RECEIVER_LISTENER_H
#define RECEIVER_LISTENER_H

#include "base/compiler.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    LISTENER_ADDRESS_MAX = 64
};

/*
 * Binds and listens; the socket does not block. Hosts are numbers, "localhost" or "[v6]"; an empty
 * host or "*" is all addresses. ERROR_INVALID: not an endpoint; ERROR_INTERNAL: cannot bind.
 */
bool listener_open(const char *endpoint, int *fd_out, struct error *err) MUST_CHECK;

/* "host:port" as bound; IPv6 hosts in brackets. */
void listener_address(int fd, char text[static LISTENER_ADDRESS_MAX]);

#endif
