/*
 * What a stream of a container's metric feeds: the counterpart of native_classify() for the container
 * table. Pure.
 */
#ifndef PIPELINE_CONTAINER_H
#define PIPELINE_CONTAINER_H

#include "base/buffer.h"
#include "base/ledger.h"
#include "pipeline/native.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

/* A stream, by its first point; the rest is its family's (pipeline/container_place.h). */
struct container_stream {
    const struct otlp_metric *metric;
    const struct otlp_point *point;
    struct slice base;
    bool reads_labels;
    uint64_t instance;
};

/* The input's device is the whole name of the cell, in `text`; its rank is the container's instance.
 * *why is set with NATIVE_SKIP: NATIVE_ALTERNATIVE, NO_DEVICE or FILTERED_DEVICE. */
enum native_verdict container_classify(const struct container_stream *stream,
                                       struct native_input *input, struct buffer *text,
                                       enum reason *why);

#endif
