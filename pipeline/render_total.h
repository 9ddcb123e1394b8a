/*
 * Counters and distributions: a minute's increases as the statistics of the cell's plan
 * (values.md, "Totals"). Scale turns values, sums and bounds into another unit; counts of
 * observations stay what they are.
 */
#ifndef PIPELINE_RENDER_TOTAL_H
#define PIPELINE_RENDER_TOTAL_H

#include "pipeline/rendering.h"

void render_counter(struct rendering *rendering);

void render_histogram(struct rendering *rendering);

/* What a distribution says beside its buckets: rate, count, sum, average, time. `increase` and
 * `sum` of the minute. */
void render_distribution_sums(struct rendering *rendering);

#endif
