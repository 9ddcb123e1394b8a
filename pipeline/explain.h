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

struct explanation {
    struct slice rule;  /* its name; empty: none matches */
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
