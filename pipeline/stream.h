/*
 * Streams: one OTLP time series each, for cumulative data one per start time, so that replicas
 * without an instance id and restarts come out exact.
 */
#ifndef PIPELINE_STREAM_H
#define PIPELINE_STREAM_H

#include "pipeline/place.h"
#include "pipeline/state.h"

/*
 * Start times of one identity that may be alive at once. Two replicas alternate between two; eight
 * is generous for rolling restarts, and bounds what a sender with a new start per request costs.
 */
enum {
    STREAM_MAX_STARTS = 8
};

/*
 * Is the summary a window? By the data model summaries are totals, but some senders (Micrometer with
 * delta temporality, the Collector's statsd receiver) count each interval anew: then a point starts
 * where the identity's last one ended.
 */
bool stream_is_window(const struct pipeline *p, const struct otlp_point *point);

/* The stream of the point; POOL_NONE when it is not known yet. */
uint32_t stream_find(const struct pipeline *p, const struct family *family,
                     const struct otlp_point *point);

/*
 * Opens a stream for the point: classifies it where the family is native, finds its cell. False when
 * it is not taken; *why says the reason. A stream whose points are all refused (a filtered
 * device) is opened and remembers the reason.
 */
bool stream_open(struct pipeline *p, const struct stream_seed *seed, uint32_t *index,
                 enum reason *why);

/* Frees the stream; its family remembers the eviction. */
void stream_drop(struct pipeline *p, uint32_t index);
/* The same, but its family stays: a new one comes. */
void stream_begin_anew(struct pipeline *p, uint32_t index);

/* Drops streams that are idle by point times: looks at some streams at each call. */
void stream_sweep(struct pipeline *p);

/* The stream that tells a host's swap cell that swap is looked at (it holds the value 0). One that the
 * family had before, of another host, is dropped. */
uint32_t stream_open_swap_hint(struct pipeline *p, uint32_t family);

/* Books a point in that minute of the stream's cell, or as refused where there is none. */
void stream_book(struct pipeline *p, uint32_t index, uint64_t minute,
                 struct slice metric);

/* Another point at `time_ns`. */
void stream_advance(struct stream *stream, uint64_t time_ns);

#endif
