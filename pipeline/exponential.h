/*
 * Exponential buckets: of scale s, bucket i covers (base^i, base^(i + 1)] with base = 2^(2^-s), on the
 * negative side mirrored, and a zero bucket [-threshold, threshold]. Kept as two windows of at most
 * EXPONENTIAL_BUCKETS buckets; where more are needed the scale falls by one or more (i becomes
 * i >> 1, two buckets become one), as in the SDKs.
 *
 * Two histograms are brought to the lower scale and to the higher threshold before they are compared
 * or added. Buckets that begin below the threshold belong to the zero bucket; where one of them
 * reaches beyond it, the threshold rises to its end. One without buckets has no scale.
 *
 * Pure: values that own their counts. Sources: metrics/data-model.md (exponential histograms, merging;
 * zero threshold), SDK specification (160 buckets, downscaling).
 */
#ifndef PIPELINE_EXPONENTIAL_H
#define PIPELINE_EXPONENTIAL_H

#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EXPONENTIAL_BUCKETS = 160,
    /* All doubles above 1 are in bucket 0 then, those below in bucket -1. */
    EXPONENTIAL_MIN_SCALE = -11,
};

/* Whole counts of streams, parts of them in minutes. */
union tally {
    uint64_t whole;
    double part;
};

struct exponential_side {
    int64_t low;        /* index of the first bucket */
    uint32_t len, room; /* buckets */
    union tally *count;
};

struct exponential {
    struct exponential_side positive, negative;
    union tally zero;
    double zero_threshold;
    double sum; /* of a stream's point, where it has one */
    int32_t scale;
    int32_t sent_scale; /* of a stream's point */
    bool has_sum;
    bool is_whole; /* which tally */
};

/* Becomes the point's histogram, in whole counts; keeps its memory. */
void exponential_read(struct exponential *to, const struct otlp_exponential *from);

void exponential_copy(struct exponential *to, const struct exponential *from);

/*
 * What `now` rose by since `last`, in whole counts; `scratch` is overwritten. False when `last` is no
 * part of it: a bucket fell, or the scale rose or the threshold fell, which no merging does.
 */
bool exponential_rise(struct exponential *rise, const struct exponential *last,
                      const struct exponential *now, struct exponential *scratch);

/*
 * Adds a part of the increase, which is in whole counts: what lies between these shares of it.
 * `scratch` is overwritten.
 */
void exponential_add(struct exponential *to, const struct exponential *increase,
                     double before, double until, struct exponential *scratch);

/* Where bucket `index` begins: base^index. */
double exponential_edge(const struct exponential *buckets, double index);

void exponential_release(struct exponential *buckets);

#endif
