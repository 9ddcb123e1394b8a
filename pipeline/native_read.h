/*
 * A native cell's minute as numbers: what its streams say, each thing once, and whether that is the
 * whole of it.
 */
#ifndef PIPELINE_NATIVE_READ_H
#define PIPELINE_NATIVE_READ_H

#include "pipeline/state.h"

void native_read_minute(const struct pipeline *p, const struct cell *cell,
                        const struct minute *minute, struct native_minute *native);

/*
 * May the minute of native totals be posted? Percentages need every state of every cpu over the same
 * time: none may begin in the minute, lag behind the others or have fallen silent, and the number of
 * cpus must not change. A device whose counters never counted is none (mackerel-agent leaves it out).
 */
bool native_read_holds(const struct pipeline *p, const struct cell *cell,
                       const struct minute *minute);

#endif
