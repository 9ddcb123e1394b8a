/*
 * Bucket layouts (explicit bounds), shared by all streams and minutes that have the same, and the
 * last buckets of each histogram stream.
 */
#ifndef PIPELINE_LAYOUT_H
#define PIPELINE_LAYOUT_H

#include "pipeline/state.h"

/* The layout of the histogram, one use taken; POOL_NONE where it has no bounds. */
uint32_t layout_take(struct pipeline *p, const struct otlp_histogram *histogram);
uint32_t layout_share(struct pipeline *p, uint32_t index);
void layout_give(struct pipeline *p, uint32_t index);

/* Are these the histogram's bounds? Never without bounds: then there may be one bucket or none. */
bool layout_matches(const struct pipeline *p, uint32_t layout,
                    const struct otlp_histogram *histogram);

/* Remembers the histogram as the stream's last one; opens the stream's record if need be. */
void layout_remember(struct pipeline *p, uint32_t stream,
                     const struct otlp_histogram *histogram);

/* Frees a stream's record. */
void layout_drop_buckets(struct pipeline *p, uint32_t index);

#endif
