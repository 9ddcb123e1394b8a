/*
 * What a client of the admin server asks for: the first line of an HTTP/1.1 request, read strictly.
 * Header fields and bodies are of no interest to it, so they are not parsed: the pages take no
 * input, which is what keeps a monitoring port harmless. Pure.
 *
 * Source: RFC 9112, section 3.
 */
#ifndef APP_ADMIN_REQUEST_H
#define APP_ADMIN_REQUEST_H

#include "base/slice.h"

#include <stdbool.h>

enum admin_page {
    ADMIN_LIVE,
    ADMIN_READY,
    ADMIN_METRICS,
    ADMIN_STATUS,
};

/* Probes send some hundred bytes, browsers two thousand. */
enum {
    ADMIN_HEAD_MAX = 8192
};

struct admin_request {
    enum admin_page page;
    bool is_head;
};

/*
 * Reads what has arrived so far. 0: the head is not complete; 200: `request` is set; else the
 * status to refuse with (400, 404, 405, 431, 505).
 */
int admin_request_parse(struct slice head, struct admin_request *request);

#endif
