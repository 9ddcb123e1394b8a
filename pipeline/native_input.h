/*
 * What is asked about a point that may feed a native cell, and the answer.
 */
#ifndef PIPELINE_NATIVE_INPUT_H
#define PIPELINE_NATIVE_INPUT_H

#include "base/slice.h"
#include "pipeline/native_group.h"
#include "pipeline/native_policy.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

/* How the points of a metric are read. */
enum native_reading {
    NATIVE_VALUE, /* at the minute's start */
    NATIVE_TOTAL, /* as increase between minute boundaries */
    NATIVE_SHARE, /* of the time since the stream's last point: seconds that add up like a total */
};

/* Of several metrics that feed a group of a host, which goes first. */
enum native_rank_of_source {
    NATIVE_BESIDE,   /* says something about the others, whichever it is */
    NATIVE_FALLBACK, /* until a preferred one comes */
    NATIVE_PREFERRED,
};

struct native_question {
    const struct otlp_metric *metric;
    const struct otlp_point *point;
    const struct native_policy *policy;
    enum native_platform platform;
};

struct native_input {
    enum native_group group;
    uint8_t component;
    enum native_reading reading;
    enum native_rank_of_source source;
    /*
     * Tells streams of one component apart: those of the same rank say the same thing under old and
     * new attribute names, and one of them counts. Filesystem: shorter mountpoints rank lower, the
     * lowest rank of a device counts. Others: native_unit() in the upper half.
     */
    uint64_t rank;
    struct slice device; /* sanitised, in `text`; empty where the group has no devices */
    uint32_t unit;       /* which cpu or device; 0 where the sender does not say */
    bool is_by_mount;    /* `device` is the filesystem's mountpoint */
};

/* Which cpu or device of the host; 0 where the sender does not say. */
static inline uint32_t native_unit(uint64_t rank)
{
    return (uint32_t)(rank >> 32);
}

#endif
