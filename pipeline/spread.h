/*
 * An increase of a total over a span of time, spread over the minutes of its stream's cell: totals rise
 * linearly between two points, and a minute's increase is total(end) - total(start)
 * (values.md, "Totals").
 */
#ifndef PIPELINE_SPREAD_H
#define PIPELINE_SPREAD_H

#include "pipeline/state.h"

struct increase {
    uint64_t from_ns, to_ns; /* (from, to]; equal: a point mass */
    double amount;           /* histogram: count */
    double sum;
    bool has_sum;
    uint32_t layout; /* POOL_NONE: no buckets */
    const double *buckets;
    uint32_t component; /* native totals */
};

/* While the budget of late minutes is full a span of several minutes is booked whole at its end:
 * senders with day-long windows (1,440 minutes each) cannot take memory beyond it. */
void spread_increase(struct pipeline *p, uint32_t stream,
                     const struct increase *increase);

#endif
