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
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

enum native_group {
    NATIVE_LOAD,
    NATIVE_CPU,
    NATIVE_MEMORY,
    NATIVE_SWAP,
    NATIVE_DISK,
    NATIVE_NETWORK,
    NATIVE_FILESYSTEM,
    NATIVE_GROUP_LAST = NATIVE_FILESYSTEM,
};

/* Components of a group's cell; several streams of one component add up. */
enum {
    NATIVE_LOAD_1M,
    NATIVE_LOAD_5M,
    NATIVE_LOAD_15M
};

enum {
    NATIVE_CPU_USER,
    NATIVE_CPU_NICE,
    NATIVE_CPU_SYSTEM,
    NATIVE_CPU_IDLE,
    NATIVE_CPU_IOWAIT,
    NATIVE_CPU_IRQ,
    NATIVE_CPU_SOFTIRQ,
    NATIVE_CPU_STEAL,
    NATIVE_CPU_OTHER, /* in the denominator only */
    NATIVE_CPU_COUNT, /* system.cpu.logical.count: a value, not a total */
};

enum {
    NATIVE_MEMORY_USED,
    NATIVE_MEMORY_FREE,
    NATIVE_MEMORY_BUFFERED,
    NATIVE_MEMORY_CACHED,
    NATIVE_MEMORY_LIMIT,
    NATIVE_MEMORY_AVAILABLE,
    NATIVE_MEMORY_UTILIZATION_USED,
    NATIVE_MEMORY_UTILIZATION_FREE,
    NATIVE_MEMORY_UTILIZATION_BUFFERED,
    NATIVE_MEMORY_UTILIZATION_CACHED,
};

enum {
    NATIVE_SWAP_USED,
    NATIVE_SWAP_FREE,
    NATIVE_SWAP_HINT, /* other system.paging.* metrics: swap is looked at, there may be none */
};

enum {
    NATIVE_DISK_READS,
    NATIVE_DISK_WRITES
};

enum {
    NATIVE_NETWORK_RX,
    NATIVE_NETWORK_TX
};

enum {
    NATIVE_FILESYSTEM_USED,
    NATIVE_FILESYSTEM_FREE
};

enum {
    NATIVE_COMPONENTS = 10
};

enum native_verdict {
    NATIVE_NOT,   /* not in the table: goes where other metrics go */
    NATIVE_TAKEN, /* feeds a native cell */
    NATIVE_SKIP,  /* counted under *why, posted nowhere */
};

struct native_input {
    enum native_group group;
    uint8_t component;
    bool is_total; /* read as increase between minute boundaries, not as a value */
    uint64_t
        rank; /* filesystem: shorter mountpoints rank lower, the lowest rank of a device
                            counts; cpu: hash of the cpu attribute, 0 when there is none */
    struct slice device; /* sanitised, in `text`; empty where the group has no devices */
};

/* Could this metric feed the native table (its first look, by name alone)? */
bool native_knows(struct slice metric_name);

/*
 * What one stream of the metric feeds. `text` receives the device name. *why is set with
 * NATIVE_SKIP: REASON_NATIVE_ALTERNATIVE, REASON_NO_DEVICE, REASON_FILTERED_DEVICE.
 */
enum native_verdict native_classify(const struct otlp_metric *metric,
                                    const struct otlp_point *point, struct buffer *text,
                                    struct native_input *input, enum reason *why);

/* One minute of a cell: increases (totals) or values at the minute's start, per component. */
struct native_minute {
    enum native_group group;
    struct slice device;
    double value[NATIVE_COMPONENTS];
    bool has[NATIVE_COMPONENTS];
    double cpu_count; /* distinct cpu attributes; 0 when no stream has one */
};

/* Receives one rendered value; the name is borrowed. */
typedef void native_emit(void *self, struct slice name, double value);

/* Renders what the components allow; a name whose inputs are missing is left out. */
void native_render(const struct native_minute *minute, native_emit *emit, void *self);

#endif
