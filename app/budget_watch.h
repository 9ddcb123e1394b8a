/*
 * Says in the log when metric names come near their budget, when new ones are refused or become
 * `other`, and when two metrics would share a name: each at most once in ten minutes. Zero-initialise
 * it; one thread.
 */
#ifndef APP_BUDGET_WATCH_H
#define APP_BUDGET_WATCH_H

#include "base/ledger.h"
#include "base/log.h"
#include "pipeline/options.h"

#include <stdint.h>

enum budget_news {
    BUDGET_NEAR,
    BUDGET_OVER,
    BUDGET_COLLAPSED,
    BUDGET_COLLISION,
    BUDGET_NEWS_LAST = BUDGET_COLLISION,
};

struct budget_watch {
    uint64_t seen[BUDGET_NEWS_LAST + 1]; /* at the last look */
    struct log_limit limits[BUDGET_NEWS_LAST + 1];
};

/* To be called now and then. Returns what it says: bit 1 << enum budget_news. */
unsigned budget_watch_look(struct budget_watch *watch,
                           const struct pipeline_budget_use *use,
                           const struct pipeline_counts *counts,
                           const struct point_ledger *ledger, uint64_t monotonic_ns);

#endif
