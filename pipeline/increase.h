/*
 * What a total rose by over a span of time.
 */
#ifndef PIPELINE_INCREASE_H
#define PIPELINE_INCREASE_H

#include "pipeline/exponential.h"

#include <stdbool.h>
#include <stdint.h>

struct increase {
    uint64_t from_ns, to_ns; /* (from, to]; equal: a point mass */
    double amount;           /* distributions: count */
    double sum, min, max;
    bool has_sum, has_extremes;
    uint32_t layout; /* POOL_NONE: no explicit buckets */
    const double *buckets;
    const struct exponential *exponential; /* NULL: no exponential ones */
    uint32_t component;                    /* native totals */
};

#endif
