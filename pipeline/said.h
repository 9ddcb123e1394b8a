/*
 * What streams remember of what they said: of values some minutes, of distributions the last point.
 */
#ifndef PIPELINE_SAID_H
#define PIPELINE_SAID_H

#include "base/hash.h"
#include "pipeline/exponential.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

enum distribution_kind {
    DISTRIBUTION_EXPLICIT,
    DISTRIBUTION_EXPONENTIAL,
    DISTRIBUTION_SUMMARY,
    DISTRIBUTION_LAST = DISTRIBUTION_SUMMARY
};

/* What a summary said last; of a minute what it holds (pipeline/quantiles.h). */
struct quantiles {
    struct hash128 identity; /* of the stream that said it */
    uint64_t start_ns, time_ns;
    double sum;
    uint32_t len, room;
    struct otlp_quantile *value;
    bool is_mixed; /* minute: streams of several identities said something */
};

/* Last buckets of a cumulative histogram. */
struct buckets {
    uint32_t layout; /* POOL_NONE: no buckets */
    uint32_t room;
    uint64_t *count; /* layout's bound_count + 1 */
    double sum;
    bool has_sum;
};

/* Explicit bounds, shared by all that have the same. */
struct layout {
    struct hash128 hash;
    uint32_t users;
    uint32_t bound_count;
    double *bounds;
};

/*
 * What a value stream said: a ring of minutes, and blocks of older ones behind it (pipeline/history.h).
 * A carried value is at most 6.25 min old, so a minute never asks further back than the ring reaches.
 */
enum {
    HISTORY_MINUTES = 8
};

#define HISTORY_RING UINT64_MAX

struct history_minute {
    uint64_t last_ns; /* 0: nothing */
    double last;
};

struct history {
    uint64_t number; /* minutes number * HISTORY_MINUTES and after; HISTORY_RING: any */
    uint32_t older;
    uint32_t points; /* struct history_points; POOL_NONE where only the last ones count */
    struct history_minute last[HISTORY_MINUTES];
};

/*
 * What all points of the block's minutes said, for the few streams of which more than the last point
 * of a minute is asked. A million streams rest in memory because most do without.
 */
struct points_minute {
    uint64_t first_ns; /* 0: nothing */
    double first, sum, min, max;
    uint64_t count;
};

struct history_points {
    struct points_minute minute[HISTORY_MINUTES];
};

#endif
