/*
 * Between times and minutes.
 */
#ifndef PIPELINE_MINUTE_TIME_H
#define PIPELINE_MINUTE_TIME_H

#include "pipeline/cadence.h"

#include <stdint.h>

/* Minutes are numbered from the epoch; times on a boundary belong to the minute that... */
static inline uint64_t minute_beginning_at(uint64_t time_ns) /* ...begins there: values */
{
    return time_ns / NS_PER_MIN;
}

static inline uint64_t minute_ending_at(uint64_t time_ns) /* ...ends there: totals */
{
    return (time_ns - 1) / NS_PER_MIN;
}

static inline uint64_t minute_start_ns(uint64_t minute)
{
    return minute * NS_PER_MIN;
}

static inline uint64_t minute_end_ns(uint64_t minute)
{
    return (minute + 1) * NS_PER_MIN;
}

#endif
