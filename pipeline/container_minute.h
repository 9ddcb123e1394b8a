/*
 * One minute of a container's cell: what its streams said becomes <cell>.usage and <cell>.limit (cpu,
 * memory), or <cell>.rxBytes.delta and .txBytes.delta (network).
 *
 * A cell may hold many containers: replicas, and one container before and after it was started anew.
 * Increases of totals add up in the minute, so restarts need nothing here. Values (memory, limits) are
 * taken once for each container, the newest of each component, of those that are alive at the
 * minute's end (of all where none is). The limit is posted where every one of them has one.
 *
 * Limits, the first that is known (docs/containers.md has the sources):
 *   cpu     the limit; quota / period; cores used / share of the limit (kept while nothing is used); the
 *           machine's cores
 *   memory  the limit; available + working set; usage / share of the limit; cAdvisor's; Docker's; the
 *           machine's memory
 */
#ifndef PIPELINE_CONTAINER_MINUTE_H
#define PIPELINE_CONTAINER_MINUTE_H

#include "pipeline/native.h"
#include "pipeline/state.h"

#include <stdbool.h>
#include <stdint.h>

/* What one stream says about the minute. */
struct container_reading {
    uint64_t rank;    /* which container */
    uint64_t time_ns; /* of what it said */
    double value;
    uint32_t stream;
    uint8_t component;
    bool is_total; /* its increase is in the minute */
    bool is_alive; /* at the minute's end */
};

void container_minute_render(struct pipeline *p, const struct cell *cell,
                             const struct minute *minute, native_emit *emit, void *self);

/* Does a cell of totals live by values in that minute, because nobody sends totals? */
bool container_minute_has_values_only(const struct pipeline *p, const struct cell *cell,
                                      uint64_t minute);

#endif
