/*
 * Units as OpenTelemetry writes them: UCUM, case-sensitive, as far as metrics use it. Pure functions.
 *
 * A unit is a product of parts: `.` multiplies, `/` divides by the part behind it, a digit behind
 * a part is its power. A part is an atom with at most one prefix (`ms`, `KiBy`). What stands in
 * braces is a comment and counts nothing: `{request}` is 1 (UCUM 6; OpenTelemetry semantic
 * conventions, "Instrument units"). Known beside UCUM: words that older senders write
 * (`seconds`, `bytes`, `percent`, `ratio`, ...). An unknown unit converts only to itself.
 */
#ifndef PIPELINE_UNIT_H
#define PIPELINE_UNIT_H

#include "base/slice.h"

#include <stdbool.h>

struct unit_conversion {
    double factor;      /* value in the new unit = value x factor */
    const char *suffix; /* behind the metric's name: "" or ".percentage" */
};

/* False when the units measure different things, or one is unknown. `.percentage` where a ratio
 * (dimensionless, not in %) becomes a percentage. */
bool unit_convert(struct slice from, struct slice to, struct unit_conversion *conversion);

/*
 * Which of Mackerel's units for graphs a value has: float, percentage, seconds, milliseconds, bytes,
 * bytes/sec, bits/sec or iops (Mackerel API, "Post graph definitions"; Mackerel scales nothing, so
 * only the very unit counts: µs are float). `integer` is left to callers who know that a value is
 * whole. `per_second`: the value is the unit's rate per second.
 */
const char *unit_graph(struct slice unit, bool per_second);

#endif
