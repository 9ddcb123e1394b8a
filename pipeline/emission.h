/*
 * The values that a tick closed, gathered into rows: one per destination and minute. The first row
 * has the definitions of graphs for all of them.
 */
#ifndef PIPELINE_EMISSION_H
#define PIPELINE_EMISSION_H

#include "pipeline/state.h"
#include "proto/mackerel.h"

/* Gives the rows to `emit` and forgets them. */
void emission_flush(struct pipeline *p,
                    void (*emit)(void *self, const struct mackerel_row *rows,
                                 size_t count),
                    void *self);
void emission_release(struct pipeline *p);

#endif
