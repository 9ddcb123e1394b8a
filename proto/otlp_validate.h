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
/* count against sum: of histograms of both kinds. */
int otlp_validate_sum(uint64_t count, const struct otlp_histogram *histogram);
int otlp_validate_histogram(uint64_t count, const struct otlp_histogram *histogram);

#endif
