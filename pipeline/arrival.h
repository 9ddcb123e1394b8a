/*
 * One point on its way into a stream.
 */
#ifndef PIPELINE_ARRIVAL_H
#define PIPELINE_ARRIVAL_H

#include "proto/otlp.h"

#include <stdbool.h>

struct arrival {
    const struct otlp_point *point;
    /* What a distribution has beside its count: one of these, the others are NULL. */
    const struct otlp_histogram *histogram;
    const struct otlp_exponential *exponential;
    const struct otlp_summary *summary;
    struct slice metric; /* its name, for examples */
    bool is_first;       /* the stream was opened for it */
};

static inline bool arrival_is_distribution(const struct arrival *arrival)
{
    return arrival->histogram || arrival->exponential || arrival->summary;
}

#endif
