/*
 * Who feeds the native cells. One source (resource and scope) feeds a group of a host at a time, until
 * it is not alive; a preferred metric takes over from a fallback at once (native_table.c). Within a
 * source what is reported twice, under old and new names of metrics or attributes, counts once: the
 * first that comes, until it is not alive.
 */
#ifndef PIPELINE_NATIVE_FEED_H
#define PIPELINE_NATIVE_FEED_H

#include "pipeline/state.h"

/* The stream feeds a cell of the host; `p->text` begins with the device's name. */
void native_feed_join(struct pipeline *p, uint32_t index, uint32_t destination,
                      const struct native_input *input);

/* Does a point of that time count? Else *why says why not. */
bool native_feed_admits(struct pipeline *p, uint32_t stream, uint64_t time_ns,
                        enum reason *why);

/* Does the native stream's source feed its group in that minute? The one that fed it before the last
 * change does while it has points at or after the minute's start. */
bool native_feed_counts(const struct pipeline *p, const struct stream *stream,
                        uint64_t minute);

enum native_platform native_feed_platform(const struct pipeline *p,
                                          const struct stream *stream);

#endif
