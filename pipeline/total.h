/*
 * Totals: monotonic sums and distributions, cumulative and delta, and native counters. A point becomes
 * an increase over a span of time, or a reason why it is none.
 */
#ifndef PIPELINE_TOTAL_H
#define PIPELINE_TOTAL_H

#include "pipeline/arrival.h"
#include "pipeline/state.h"

void total_observe(struct pipeline *p, uint32_t index, const struct arrival *arrival);

#endif
