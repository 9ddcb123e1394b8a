/*
 * Values: gauges, up-down counters and native instants. A stream keeps what it said in its latest
 * minutes; what a minute of it is worth is looked up when the cell closes that minute.
 */
#ifndef PIPELINE_VALUE_H
#define PIPELINE_VALUE_H

#include "pipeline/state.h"
#include "pipeline/total.h"

void value_observe(struct pipeline *p, uint32_t index, const struct arrival *arrival);

/* The stream says `value` at `time_ns`, outside the books. False: late, and no room for it. */
bool value_say(struct pipeline *p, uint32_t index, uint64_t time_ns, double value);

struct value_reading {
    double value;
    uint64_t time_ns; /* of the point that said it */
    bool is_alive;    /* at the minute's end */
    bool has_point;   /* in the minute, not carried */
};

/* What the stream is worth in the minute: its last value in it, else the value that it carries. */
bool value_read(const struct pipeline *p, const struct stream *stream, uint64_t minute,
                struct value_reading *reading);

/* What its points in the minute are worth together, where there is one: by last value, mean, lowest or
 * highest. Streams of cells whose plan asks for more than the last keep them all. */
double value_over_time(const struct pipeline *p, const struct stream *stream,
                       uint64_t minute, enum over_time how);

/* As mackerel-agent samples: the value at the minute's start, linear between the points around
 * it, in minutes for which value_read() holds. */
bool value_read_at_start(const struct pipeline *p, const struct stream *stream,
                         uint64_t minute, double *value);

#endif
