/*
 * The pool of plans: equal ones are one record, which lives as long as a family or a cell uses it.
 * An index of none (POOL_NONE) is shared and given as well.
 */
#ifndef PIPELINE_PLANS_H
#define PIPELINE_PLANS_H

#include "pipeline/state.h"

/* What is posted of a cell of that kind where no rule says otherwise (values.md). */
void plans_default(enum cell_kind kind, struct plan *plan);

/* The record of a plan like this one, with one user more. Its hash is made here, labels are copied. */
uint32_t plans_take(struct pipeline *p, const struct plan *plan);
uint32_t plans_take_default(struct pipeline *p, enum cell_kind kind);
uint32_t plans_share(struct pipeline *p, uint32_t index);
void plans_give(struct pipeline *p, uint32_t index);

#endif
