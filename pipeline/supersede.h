/*
 * Metrics under two names. While instrumentations move to newer semantic conventions they can send both
 * (OTEL_SEMCONV_STABILITY_OPT_IN=http/dup); counted twice, a rate would be double. A rule for the newer
 * name says which older one it supersedes: points of that are skipped (`superseded`) while the same
 * resource sends the newer one, and for SUPERSEDED_FOR_NS after it stopped.
 *
 * Both may begin in one request, in any order; so requests are looked through for newer names first,
 * where some rule supersedes.
 */
#ifndef PIPELINE_SUPERSEDE_H
#define PIPELINE_SUPERSEDE_H

#include "pipeline/rule.h"
#include "pipeline/state.h"

/* Ten minutes: longer than the slowest usual interval (5 min) and a lost report. */
static const uint64_t SUPERSEDED_FOR_NS = 600 * UINT64_C(1000000000);

/* The family was routed by that rule (NULL: by none). */
void supersede_follow(struct pipeline *p, struct family *family, const struct rule *rule);

/* Its metric came: an older name waits. Is it itself superseded? */
void supersede_note(struct pipeline *p, const struct family *family);
bool supersede_is_over(const struct pipeline *p, const struct family *family);

/* What makes a metric's name one of its resource. */
struct hash128 supersede_name(struct hash128 resource, struct slice metric);

void supersede_release(struct pipeline *p, struct family *family);

#endif
