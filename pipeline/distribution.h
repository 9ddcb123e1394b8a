/*
 * Distributions: explicit histograms, exponential histograms, summaries. What a point says beside its
 * count, as an increase, and what its stream remembers of it.
 *
 * Counts and sums rise like any total. Buckets rise with them where they can be compared: explicit
 * ones under the same bounds, exponential ones after bringing them to one scale; a bucket below the
 * last one is a fall like that of a count. Minimum and maximum belong to the span of a delta
 * point; cumulative ones are those of a whole life and say nothing about a minute.
 */
#ifndef PIPELINE_DISTRIBUTION_H
#define PIPELINE_DISTRIBUTION_H

#include "pipeline/arrival.h"
#include "pipeline/increase.h"
#include "pipeline/state.h"

/* The whole of the point: a delta, or a total that rises from zero. Arrays of it are scratch. */
void distribution_read(struct pipeline *p, uint32_t stream, const struct arrival *arrival,
                       struct increase *increase);

/* What it rose by since the stream's last point; false where it fell. */
bool distribution_rise(struct pipeline *p, const struct stream *stream,
                       const struct arrival *arrival, struct increase *increase);

/* Remembers the point as the stream's last one; of a summary minutes take its quantiles. */
void distribution_remember(struct pipeline *p, uint32_t stream,
                           const struct arrival *arrival);

/* Frees what the stream remembers. */
void distribution_forget(struct pipeline *p, const struct stream *stream);

/* An increase of exponential buckets falls into the minute: what lies between these shares of it. */
void distribution_add_exponential(struct pipeline *p, struct minute *minute,
                                  const struct increase *increase, double before,
                                  double until);

#endif
