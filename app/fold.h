/*
 * State is a fold of the journal: this is the fold. Records in LSN order go in, closed rows come
 * out; no clock, no thread, no file. The engine runs it on its thread, recovery runs it over what
 * the journal kept, the simulation runs it on a fake disk.
 *
 * A tick that the outbox has already committed (its LSN is not above options.outbox_lsn) changes the
 * state like any other and emits nothing. Rows carry the LSN of their tick.
 *
 * A JOURNAL_CONFIG record brings new pipeline options. The first record of a new state is one; its
 * receive time is when our own watching began.
 */
#ifndef APP_FOLD_H
#define APP_FOLD_H

#include "base/compiler.h"
#include "base/error.h"
#include "base/journal.h"
#include "pipeline/checkpoint.h"
#include "pipeline/pipeline.h"

#include <stdint.h>

struct fold;

struct fold_options {
    uint64_t seed;       /* of hashes, for decoding what is read back */
    uint64_t outbox_lsn; /* newest tick that the outbox has; 0: none */
    /* In force until a JOURNAL_CONFIG record comes, for a journal that has lost its beginning;
     * borrowed. NULL: all zero. */
    const struct pipeline_options *initial;
    void (*put)(void *self, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn);
    void *self;
};

struct fold *fold_new(const struct fold_options *options);
/* From the bytes of fold_save(). NULL with ERROR_INVALID when they are not that. */
struct fold *fold_load(const struct fold_options *options, uint64_t lsn,
                       checkpoint_read *read, void *read_self,
                       struct error *err) MUST_CHECK;
void fold_free(struct fold *fold);

/* Applies the next record. `batch` is the request's, decoded; NULL: decode the record's body. */
void fold_apply(struct fold *fold, const struct journal_record *record,
                const struct otlp_batch *batch);

/* Memory only, where no successor goes on: closes every minute that is over, see pipeline_finish(). */
void fold_finish(struct fold *fold, uint64_t now_ns);

bool fold_save(const struct fold *fold, checkpoint_write *write, void *self) MUST_CHECK;

/* LSN of the record applied last; 0: none. */
uint64_t fold_lsn(const struct fold *fold);
/* LSN of the last record that emitted rows, or would have: the outbox must have it. */
uint64_t fold_tick_lsn(const struct fold *fold);
/* Receive time of the record applied last: no later one may be below it. */
uint64_t fold_receive_ns(const struct fold *fold);
/* Records that could not be understood, and therefore changed nothing; 0 unless programs differ. */
uint64_t fold_unreadable(const struct fold *fold);
const struct pipeline *fold_pipeline(const struct fold *fold);

/* The text of a JOURNAL_CONFIG record; compare it with fold_config() to see whether one is due. */
void fold_write_config(const struct pipeline_options *options, struct buffer *out);
/* In force; empty before the first record. */
struct slice fold_config(const struct fold *fold);

#endif
