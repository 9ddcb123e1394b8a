/*
 * The pipeline: batches and ticks in, closed minutes out. A value, not a service: no I/O, no
 * clock, one thread; `now` is whatever time the record carries. The same records give the same
 * state, the same verdicts and the same values.
 *
 * How: route() chooses a destination and a name for a family of streams; a stream turns its points
 * into increases (totals) or values (gauges); a cell merges the streams of one Mackerel series
 * family minute by minute; a minute that is over and complete is rendered into named values.
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include "base/ledger.h"
#include "pipeline/options.h"
#include "proto/mackerel.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipeline;

struct pipeline *pipeline_new(const struct pipeline_options *options);
void pipeline_free(struct pipeline *pipeline);

/*
 * New options, from a record received at `receive_ns`. Texts are copied. Minutes that have begun
 * finish under the old mapping; streams are routed anew from the next minute on. The first call
 * also sets when our own watching began, unless options->watch_start_ns says it.
 */
void pipeline_configure(struct pipeline *pipeline, const struct pipeline_options *options,
                        uint64_t receive_ns);

/* Applies one request received at `receive_ns`. The batch may be freed afterwards. */
void pipeline_apply(struct pipeline *pipeline, const struct otlp_batch *batch,
                    uint64_t receive_ns);

/* Unix time at which the next tick has something to do; UINT64_MAX when there is nothing. */
uint64_t pipeline_next_due(const struct pipeline *pipeline);

/* Receives rows as they close; memory is borrowed for the call. */
typedef void pipeline_emit(void *self, const struct mackerel_row *rows, size_t count);

/* A tick closes at most this many cells, so that closing never starves applying. */
enum {
    PIPELINE_CELLS_PER_TICK = 100000
};

/* Closes what is due at `now_ns`. Call again while pipeline_next_due() <= now_ns. */
void pipeline_tick(struct pipeline *pipeline, uint64_t now_ns, pipeline_emit *emit,
                   void *self);

/*
 * Shutdown: closes every minute that is over at `now_ns` without waiting for grace or for slow
 * streams. The current minute stays open.
 */
void pipeline_finish(struct pipeline *pipeline, uint64_t now_ns, pipeline_emit *emit,
                     void *self);

void pipeline_read_counts(const struct pipeline *pipeline,
                          struct pipeline_counts *counts);
void pipeline_read_budget_use(const struct pipeline *pipeline,
                              struct pipeline_budget_use *use);
const struct point_ledger *pipeline_ledger(const struct pipeline *pipeline);

#endif
