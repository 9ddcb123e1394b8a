#include "app/rehearsal.h"

#include "base/memory.h"
#include "proto/otlp_body.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t SECOND_NS = 1000000000, MINUTE_NS = 60 * SECOND_NS;

/* How long after the last request something may still close: a gauge of a slow sender is carried for
 * 6.25 min, a total waits for 10. */
static const uint64_t AFTERWARDS_NS = 30 * MINUTE_NS;

struct rehearsal {
    struct pipeline *pipeline;
    struct pipeline_options options;
    pipeline_emit *emit;
    void *self;
    struct otlp_batch *batch;
    char *inflated; /* the batch points into it */
    uint64_t now_ns;
};

static void ignore(void *self, const struct mackerel_row *rows, size_t count)
{
    (void)self;
    (void)rows;
    (void)count;
}

struct rehearsal *rehearsal_new(const struct pipeline_options *options,
                                pipeline_emit *emit, void *self)
{
    struct rehearsal *rehearsal = memory_new(1, sizeof(*rehearsal));

    rehearsal->pipeline = pipeline_new(&(struct pipeline_options){0});
    rehearsal->options = *options;
    rehearsal->emit = emit ? emit : ignore;
    rehearsal->self = self;
    rehearsal->batch = otlp_batch_new();
    return rehearsal;
}

void rehearsal_free(struct rehearsal *rehearsal)
{
    if (!rehearsal)
        return;
    pipeline_free(rehearsal->pipeline);
    otlp_batch_free(rehearsal->batch);
    free(rehearsal->inflated);
    free(rehearsal);
}

/* ---- time -------------------------------------------------------------------------------- */

static void pass(struct rehearsal *rehearsal, uint64_t until_ns)
{
    uint64_t due_ns;

    while ((due_ns = pipeline_next_due(rehearsal->pipeline)) <= until_ns) {
        if (due_ns > rehearsal->now_ns)
            rehearsal->now_ns = due_ns;
        pipeline_tick(rehearsal->pipeline, rehearsal->now_ns, rehearsal->emit,
                      rehearsal->self);
    }
    if (until_ns > rehearsal->now_ns)
        rehearsal->now_ns = until_ns;
}

void rehearsal_finish(struct rehearsal *rehearsal)
{
    if (rehearsal->now_ns)
        pass(rehearsal, rehearsal->now_ns + AFTERWARDS_NS);
}

struct span {
    uint64_t first_ns, last_ns;
};

static struct span span_of(const struct otlp_batch *batch)
{
    struct span span = {UINT64_MAX, 0};

    for (size_t i = 0; i < batch->point_count; i++) {
        uint64_t time_ns = batch->points[i].time_ns;

        span.first_ns = time_ns < span.first_ns ? time_ns : span.first_ns;
        span.last_ns = time_ns > span.last_ns ? time_ns : span.last_ns;
    }
    return span;
}

/* ---- requests ---------------------------------------------------------------------------- */

static bool is_gzip(struct slice body)
{
    return slice_starts_with(body, "\x1f\x8b");
}

static bool decode(struct rehearsal *rehearsal, struct slice body, struct error *err)
{
    struct otlp_body opened;

    if (!otlp_body_open(body, is_gzip(body) ? OTLP_GZIP : OTLP_IDENTITY,
                        REHEARSAL_MAX_BYTES, &opened, err))
        return false;
    free(rehearsal->inflated);
    rehearsal->inflated = opened.inflated;
    return otlp_decode(rehearsal->batch, opened.bytes, 0, NULL, err);
}

static void begin(struct rehearsal *rehearsal, struct span span)
{
    uint64_t begin_ns = span.first_ns > MINUTE_NS ? span.first_ns - MINUTE_NS : 1;

    rehearsal->now_ns = begin_ns;
    pipeline_configure(rehearsal->pipeline, &rehearsal->options, begin_ns);
}

bool rehearsal_take(struct rehearsal *rehearsal, struct slice body, struct error *err)
{
    struct span span;

    if (!decode(rehearsal, body, err))
        return false;
    span = span_of(rehearsal->batch);
    if (span.last_ns == 0)
        return FAIL(err, ERROR_INVALID, "no points are in it");
    if (rehearsal->now_ns == 0)
        begin(rehearsal, span);
    pass(rehearsal, span.last_ns + SECOND_NS / 10);
    pipeline_apply(rehearsal->pipeline, rehearsal->batch, rehearsal->now_ns);
    return true;
}

const struct otlp_batch *rehearsal_batch(const struct rehearsal *rehearsal)
{
    return rehearsal->batch;
}

struct pipeline *rehearsal_pipeline(const struct rehearsal *rehearsal)
{
    return rehearsal->pipeline;
}

/* ---- files ------------------------------------------------------------------------------- */

static bool read_stream(FILE *file, struct buffer *out)
{
    enum {
        AT_ONCE = 65536
    };

    size_t got;

    do {
        got = fread(buffer_reserve(out, AT_ONCE), 1, AT_ONCE, file);
        out->len += got;
    } while (got && out->len <= REHEARSAL_MAX_BYTES);
    return !ferror(file);
}

bool rehearsal_read_file(const char *path, struct buffer *out, struct error *err)
{
    bool is_input = strcmp(path, "-") == 0, is_read;
    FILE *file = is_input ? stdin : fopen(path, "rb");

    if (!file)
        return FAIL(err, ERROR_NOT_FOUND, "%s: %s", path, strerror(errno));
    is_read = read_stream(file, out);
    if (!is_input)
        fclose(file);
    if (!is_read)
        return FAIL(err, ERROR_INTERNAL, "%s cannot be read", path);
    if (out->len > REHEARSAL_MAX_BYTES)
        return FAIL(err, ERROR_TOO_LARGE, "%s is larger than %d bytes", path,
                    REHEARSAL_MAX_BYTES);
    return true;
}
