/*
 * What stands behind a cell's name: one suffix for each value that its plan posts. Posting, the
 * registry of names and budgets read the same table, so they cannot differ.
 *
 *   rate count sum avg min max saturation   `.<statistic>`
 *   time                                    `.time.percentage`
 *   percentage                              `.percentage`
 *   percentiles                             `.p99`; `.p99_9`: a dot would begin a segment
 *   rate with a breakdown                   `.rate.total`, `.rate.<label>`
 *   one merge                               nothing
 *   several merges                          `.avg` `.sum` `.min` `.max`
 */
#ifndef PIPELINE_SUFFIX_H
#define PIPELINE_SUFFIX_H

#include "base/slice.h"
#include "pipeline/plan.h"

#include <stdint.h>

enum {
    /* The longest label of a breakdown with what stands before it. */
    SUFFIX_MAX = 80
};

struct suffix {
    char text[SUFFIX_MAX];
};

/* Of a statistic that has one value: not of the rate of a plan with a breakdown. */
const char *suffix_of_statistic(enum statistic statistic);

const char *suffix_of_percentile(double q, struct suffix *suffix);

/* "" where the plan has one merge only. */
const char *suffix_of_merge(const struct plan *plan, enum merge merge);

/* Of the rate: the label's, -1 for all of it. */
const char *suffix_of_rate(const struct plan *plan, int label, struct suffix *suffix);

typedef void suffix_visit(void *self, const char *suffix);

/* Every suffix that a cell with this plan can post, in the order of posting. */
void suffix_all(const struct plan *plan, suffix_visit *visit, void *self);

/* How many those are, and how long the longest is. */
uint32_t suffix_count(const struct plan *plan);
size_t suffix_longest(const struct plan *plan);

#endif
