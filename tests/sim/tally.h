/*
 * The figures of many worlds together, as docs/reliability.md shows them.
 */
#ifndef TESTS_SIM_TALLY_H
#define TESTS_SIM_TALLY_H

#include "tests/sim/world.h"

struct tally {
    uint64_t seeds, failed;
    struct world_result sum; /* numbers only */
    double longest_drain_s;
};

/* Zero-initialise it. */
void tally_add(struct tally *tally, const struct world_result *result);
void tally_print(const struct tally *tally);

#endif
