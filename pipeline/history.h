/*
 * What value streams said, minute by minute: the last point of each minute. A ring of
 * HISTORY_MINUTES, each minute in its place, holds all that a live stream is asked for. What gives way
 * in it to a newer minute and may still be asked for (its cell keeps a minute open for late data), and
 * what comes late, is kept in blocks of minutes behind it, newest block first.
 *
 * Streams of which more is asked (native instants; an average, a least or a greatest value over
 * the minute) keep what all points of their minutes said beside it.
 */
#ifndef PIPELINE_HISTORY_H
#define PIPELINE_HISTORY_H

#include "pipeline/state.h"

/* What the stream said in the minute; NULL for nothing. */
const struct history_minute *history_find(const struct pipeline *p,
                                          const struct stream *stream, uint64_t minute);

/* The stream says `value` at `time_ns`. False when the time is in the past and the memory for late
 * data is full. */
bool history_say(struct pipeline *p, uint32_t stream, uint64_t time_ns, double value);

/* The last thing said before the minute that may still be alive in it; NULL for none. */
const struct history_minute *history_before(const struct pipeline *p,
                                            const struct stream *stream, uint64_t minute);

/* What all points of the minute said; NULL where that is not kept. */
const struct points_minute *history_points_find(const struct pipeline *p,
                                                const struct stream *stream,
                                                uint64_t minute);

struct history_point {
    uint64_t time_ns;
    double value;
};

/* The first thing said in the minute or in the few after it. */
bool history_since(const struct pipeline *p, const struct stream *stream, uint64_t minute,
                   struct history_point *first);

/* Forgets what minutes from `oldest` on do not need; the ring stays. */
void history_trim(struct pipeline *p, uint32_t stream, uint64_t oldest);

/* Forgets all of it. */
void history_drop(struct pipeline *p, uint32_t stream);

#endif
