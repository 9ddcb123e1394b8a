/*
 * What data points of all kinds have: times, attributes, flags. Internal to the OTLP decoders; inline
 * because it is done for every point.
 */
#ifndef PROTO_OTLP_FRAME_H
#define PROTO_OTLP_FRAME_H

#include "proto/otlp_hash.h"
#include "proto/otlp_validate.h"

/* Level of a data point's message: request, resource, scope, metric, kind, point. */
enum {
    OTLP_POINT_DEPTH = 6
};

/* The verdict that follows from the times, then from the attributes. */
static inline int otlp_frame_judge(const struct otlp_point *point,
                                   enum otlp_hash_verdict attributes)
{
    int verdict = otlp_validate_time(point);

    if (verdict != OTLP_ACCEPTED)
        return verdict;
    return attributes == OTLP_HASH_OK ? OTLP_ACCEPTED : REASON_TOO_DEEP;
}

static inline uint8_t otlp_frame_flags(uint64_t flags)
{
    return (uint8_t)(flags & OTLP_NO_RECORDED_VALUE);
}

static inline enum otlp_hash_verdict otlp_frame_worse(enum otlp_hash_verdict a,
                                                      enum otlp_hash_verdict b)
{
    return a > b ? a : b;
}

#endif
