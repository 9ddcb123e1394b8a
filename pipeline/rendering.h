/*
 * A minute on its way to named values: what the renderers of each kind of cell share. Values that are
 * not finite are not posted.
 */
#ifndef PIPELINE_RENDERING_H
#define PIPELINE_RENDERING_H

#include "pipeline/state.h"

struct rendering {
    struct pipeline *pipeline;
    const struct cell *cell;
    const struct plan *plan; /* NULL for native cells */
    const struct minute *minute;
    bool any; /* something was emitted */
};

/* Adds a value under the cell's name and the suffix. */
void rendering_emit(struct rendering *rendering, const char *suffix, double value);

/* Adds a value under a name of its own. */
void rendering_emit_as(struct rendering *rendering, struct slice name, const char *suffix,
                       double value);

/* Does the plan ask for it? */
static inline bool rendering_has(const struct rendering *rendering,
                                 enum statistic statistic)
{
    return (rendering->plan->statistics & (uint32_t)statistic) != 0;
}

#endif
