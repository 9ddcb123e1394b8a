/*
 * Data points: one message to one record, with the verdict whether it may be taken.
 *
 * Internal to the OTLP decoders. Verdicts follow metrics.proto (reference by field comments) and
 * the data model; the order in which they are looked for is the order of the functions in
 * otlp_validate.h, so that a point with several faults always has the same reason.
 */
#ifndef PROTO_OTLP_POINT_H
#define PROTO_OTLP_POINT_H

#include "proto/otlp.h"
#include "proto/otlp_hash.h"
#include "proto/otlp_validate.h"

/* What a point needs to know about its metric. */
struct otlp_point_context {
    const struct otlp_hasher *hasher;
    struct otlp_batch *batch;
    enum otlp_kind kind;
    enum otlp_temporality temporality;
    bool monotonic;
};

/*
 * Decodes one data point, and what its kind has beside it into the batch's next record of that kind.
 * Both are scratch unless the verdict is OTLP_ACCEPTED; point->stream then is the hash of the
 * attribute set alone.
 */
int otlp_point_decode(const struct otlp_point_context *context, struct slice message,
                      struct otlp_point *point);

/* ---- otlp_exponential.c, otlp_summary.c: the same for one kind */
int otlp_exponential_decode(const struct otlp_point_context *context,
                            struct slice message, struct otlp_point *point);
int otlp_summary_decode(const struct otlp_point_context *context, struct slice message,
                        struct otlp_point *point);

#endif
