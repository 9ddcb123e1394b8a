/*
 * Entries in the point ledger: counts under reasons, with an example now and then.
 */
#ifndef PIPELINE_BOOKS_H
#define PIPELINE_BOOKS_H

#include "pipeline/state.h"

/* Counts points under a reason; the metric's name becomes the example when one is wanted. */
void books_count(struct pipeline *p, enum reason reason, uint64_t points,
                 struct slice metric);

/* Moves points from pending to merged, or from pending to a reason. */
void books_merge(struct pipeline *p, uint64_t points);
void books_abandon(struct pipeline *p, enum reason reason, uint64_t points,
                   struct slice metric);

#endif
