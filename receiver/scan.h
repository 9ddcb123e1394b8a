/*
 * Finds the end of an HTTP/1.1 header block before the parser sees it, counts its bytes, and
 * refuses what two parsers could read differently: a carriage return without line feed, folded
 * lines and NUL (RFC 9112, 2.2, 5.2 and 11.2: request smuggling).
 */
#ifndef RECEIVER_SCAN_H
#define RECEIVER_SCAN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

enum scan_verdict {
    SCAN_MORE,
    SCAN_COMPLETE,
    SCAN_MALFORMED,
    SCAN_TOO_LARGE
};

/* Zero-initialise for each header block. */
struct scan {
    size_t bytes;    /* of the block so far, leading empty lines included */
    bool started;    /* a byte other than CR and LF was there */
    bool line_empty; /* nothing since the last line feed */
    bool after_cr;
};

/* Looks at bytes up to the end of the block; *used says how many belong to it. */
enum scan_verdict scan_head(struct scan *scan, struct slice bytes, size_t max_bytes,
                            size_t *used);

#endif
