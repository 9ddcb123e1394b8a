/*
 * Families and what they hang on: resources with their identity, sources (resource + scope) with
 * their reports, families (source + metric) with their route. Each is looked at once, when it is
 * first seen, and freed when nothing uses it any more.
 *
 * Where a family goes is for the rules to say (pipeline/route.h).
 */
#ifndef PIPELINE_FAMILY_H
#define PIPELINE_FAMILY_H

#include "pipeline/state.h"

/* The family of a metric of the batch, routed by the rules in force (pipeline/route.h). */
uint32_t family_open(struct pipeline *p, const struct otlp_batch *batch,
                     const struct otlp_metric *metric);

/* Its summaries count each interval anew: from now on they are deltas. */
void family_takes_windows(struct pipeline *p, uint32_t index);

/* The default service changed: where the resource leads now. */
void family_refer_resource(struct pipeline *p, uint32_t index);

/* Frees the family, its source and its resource as far as nothing uses them. */
void family_drop_if_unused(struct pipeline *p, uint32_t index);

/* The source reported at `time_ns`, about what happened since `since_ns`. */
void family_report(struct pipeline *p, uint32_t index, uint64_t since_ns,
                   uint64_t time_ns);

#endif
