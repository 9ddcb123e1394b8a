/*
 * Says in the log when the journal ceases to take requests, with its reason, and when it takes them
 * again. Zero-initialise it; one thread.
 */
#ifndef APP_JOURNAL_WATCH_H
#define APP_JOURNAL_WATCH_H

#include "base/journal.h"

#include <stdbool.h>

struct journal_watch {
    bool was_refusing;
};

/* To be called now and then. */
void journal_watch_look(struct journal_watch *watch, const struct journal_stats *stats);

#endif
