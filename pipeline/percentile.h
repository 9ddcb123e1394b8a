/*
 * Quantiles from explicit buckets by Prometheus' rule: find the bucket that holds rank q x count,
 * interpolate linearly inside it (Prometheus promql, histogram_quantile).
 */
#ifndef PIPELINE_PERCENTILE_H
#define PIPELINE_PERCENTILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * buckets has bound_count + 1 increases (>= 0, need not be whole); bucket i holds
 * (bounds[i-1], bounds[i]]. A bucket is reached at cumulative >= rank x (1 - 1e-9); empty buckets
 * are never the answer. False when there are no bounds or no observations. Overflow gives the
 * last bound; a first bound <= 0 gives that bound.
 */
bool percentile_explicit(const double *buckets, const double *bounds, size_t bound_count,
                         double q, double *value);

#endif
