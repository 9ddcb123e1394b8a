/*
 * Pipeline options as the text of a JOURNAL_CONFIG record: one field a line, "name length value", so
 * that a value may hold any bytes. Equal options give equal texts. A field that this program does not
 * know is passed over, one that is missing is zero; so a journal outlives an upgrade and its undoing.
 */
#ifndef APP_FOLD_CONFIG_H
#define APP_FOLD_CONFIG_H

#include "base/buffer.h"
#include "base/compiler.h"
#include "base/slice.h"
#include "pipeline/options.h"

#include <stdbool.h>

/* watch_start_ns is no part of it: it follows from the record's receive time. */
void fold_config_write(const struct pipeline_options *options, struct buffer *out);

/* What was read. The texts are ours until fold_config_release(). */
struct fold_config {
    struct pipeline_options options;
    char *default_service, *native_metrics, *native_policy, *rules;
};

/* False when the text is not one of these; there is nothing to release then. */
bool fold_config_read(struct slice text, struct fold_config *config) MUST_CHECK;
void fold_config_release(struct fold_config *config);

#endif
