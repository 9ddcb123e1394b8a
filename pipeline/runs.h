/*
 * Which minutes of a cell were posted and are final. Their accumulators are forgotten, that they
 * were posted is not: a late point must not open such a minute again and overwrite its value with a
 * part of it. Kept for 24 h, as runs of minutes without a gap; most cells have one.
 */
#ifndef PIPELINE_RUNS_H
#define PIPELINE_RUNS_H

#include "pipeline/state.h"

bool runs_have(const struct pipeline *p, const struct cell *cell, uint64_t minute);

void runs_add(struct pipeline *p, struct cell *cell, uint64_t minute);

/* Forgets runs that ended before `oldest`. */
void runs_trim(struct pipeline *p, struct cell *cell, uint64_t oldest);

#endif
