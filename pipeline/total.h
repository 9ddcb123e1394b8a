/*
 * Totals: monotonic sums and histograms, cumulative and delta, and native counters. A point becomes
 * an increase over a span of time, or a reason why it is none.
 */
#ifndef PIPELINE_TOTAL_H
#define PIPELINE_TOTAL_H

#include "pipeline/state.h"

/* One point on its way into a stream. */
struct arrival {
    const struct otlp_point *point;
    const struct otlp_histogram *histogram; /* of OTLP_HISTOGRAM, else NULL */
    struct slice metric;                    /* its name, for examples */
    bool is_first;                          /* the stream was opened for it */
};

void total_observe(struct pipeline *p, uint32_t index, const struct arrival *arrival);

#endif
