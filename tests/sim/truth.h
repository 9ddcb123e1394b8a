/*
 * What is true, read from the points that the senders made and the journal took, without a pipeline:
 * values.md by hand. Totals rise linearly between points; a window's increase lies evenly in it; a
 * gauge's minute is its last value.
 *
 * Exact, minute by minute, for series whose senders send in order; for all totals the sum over all
 * minutes must be what was counted, if nothing was dropped as late.
 */
#ifndef TESTS_SIM_TRUTH_H
#define TESTS_SIM_TRUTH_H

#include "tests/sim/oracle.h"

void truth_compare(const struct oracle_case *given, struct oracle_verdict *verdict);

#endif
