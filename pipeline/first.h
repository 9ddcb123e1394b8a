/*
 * Does the first point of a cumulative stream count? Only where the stream is provably young;
 * a total that has been rising for long must never appear as one minute's increase
 * (values.md, "First points").
 *
 * For that, the export times of each (family, start time) are remembered: a sibling that was
 * exported twice without this stream proves that it was zero then.
 */
#ifndef PIPELINE_FIRST_H
#define PIPELINE_FIRST_H

#include "pipeline/state.h"

struct first_verdict {
    bool counts;             /* the total rises from zero at from_ns */
    bool beginning_is_known; /* what lies before counts as covered, with zero */
    uint64_t from_ns;
    enum reason reason; /* where it does not count */
};

/* A value of up to this much (of a histogram: a count) counts when it is under a second old:
 * observable counters send totals since boot with a start of just now. */
enum {
    FIRST_MAX_YOUNG_VALUE = 100
};

/* `value` is the point's value, of a histogram its count. */
struct first_verdict first_judge(const struct pipeline *p, const struct stream *stream,
                                 const struct otlp_point *point, double value);

/* The stream's start time was exported at `time_ns`. */
void first_note(struct pipeline *p, uint32_t stream, uint64_t time_ns);

/* The stream goes: its start time has one user less. */
void first_forget(struct pipeline *p, const struct stream *stream);

#endif
