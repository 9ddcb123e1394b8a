/*
 * Requests into a pipeline at the receive times that they carry, with ticks between, so that minutes
 * pass in microseconds.
 *
 * Prints one JSON object per posted value, `posted` the time of the tick, and at the end one with the
 * ledger and the counts.
 */
#ifndef TESTS_DRIVER_FEED_H
#define TESTS_DRIVER_FEED_H

#include "base/error.h"
#include "pipeline/pipeline.h"

struct feed {
    uint64_t seed; /* of the decoder's hashes */
    uint64_t
        reload_every; /* saves and loads the pipeline before every n-th request; 0: never */

    struct pipeline *pipeline; /* private from here on */
    struct otlp_batch *batch;
    uint64_t requests, now_ns;
};

void feed_begin(struct feed *feed, const struct pipeline_options *options);

/* One request, inflated; receive times rise. */
void feed_request(struct feed *feed, struct slice body, uint64_t receive_ns);

/* An hour after the last request; prints what is left and frees all. */
void feed_end(struct feed *feed);

/* Ends the program. */
NO_RETURN void feed_fail(const char *what, const char *detail);

#endif
