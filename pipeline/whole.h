/*
 * Whole parts of whole increases: what `.count` is made of. A total rises linearly, and a minute's
 * count is the difference of the total at its end and at its start, both rounded down; so counts
 * are whole and add up to what the total rose by (values.md, "Totals").
 */
#ifndef PIPELINE_WHOLE_H
#define PIPELINE_WHOLE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where a total that has risen by `amount` over `of` stands after `passed` of it, rounded down, in
 * exact arithmetic. passed <= of, of > 0 and below 2^62. An amount that is not whole, or is 2^63 or
 * more, gives its share unrounded: such increases add up all the same.
 */
double whole_until(double amount, uint64_t passed, uint64_t of);

#endif
