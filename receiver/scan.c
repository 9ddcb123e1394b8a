#include "receiver/scan.h"

static enum scan_verdict take(struct scan *scan, char c)
{
    bool at_start = scan->line_empty;

    if (scan->after_cr && c != '\n')
        return SCAN_MALFORMED;
    scan->after_cr = c == '\r';
    if (c == '\r')
        return SCAN_MORE;
    if (c == '\n') {
        if (scan->started && at_start)
            return SCAN_COMPLETE;
        scan->line_empty = scan->started;
        return SCAN_MORE;
    }
    if (c == '\0' || (at_start && scan->started && (c == ' ' || c == '\t')))
        return SCAN_MALFORMED;
    scan->started = true;
    scan->line_empty = false;
    return SCAN_MORE;
}

enum scan_verdict scan_head(struct scan *scan, struct slice bytes, size_t max_bytes,
                            size_t *used)
{
    enum scan_verdict verdict = SCAN_MORE;

    for (*used = 0; *used < bytes.len && verdict == SCAN_MORE;) {
        verdict = take(scan, bytes.ptr[(*used)++]);
        if (++scan->bytes > max_bytes)
            return SCAN_TOO_LARGE;
    }
    return verdict;
}
