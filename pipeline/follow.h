/*
 * Streams follow their families that were routed anew. Minutes that have begun finish where they began
 * (pipeline/members.h).
 */
#ifndef PIPELINE_FOLLOW_H
#define PIPELINE_FOLLOW_H

#include "pipeline/place.h"

/*
 * Other rules are in force: the stream, known again by its point, follows them from their first minute
 * on. False when it cannot go on as it is (what feeds native metrics, what was refused): it is dropped
 * and begins anew.
 */
bool follow_rules(struct pipeline *p, uint32_t index, const struct stream_seed *seed);

/* Its family follows another default service. */
void follow_default(struct pipeline *p, uint32_t index);

#endif
