/*
 * Says in the log when the journal ceases to take requests, with its reason, and when it takes them
 * again: once for as long as it goes back and forth. Zero-initialise it; one thread.
 */
#ifndef APP_JOURNAL_WATCH_H
#define APP_JOURNAL_WATCH_H

#include "base/journal.h"

#include <stdbool.h>
#include <stdint.h>

struct journal_watch {
    bool is_refusing;      /* as far as it was said */
    uint64_t refused;      /* records, at the last look */
    uint64_t calm_from_ns; /* monotonic: since when nothing was refused */
};

enum journal_news {
    JOURNAL_NO_NEWS,
    JOURNAL_REFUSES,
    JOURNAL_TAKES_AGAIN, /* for ten seconds now */
};

/* To be called now and then. What it says is returned as well. */
enum journal_news journal_watch_look(struct journal_watch *watch,
                                     const struct journal_stats *stats,
                                     uint64_t monotonic_ns);

#endif
