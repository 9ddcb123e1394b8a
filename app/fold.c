#include "app/fold.h"

#include "app/fold_config.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "proto/otlp_body.h"

#include <stdlib.h>

/*
 * The receiver let the body in under limits of its own, which may have been others than today's; this
 * is the most that they can be set to.
 */
static const size_t MAX_BODY_BYTES = (size_t)1 << 30;

struct fold {
    struct fold_options options;
    struct pipeline *pipeline;
    struct buffer config;     /* in force */
    struct otlp_batch *batch; /* of bodies that are read back */
    uint64_t lsn, tick_lsn, receive_ns;
    uint64_t unreadable;
};

struct fold *fold_new(const struct fold_options *options)
{
    struct fold *fold = memory_new(1, sizeof(*fold));

    fold->options = *options;
    fold->pipeline = pipeline_new(&(struct pipeline_options){0});
    fold->batch = otlp_batch_new();
    return fold;
}

void fold_free(struct fold *fold)
{
    if (!fold)
        return;
    pipeline_free(fold->pipeline);
    otlp_batch_free(fold->batch);
    buffer_release(&fold->config);
    free(fold);
}

/* ---- applying ---------------------------------------------------------------------------- */

static void apply_body(struct fold *fold, const struct journal_record *record)
{
    struct error err;
    struct otlp_body body;

    if (!otlp_body_open(record->body, (enum otlp_coding)record->coding, MAX_BODY_BYTES,
                        &body, &err)) {
        fold->unreadable++;
        return;
    }
    if (otlp_decode(fold->batch, body.bytes, fold->options.seed, NULL, &err))
        pipeline_apply(fold->pipeline, fold->batch, record->receive_ns);
    else
        fold->unreadable++;
    free(body.inflated);
}

static void emit(void *self, const struct mackerel_row *rows, size_t count)
{
    struct fold *fold = self;

    fold->tick_lsn = fold->lsn;
    if (fold->lsn > fold->options.outbox_lsn)
        fold->options.put(fold->options.self, rows, count, fold->lsn);
}

static void configure(struct fold *fold, const struct journal_record *record)
{
    struct fold_config config;

    if (!fold_config_read(record->body, &config)) {
        fold->unreadable++;
        return;
    }
    pipeline_configure(fold->pipeline, &config.options, record->receive_ns);
    fold_config_release(&config);
    buffer_reset(&fold->config);
    buffer_append(&fold->config, record->body);
}

/* A journal that has lost its beginning may start with anything. */
static void begin(struct fold *fold, const struct journal_record *record)
{
    if (fold->lsn == 0 && record->kind != JOURNAL_CONFIG && fold->options.initial)
        pipeline_configure(fold->pipeline, fold->options.initial, record->receive_ns);
}

void fold_apply(struct fold *fold, const struct journal_record *record,
                const struct otlp_batch *batch)
{
    begin(fold, record);
    fold->lsn = record->lsn;
    fold->receive_ns = record->receive_ns;
    switch (record->kind) {
    case JOURNAL_REQUEST:
        if (batch)
            pipeline_apply(fold->pipeline, batch, record->receive_ns);
        else
            apply_body(fold, record);
        break;
    case JOURNAL_TICK:
        pipeline_tick(fold->pipeline, record->receive_ns, emit, fold);
        break;
    case JOURNAL_CONFIG: configure(fold, record); break;
    }
}

void fold_finish(struct fold *fold, uint64_t now_ns)
{
    pipeline_finish(fold->pipeline, now_ns, emit, fold);
}

/* ---- saving ------------------------------------------------------------------------------ */

static const char MAGIC[8] = "MGWfold1";

/* Numbers as they lie in memory, like the pipeline's own state: a checkpoint stays on its machine. */
struct header {
    char magic[8];
    uint64_t lsn, tick_lsn, receive_ns, unreadable, config_bytes;
};

enum {
    MAX_CONFIG_BYTES = 16 << 20
};

bool fold_save(const struct fold *fold, checkpoint_write *write, void *self)
{
    struct header header = {
        .lsn = fold->lsn,
        .tick_lsn = fold->tick_lsn,
        .receive_ns = fold->receive_ns,
        .unreadable = fold->unreadable,
        .config_bytes = fold->config.len,
    };

    memcpy(header.magic, MAGIC, sizeof(MAGIC));
    return write(self, (struct slice){(const char *)&header, sizeof(header)}) &&
           (fold->config.len == 0 || write(self, buffer_slice(&fold->config))) &&
           pipeline_save(fold->pipeline, write, self);
}

static bool load_config(struct fold *fold, size_t bytes, checkpoint_read *read,
                        void *read_self)
{
    if (bytes == 0)
        return true;
    if (bytes > MAX_CONFIG_BYTES ||
        !read(read_self, buffer_reserve(&fold->config, bytes), bytes))
        return false;
    fold->config.len = bytes;
    return true;
}

static bool load(struct fold *fold, uint64_t lsn, checkpoint_read *read, void *read_self,
                 struct error *err)
{
    struct header header;

    if (!read(read_self, (char *)&header, sizeof(header)) ||
        memcmp(header.magic, MAGIC, sizeof(MAGIC)) != 0)
        return FAIL(err, ERROR_INVALID, "the checkpoint does not begin with a fold");
    if (header.lsn != lsn)
        return FAIL(err, ERROR_INVALID, "the checkpoint's fold is of another LSN");
    if (!load_config(fold, header.config_bytes, read, read_self))
        return FAIL(err, ERROR_INVALID, "the checkpoint's options are cut off");
    fold->pipeline = pipeline_load(read, read_self, err);
    if (!fold->pipeline)
        return false;
    fold->lsn = header.lsn;
    fold->tick_lsn = header.tick_lsn;
    fold->receive_ns = header.receive_ns;
    fold->unreadable = header.unreadable;
    return true;
}

struct fold *fold_load(const struct fold_options *options, uint64_t lsn,
                       checkpoint_read *read, void *read_self, struct error *err)
{
    struct fold *fold = memory_new(1, sizeof(*fold));

    fold->options = *options;
    fold->batch = otlp_batch_new();
    if (load(fold, lsn, read, read_self, err))
        return fold;
    fold_free(fold);
    return NULL;
}

/* ---- reading ----------------------------------------------------------------------------- */

uint64_t fold_lsn(const struct fold *fold)
{
    return fold->lsn;
}

uint64_t fold_tick_lsn(const struct fold *fold)
{
    return fold->tick_lsn;
}

uint64_t fold_receive_ns(const struct fold *fold)
{
    return fold->receive_ns;
}

uint64_t fold_unreadable(const struct fold *fold)
{
    return fold->unreadable;
}

const struct pipeline *fold_pipeline(const struct fold *fold)
{
    return fold->pipeline;
}

void fold_write_config(const struct pipeline_options *options, struct buffer *out)
{
    fold_config_write(options, out);
}

struct slice fold_config(const struct fold *fold)
{
    return buffer_slice(&fold->config);
}
