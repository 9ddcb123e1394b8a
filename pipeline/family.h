/*
 * Families and what they hang on: resources with their identity, sources (resource + scope) with
 * their reports, families (source + metric) with their route. Each is looked at once, when it is
 * first seen, and freed when nothing uses it any more.
 *
 * Routing is pure: resource, scope and metric choose the destination and the name, point attributes
 * never do (values.md, "Where a metric goes without rules").
 */
#ifndef PIPELINE_FAMILY_H
#define PIPELINE_FAMILY_H

#include "pipeline/state.h"

/* The family of a metric of the batch. */
uint32_t family_open(struct pipeline *p, const struct otlp_batch *batch,
                     const struct otlp_metric *metric);

/* How its cells at that destination are drawn; POOL_NONE at a service. */
uint32_t family_drawing(const struct pipeline *p, const struct family *family,
                        uint32_t destination);

/* Its summaries count each interval anew: from now on they are deltas. */
void family_takes_windows(struct pipeline *p, uint32_t index);

/* Why points of the family are refused where no destination is found for them. */
enum reason family_nowhere(const struct family *family);

/* A changed configuration: where the resource leads now; where the family leads from that minute on
 * (false: where it did before). */
void family_refer_resource(struct pipeline *p, uint32_t index);
bool family_route_anew(struct pipeline *p, uint32_t index, uint64_t from_minute);

/* Frees the family, its source and its resource as far as nothing uses them. */
void family_drop_if_unused(struct pipeline *p, uint32_t index);

/* The source reported at `time_ns`, about what happened since `since_ns`. */
void family_report(struct pipeline *p, uint32_t index, uint64_t since_ns,
                   uint64_t time_ns);

#endif
