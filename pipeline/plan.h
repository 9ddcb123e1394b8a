/*
 * A plan: what is posted of a cell's minutes. A rule and a metric's kind and unit make it; all streams
 * of a cell share it, and the cell keeps it when rules change, so that open minutes finish as
 * they began. Equal plans are one record.
 *
 * Names and values of the statistics: docs/what-is-posted.md.
 */
#ifndef PIPELINE_PLAN_H
#define PIPELINE_PLAN_H

#include "base/hash.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PLAN_PERCENTILES = 8,
    PLAN_LABELS = 8
};

/* One value each; percentiles beside them. */
enum statistic {
    STATISTIC_RATE = 1 << 0,    /* increase per second */
    STATISTIC_COUNT = 1 << 1,   /* whole increase of the minute, conserved */
    STATISTIC_SUM = 1 << 2,     /* distributions: increase of the sum per second */
    STATISTIC_AVERAGE = 1 << 3, /* distributions: increase of sum / increase of count */
    STATISTIC_MIN = 1 << 4,     /* distributions with delta temporality */
    STATISTIC_MAX = 1 << 5,     /* likewise */
    STATISTIC_SATURATION =
        1 << 6, /* share of the observations in the overflow bucket, 0 to 1 */
    STATISTIC_TIME =
        1 << 7, /* distributions of seconds: 100 x increase of the sum / 60 */
    STATISTIC_PERCENTAGE = 1 << 8, /* counters of seconds: 100 x increase / 60 */
    STATISTIC_QUANTILES = 1 << 9,  /* summaries: every quantile that they say */
};

/* How values of several streams become one; several of them: one value each, named behind it. */
enum merge {
    MERGE_AVERAGE = 1 << 0,
    MERGE_SUM = 1 << 1,
    MERGE_MIN = 1 << 2,
    MERGE_MAX = 1 << 3,
};

/* Which value of a stream's points in a minute counts. */
enum over_time {
    OVER_TIME_LAST,
    OVER_TIME_AVERAGE,
    OVER_TIME_MIN,
    OVER_TIME_MAX,
};

struct plan {
    struct hash128 hash; /* of all below */
    uint32_t users;
    uint32_t statistics;                 /* enum statistic */
    double percentile[PLAN_PERCENTILES]; /* 0.99 is p99; in rising order */
    double scale; /* of values, sums, bounds; counts of observations stay */
    char *labels; /* of the breakdown, each with a NUL behind it; owned */
    uint32_t labels_len;
    uint8_t percentile_count, label_count;
    uint8_t merges;    /* enum merge */
    uint8_t over_time; /* enum over_time */
    bool zero_fill;
};

#endif
