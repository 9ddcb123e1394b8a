/*
 * An increase of a total over a span of time, spread over the minutes of its stream's cell: totals rise
 * linearly between two points, and a minute's increase is total(end) - total(start)
 * (values.md, "Totals").
 */
#ifndef PIPELINE_SPREAD_H
#define PIPELINE_SPREAD_H

#include "pipeline/increase.h"
#include "pipeline/state.h"

/* No minute took any of it: all are final. */
#define SPREAD_NOWHERE UINT64_MAX

/*
 * What falls into final minutes is spread evenly over the others, so that totals are conserved. Returns
 * the last minute that took a part, to which the point belongs, or SPREAD_NOWHERE.
 *
 * While the budget of late minutes is full a span of several minutes is booked whole at its end:
 * senders with day-long windows (1,440 minutes each) cannot take memory beyond it.
 */
uint64_t spread_increase(struct pipeline *p, uint32_t stream,
                         const struct increase *increase);

#endif
