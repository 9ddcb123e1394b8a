/*
 * Which points the data model forbids. Pure judgements on decoded facts.
 *
 * Each returns OTLP_ACCEPTED or the reason. Times are judged first and for every point; a point
 * that is flagged "no recorded value" has nothing else that counts.
 *
 * Source: metrics.proto 1.11 (comments of the data point messages), metrics/data-model.md.
 */
#ifndef PROTO_OTLP_VALIDATE_H
#define PROTO_OTLP_VALIDATE_H

#include "proto/otlp.h"

/* A verdict is OTLP_ACCEPTED, OTLP_BROKEN (the whole body is no message) or an enum reason. */
enum {
    OTLP_ACCEPTED = -1,
    OTLP_BROKEN = -2
};

int otlp_validate_time(const struct otlp_point *point);
int otlp_validate_number(const struct otlp_point *point,
                         enum otlp_temporality temporality, bool monotonic);
/* count against sum, of histograms of both kinds. */
int otlp_validate_sum(uint64_t count, bool has_sum, double sum);
int otlp_validate_histogram(uint64_t count, const struct otlp_histogram *histogram);
/*
 * Buckets and zero bucket add up to the count, each side has at most OTLP_MAX_BUCKETS, and every
 * bucket that is not empty holds some double; the zero threshold is a finite width.
 */
int otlp_validate_exponential(uint64_t count, const struct otlp_exponential *exponential);
/* Quantiles rise strictly within [0, 1] and have no negative value; NaN is one without a value. */
int otlp_validate_summary(uint64_t count, const struct otlp_summary *summary);

#endif
