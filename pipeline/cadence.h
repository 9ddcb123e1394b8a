/*
 * How often something reports, and whether it still does. The interval is the middle one of the
 * last three gaps (the shorter of two; 60 s while there is one point): a single pause or a burst
 * does not change it. Alive at a time means: the last point before it is not older than 1.25
 * intervals, at most 6.25 min (values.md, "Streams").
 */
#ifndef PIPELINE_CADENCE_H
#define PIPELINE_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_S    UINT64_C(1000000000)
#define NS_PER_MIN  (60 * NS_PER_S)
#define NS_PER_HOUR (60 * NS_PER_MIN)

struct cadence {
    uint32_t gap_ms[3]; /* newest first; 0 is none yet */
};

void cadence_add(struct cadence *cadence, uint64_t gap_ns);
uint64_t cadence_interval_ns(const struct cadence *cadence);

/* 1.25 intervals, without and with the cap of 6.25 min. */
uint64_t cadence_patience_ns(const struct cadence *cadence);
uint64_t cadence_alive_ns(const struct cadence *cadence);

/* Is something whose last point before `time_ns` was at `last_ns` alive at `time_ns`? */
static inline bool cadence_is_alive(const struct cadence *cadence, uint64_t last_ns,
                                    uint64_t time_ns)
{
    return last_ns >= time_ns || time_ns - last_ns <= cadence_alive_ns(cadence);
}

/* Over an hour and over three intervals without a point: the old state says nothing any more. */
static inline bool cadence_is_lost(const struct cadence *cadence, uint64_t last_ns,
                                   uint64_t time_ns)
{
    return time_ns > last_ns && time_ns - last_ns > NS_PER_HOUR &&
           time_ns - last_ns > 3 * cadence_interval_ns(cadence);
}

#endif
