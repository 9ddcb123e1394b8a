/*
 * Quantiles of summaries: gauges that the sender computed itself. They are posted as they are, never
 * merged and never interpolated, so a minute has them only where all summaries in it are of one
 * stream. What holds a minute's quantiles:
 *
 *  - the last point in it; a point on a boundary belongs to the minute that begins there
 *  - without a point the ones before, once a later point has come within QUANTILES_CARRIED_NS: as
 *    long as the slowest senders live, and independent of how often this one reports
 *  - of two start times of one identity the later, where the earlier had ended before it began
 *
 * At most QUANTILES_KEPT of a point; a quantile that is not finite says that there is none.
 */
#ifndef PIPELINE_QUANTILES_H
#define PIPELINE_QUANTILES_H

#include "pipeline/arrival.h"
#include "pipeline/state.h"

enum {
    QUANTILES_KEPT = 32
};

#define QUANTILES_CARRIED_NS (UINT64_C(375) * NS_PER_S)

/*
 * A summary's point says what it says about minutes, and is remembered where it is the stream's newest.
 * Its quantiles and its sum are the stream's detail, so this comes after its increase was taken.
 */
void quantiles_observe(struct pipeline *p, uint32_t stream,
                       const struct arrival *arrival);

/* The sender says that the series ended: what it said is not carried any further. */
void quantiles_end(struct pipeline *p, uint32_t stream);

#endif
