/*
 * How decoders fill a batch. Resources, scopes and metrics get a record only when a point below
 * them is accepted, so a body of empty envelopes costs no memory.
 *
 * Internal to the OTLP decoders; the batch itself is described in proto/otlp.h.
 */
#ifndef PROTO_OTLP_BATCH_H
#define PROTO_OTLP_BATCH_H

#include "proto/otlp.h"

/* The index of no record yet. */
enum {
    OTLP_NO_RECORD = -1
};

void otlp_batch_reset(struct otlp_batch *batch);

/* Space for one record behind the last; it counts once the caller raises the count. */
struct otlp_resource *otlp_batch_resource(struct otlp_batch *batch);
struct otlp_scope *otlp_batch_scope(struct otlp_batch *batch);
struct otlp_metric *otlp_batch_metric(struct otlp_batch *batch);
struct otlp_histogram *otlp_batch_histogram(struct otlp_batch *batch);
struct otlp_exponential *otlp_batch_exponential(struct otlp_batch *batch);
struct otlp_summary *otlp_batch_summary(struct otlp_batch *batch);

void otlp_batch_grow_points(struct otlp_batch *batch);

static inline struct otlp_point *otlp_batch_point(struct otlp_batch *batch)
{
    if (UNLIKELY(batch->point_count == batch->point_room))
        otlp_batch_grow_points(batch);
    return &batch->points[batch->point_count];
}

/* Counts a refused point. */
void otlp_batch_refuse(struct otlp_batch *batch, enum reason reason, struct slice metric);

#endif
