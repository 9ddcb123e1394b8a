/*
 * The engine: one thread that applies the journal in LSN order. It owns the pipeline, takes no
 * clock but the records' own times, and gives closed minutes to the outbox.
 *
 * It is also the receiver's intake: a request is stamped with the receive time, appended to the
 * journal, and its sender is answered once the record is as durable as configured; what the engine
 * does with it afterwards changes no answer. Bytes in flight (received, not yet applied) have one
 * budget; above it requests are refused.
 *
 * A tick record is appended only when the pipeline has something due.
 */
#ifndef APP_ENGINE_H
#define APP_ENGINE_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/ledger.h"
#include "pipeline/pipeline.h"
#include "receiver/intake.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

struct engine_options {
    struct pipeline_options pipeline; /* watch_start_ns is set by the engine */
    size_t max_inflight_bytes;
    /* Takes closed rows, on the engine's thread. */
    void (*put)(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn);
    void *put_self;
};

/* Can be read from at once, and takes no requests yet. */
struct engine *engine_new(const struct engine_options *options);

/* Begins to take requests. */
bool engine_start(struct engine *engine, struct error *err) MUST_CHECK;

/* The receiver's way in, once started; valid until engine_free(). */
struct intake engine_intake(struct engine *engine);

/* New requests are refused from now on. */
void engine_refuse(struct engine *engine);

/* Applies what was accepted, closes every minute that is over and ends the thread. */
void engine_finish(struct engine *engine);
void engine_free(struct engine *engine);

/* The books and counts after the record applied last: they always balance. Any thread. */
struct engine_picture {
    struct point_ledger ledger;
    struct pipeline_counts counts;
    uint64_t lsn;
    size_t inflight_bytes, max_inflight_bytes;
    bool is_accepting;
};

void engine_read(struct engine *engine, struct engine_picture *picture);

#endif
