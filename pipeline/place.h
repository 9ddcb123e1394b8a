/*
 * Which cell a stream belongs to by its family's route and rule: the rule leaves it out (`where`), and
 * says which labels of the breakdown it has. Asked on first sight and after a change of rules.
 */
#ifndef PIPELINE_PLACE_H
#define PIPELINE_PLACE_H

#include "pipeline/state.h"

/* A stream's first point, or the first under new rules. */
struct stream_seed {
    uint32_t family;
    const struct otlp_batch *batch;
    const struct otlp_metric *metric;
    const struct otlp_point *point;
};

/* What the family's rule makes of a stream. */
struct placing {
    uint32_t cell; /* POOL_NONE: left out, or its family is refused */
    uint8_t labels;
    enum reason why; /* it has no cell */
};

struct placing place_stream(struct pipeline *p, const struct stream_seed *seed);

/* The family's cell without regard to streams, now and before the last change; POOL_NONE for none. */
uint32_t place_family_cell(struct pipeline *p, const struct family *family);
uint32_t place_former_cell(struct pipeline *p, const struct family *family);

#endif
