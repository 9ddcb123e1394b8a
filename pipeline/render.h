/*
 * One closed minute of a cell as named values.
 */
#ifndef PIPELINE_RENDER_H
#define PIPELINE_RENDER_H

#include "pipeline/state.h"

/* Adds the minute's values to the tick's emissions; false when it has none. */
bool render_minute(struct pipeline *p, uint32_t cell, const struct minute *minute);

#endif
