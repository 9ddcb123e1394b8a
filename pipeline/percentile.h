/*
 * Quantiles from buckets by Prometheus' rule: find the bucket that holds rank q x count, interpolate
 * inside it: linearly between explicit bounds, exponentially between those of exponential
 * buckets (Prometheus promql, histogram_quantile). A bucket is reached at cumulative >= rank x
 * (1 - 1e-9); empty buckets are never the answer.
 */
#ifndef PIPELINE_PERCENTILE_H
#define PIPELINE_PERCENTILE_H

#include "pipeline/exponential.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * buckets has bound_count + 1 increases (>= 0, need not be whole); bucket i holds
 * (bounds[i-1], bounds[i]]. False when there are no bounds or no observations. Overflow gives the
 * last bound; a first bound <= 0 gives that bound.
 */
bool percentile_explicit(const double *buckets, const double *bounds, size_t bound_count,
                         double q, double *value);

/*
 * From a minute's parts. With f the share of the bucket's observations up to the rank, bucket i gives
 * base^(i + f), on the negative side -base^(i + 1 - f). The zero bucket is linear from -threshold to
 * threshold; from 0 where there are positive but no negative buckets, to 0 the other way round.
 * False without observations.
 */
bool percentile_exponential(const struct exponential *buckets, double q, double *value);

#endif
