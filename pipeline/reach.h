/*
 * Until when a stream lives and is known. A cumulative stream is known until its last point. A delta stream that
 * says nothing while its resource and scope report did not change: delta exporters leave out what did
 * not (values.md, "Totals").
 */
#ifndef PIPELINE_REACH_H
#define PIPELINE_REACH_H

#include "pipeline/state.h"

/* With its last point before `time_ns` at `last_ns`. */
static inline bool reach_is_alive(const struct stream *stream, uint64_t last_ns,
                                  uint64_t time_ns)
{
    return !(stream->ended_ns && stream->ended_ns <= time_ns) &&
           cadence_is_alive(&stream->cadence, last_ns, time_ns);
}

/* Has the stream's source reported without a break since `from_ns`? */
bool reach_is_covered(const struct pipeline *p, const struct stream *stream,
                      uint64_t from_ns);

/* The last report that says something about the stream. */
uint64_t reach_reported_ns(const struct pipeline *p, const struct stream *stream);

/*
 * Until when nothing more is to come. The parts of one export may come in several requests: that the
 * source reported says of a silent delta stream only that it did not change until the report before.
 */
uint64_t reach_passed_ns(const struct pipeline *p, const struct stream *stream);

/* As reach_reported_ns(), where the reports since its last point have no break. */
uint64_t reach_known_ns(const struct pipeline *p, const struct stream *stream);

#endif
