/*
 * How long a minute of totals may wait for streams that have not reached its end (values.md, "When a
 * minute closes").
 */
#ifndef PIPELINE_HOLD_H
#define PIPELINE_HOLD_H

#include "pipeline/state.h"

/* Has every stream that fed the minute before reached the minute's end? */
bool hold_is_over(const struct pipeline *p, const struct cell *cell, uint64_t minute);

/* The longest wait, from the minute's end + grace on; 0 for cells of values. */
uint64_t hold_minute_ns(const struct pipeline *p, const struct cell *cell,
                        uint64_t minute);

#endif
