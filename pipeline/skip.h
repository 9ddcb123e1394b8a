/*
 * Points of a metric that is superseded (pipeline/supersede.h) are passed over.
 */
#ifndef PIPELINE_SKIP_H
#define PIPELINE_SKIP_H

#include "pipeline/state.h"

/* Counts the metric's points; streams that they have begin with a baseline should they go on. */
void skip_superseded(struct pipeline *p, uint32_t family, const struct otlp_batch *batch,
                     const struct otlp_metric *metric);

#endif
