#include "proto/otlp_batch.h"

#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "proto/wire.h"

#include <inttypes.h>
#include <stdlib.h>

struct otlp_batch *otlp_batch_new(void)
{
    struct otlp_batch *batch = memory_new(1, sizeof *batch);

    batch->arena = arena_new();
    return batch;
}

void otlp_batch_free(struct otlp_batch *batch)
{
    if (!batch)
        return;
    free(batch->resources);
    free(batch->scopes);
    free(batch->metrics);
    free(batch->points);
    free(batch->histograms);
    free(batch->exponentials);
    free(batch->summaries);
    arena_free(batch->arena);
    free(batch);
}

size_t otlp_batch_bytes(const struct otlp_batch *batch)
{
    return sizeof *batch + batch->resource_room * sizeof *batch->resources +
           batch->scope_room * sizeof *batch->scopes +
           batch->metric_room * sizeof *batch->metrics +
           batch->point_room * sizeof *batch->points +
           batch->histogram_room * sizeof *batch->histograms +
           batch->exponential_room * sizeof *batch->exponentials +
           batch->summary_room * sizeof *batch->summaries + arena_bytes(batch->arena);
}

/* Keeps the arrays and everything that says how large they are. */
void otlp_batch_reset(struct otlp_batch *batch)
{
    struct otlp_batch kept = *batch;

    arena_reset(batch->arena);
    *batch = (struct otlp_batch){
        .resources = kept.resources,
        .scopes = kept.scopes,
        .metrics = kept.metrics,
        .points = kept.points,
        .histograms = kept.histograms,
        .exponentials = kept.exponentials,
        .summaries = kept.summaries,
        .resource_room = kept.resource_room,
        .scope_room = kept.scope_room,
        .metric_room = kept.metric_room,
        .point_room = kept.point_room,
        .histogram_room = kept.histogram_room,
        .exponential_room = kept.exponential_room,
        .summary_room = kept.summary_room,
        .arena = kept.arena,
    };
}

struct otlp_resource *otlp_batch_resource(struct otlp_batch *batch)
{
    batch->resources = memory_grow(batch->resources, batch->resource_count + 1,
                                   &batch->resource_room, sizeof *batch->resources);
    return &batch->resources[batch->resource_count];
}

struct otlp_scope *otlp_batch_scope(struct otlp_batch *batch)
{
    batch->scopes = memory_grow(batch->scopes, batch->scope_count + 1, &batch->scope_room,
                                sizeof *batch->scopes);
    return &batch->scopes[batch->scope_count];
}

struct otlp_metric *otlp_batch_metric(struct otlp_batch *batch)
{
    batch->metrics = memory_grow(batch->metrics, batch->metric_count + 1,
                                 &batch->metric_room, sizeof *batch->metrics);
    return &batch->metrics[batch->metric_count];
}

struct otlp_histogram *otlp_batch_histogram(struct otlp_batch *batch)
{
    batch->histograms = memory_grow(batch->histograms, batch->histogram_count + 1,
                                    &batch->histogram_room, sizeof *batch->histograms);
    return &batch->histograms[batch->histogram_count];
}

struct otlp_exponential *otlp_batch_exponential(struct otlp_batch *batch)
{
    batch->exponentials = memory_grow(batch->exponentials, batch->exponential_count + 1,
                                      &batch->exponential_room,
                                      sizeof *batch->exponentials);
    return &batch->exponentials[batch->exponential_count];
}

struct otlp_summary *otlp_batch_summary(struct otlp_batch *batch)
{
    batch->summaries = memory_grow(batch->summaries, batch->summary_count + 1,
                                   &batch->summary_room, sizeof *batch->summaries);
    return &batch->summaries[batch->summary_count];
}

void otlp_batch_grow_points(struct otlp_batch *batch)
{
    batch->points = memory_grow(batch->points, batch->point_count + 1, &batch->point_room,
                                sizeof *batch->points);
}

void otlp_batch_refuse(struct otlp_batch *batch, enum reason reason, struct slice metric)
{
    if (batch->refused[reason]++ == 0)
        utf8_copy(batch->example[reason], sizeof batch->example[reason], metric);
    batch->rejected++;
}

uint64_t otlp_bucket(const struct otlp_histogram *histogram, uint32_t index)
{
    return wire_load64(histogram->buckets + (size_t)index * 8);
}

double otlp_bound(const struct otlp_histogram *histogram, uint32_t index)
{
    return wire_double(wire_load64(histogram->bounds + (size_t)index * 8));
}

double otlp_number(const struct otlp_point *point)
{
    return point->value_type == OTLP_INT ? (double)point->as_int : point->as_double;
}

/* The reason with most points among those not said yet; REASON_LAST + 1 when all are said. */
static unsigned next_reason(const struct otlp_batch *batch,
                            const bool said[REASON_LAST + 1])
{
    unsigned best = REASON_LAST + 1;

    for (unsigned i = 0; i <= REASON_LAST; i++) {
        if (batch->refused[i] && !said[i] &&
            (best > REASON_LAST || batch->refused[i] > batch->refused[best]))
            best = i;
    }
    return best;
}

void otlp_describe_refused(const struct otlp_batch *batch, struct buffer *out)
{
    /* Thirty reasons with their examples stay under 4 KiB; the sender needs the first few. */
    enum {
        TEXT_MAX = 1024
    };

    bool said[REASON_LAST + 1] = {false};
    size_t start = out->len;
    const char *separator = ": ";

    if (batch->rejected == 0)
        return;
    buffer_printf(out, "refused %" PRIu64 " of %" PRIu64 " points", batch->rejected,
                  batch->total);
    for (unsigned i = next_reason(batch, said); i <= REASON_LAST;
         i = next_reason(batch, said)) {
        size_t before = out->len;

        buffer_printf(out, "%s%s: %" PRIu32 " (first in \"%s\")", separator,
                      reason_name((enum reason)i), batch->refused[i], batch->example[i]);
        said[i] = true;
        separator = "; ";
        if (out->len - start > TEXT_MAX) {
            out->len = before;
            return;
        }
    }
}
