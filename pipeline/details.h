/*
 * Exponential buckets and quantiles: records that streams and minutes own.
 */
#ifndef PIPELINE_DETAILS_H
#define PIPELINE_DETAILS_H

#include "pipeline/state.h"

/* Frees the record; POOL_NONE is none. */
void details_drop_exponential(struct pipeline *p, uint32_t index);
void details_drop_quantiles(struct pipeline *p, uint32_t index);

#endif
