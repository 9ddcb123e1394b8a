/*
 * What becomes of a stream, in words: asked of a pipeline that took the batch before, by the code that
 * routes points. For people (app/explain.h); it may open families and streams, so the pipeline is one to
 * throw away.
 */
#ifndef PIPELINE_EXPLAIN_H
#define PIPELINE_EXPLAIN_H

#include "base/ledger.h"
#include "pipeline/state.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

/* The rule that routed a family, the `place`th of those in force; 0: none matches, or the rules changed
 * since. */
struct explained_rule {
    struct slice name;
    size_t place, count;
};

struct explained_rule explain_rule(const struct pipeline *p, uint32_t index);

struct explanation {
    struct explained_rule rule;
    uint32_t cell;      /* POOL_NONE: posted nowhere, */
    enum reason reason; /* for this reason */
};

struct explanation explain_point(struct pipeline *p, const struct otlp_batch *batch,
                                 const struct otlp_point *point);

/* Every name that the cell can post, in the order of posting. */
typedef void explain_visit(void *self, struct slice name);
void explain_names(const struct pipeline *p, uint32_t cell, explain_visit *visit,
                   void *self);

/* Is the record of a cell in use? For walks over all of them. */
bool explain_is_cell(const struct pipeline *p, uint32_t cell);

#endif
