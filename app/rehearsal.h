/*
 * A rehearsal: requests through the pipeline as a gateway with this configuration would take them, at
 * their own times instead of a clock's, without journal, outbox and Mackerel. What is explained and
 * tested runs here, so it is what happens.
 *
 * A request counts as received when its newest point was made, a little later; watching began a minute
 * before the oldest point of the first. Minutes close in between, when they are due.
 */
#ifndef APP_REHEARSAL_H
#define APP_REHEARSAL_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/error.h"
#include "pipeline/pipeline.h"
#include "proto/otlp.h"

#include <stdbool.h>

enum {
    REHEARSAL_MAX_BYTES = 256 << 20
};

struct rehearsal;

/* `emit` receives what closes; NULL: nobody does. */
struct rehearsal *rehearsal_new(const struct pipeline_options *options,
                                pipeline_emit *emit, void *self);
void rehearsal_free(struct rehearsal *rehearsal);

/* One ExportMetricsServiceRequest as protobuf, or that with gzip; the bytes must stay until the next. */
bool rehearsal_take(struct rehearsal *rehearsal, struct slice body,
                    struct error *err) MUST_CHECK;

/* Lets time pass until all that was sent is closed. */
void rehearsal_finish(struct rehearsal *rehearsal);

/* The request taken last; and the pipeline, for questions. */
const struct otlp_batch *rehearsal_batch(const struct rehearsal *rehearsal);
struct pipeline *rehearsal_pipeline(const struct rehearsal *rehearsal);

/* Reads a file, or standard input for "-". */
bool rehearsal_read_file(const char *path, struct buffer *out,
                         struct error *err) MUST_CHECK;

#endif
