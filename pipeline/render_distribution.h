/*
 * What distributions say beside count and sum: percentiles from buckets, minimum and maximum, a
 * summary's own quantiles. Percentiles are posted only where buckets of one kind, and explicit
 * ones under the same bounds, hold all observations of the minute.
 */
#ifndef PIPELINE_RENDER_DISTRIBUTION_H
#define PIPELINE_RENDER_DISTRIBUTION_H

#include "pipeline/rendering.h"

/* Of a minute with observations. */
void render_buckets(struct rendering *rendering);
void render_extremes(struct rendering *rendering);

/* Of any minute: gauges. */
void render_quantiles(struct rendering *rendering);

#endif
