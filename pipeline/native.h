/*
 * Native host metrics: which OpenTelemetry metrics feed mackerel-agent's own metric names, and by
 * which formula. A table, two pure functions and no state.
 *
 * A group (load, cpu, ...) of a host, and of a device where the group has devices, is one cell. Each
 * stream feeds one component of its cell; a minute of the cell renders into native names.
 * Sources: mackerel-agent's metrics/linux (formulas, names, device rules), OpenTelemetry's host
 * metrics receiver and system semantic conventions (old and new attribute names).
 */
#ifndef PIPELINE_NATIVE_H
#define PIPELINE_NATIVE_H

#include "base/buffer.h"
#include "base/ledger.h"
#include "base/slice.h"
#include "pipeline/native_input.h"

#include <stdbool.h>
#include <stdint.h>

enum native_verdict {
    NATIVE_NOT,   /* not in the table: goes where other metrics go */
    NATIVE_TAKEN, /* feeds a native cell */
    NATIVE_SKIP,  /* counted under *why, posted nowhere */
};

/* Could this metric feed the native table (its first look, by name alone)? */
bool native_knows(struct slice metric_name);

/*
 * What one stream of the metric feeds. `text` receives the device name. *why is set with
 * NATIVE_SKIP: REASON_NATIVE_ALTERNATIVE, REASON_NO_DEVICE, REASON_FILTERED_DEVICE.
 */
enum native_verdict native_classify(const struct native_question *question,
                                    struct buffer *text, struct native_input *input,
                                    enum reason *why);

/* One minute of a cell: increases (totals) or values at the minute's start, per component. */
struct native_minute {
    enum native_platform platform;
    enum native_group group;
    struct slice device;
    double value[NATIVE_COMPONENTS];
    bool has[NATIVE_COMPONENTS];
    double cpu_count; /* distinct cpu attributes; 0 when no stream has one */
    double seconds;   /* cpu: how much of the minute its streams know */
    bool is_share;    /* cpu: from system.cpu.utilization */
};

/* Receives one rendered value; the name is borrowed. */
typedef void native_emit(void *self, struct slice name, double value);

/* Renders what the components allow; a name whose inputs are missing is left out. */
void native_render(const struct native_minute *minute, native_emit *emit, void *self);

#endif
