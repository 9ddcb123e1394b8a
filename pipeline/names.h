/*
 * Who posts under which name, and how many names there are: one writer per destination and name, and
 * budgets that keep a flood of labels from becoming a bill.
 *
 * A cell holds its names while it has streams. It is asked before it gets its first one:
 *
 *   collision     another cell (another kind or plan, or labels that differ and look alike once they
 *                 are sanitised) holds one of the names. The later one is refused; a cell that no
 *                 stream has joined since the rules changed gives way.
 *   over budget   its destination has as many names as it may have, all services together have,
 *                 or the destination would be one host too many. Native metrics are never refused, but count.
 *
 * Kept attributes have budgets of their own: each value of one that a cell of a metric has is
 * counted, until the last of these cells has lost its streams.
 *
 * Names are kept as hashes. All of this follows from the cells and is made anew when a state is loaded.
 */
#ifndef PIPELINE_NAMES_H
#define PIPELINE_NAMES_H

#include "pipeline/state.h"

enum names_verdict {
    NAMES_FREE,
    NAMES_COLLIDE,
    NAMES_OVER_BUDGET,
};

/* May the cell get its first stream? `reserve` names must stay free beside its own, for what else
 * the caller may need. */
enum names_verdict names_ask(struct pipeline *p, uint32_t cell, uint32_t reserve);

/* The cell got its first stream, or lost its last one. */
void names_take(struct pipeline *p, uint32_t index);
void names_give(struct pipeline *p, uint32_t index);

/* Another stream joins it, for the first time since the rules changed. */
void names_confirm(struct pipeline *p, uint32_t index);

/* Does another cell write the cell's names from that minute on, because the rules changed? */
bool names_yields(struct pipeline *p, uint32_t cell, uint64_t minute);

/* Is the value one of those in use? Is there room for one more of its group? */
bool names_has_value(const struct pipeline *p, const struct kept_value *value);
bool names_has_room(const struct pipeline *p, const struct kept_value *value,
                    uint32_t top);

/* How many names the cell posts. */
uint32_t names_of(const struct pipeline *p, const struct cell *cell);

/* Names of the destination, and how many it may have; 0: any number. */
uint32_t names_budget(const struct pipeline *p, const struct destination *destination);

void names_read_use(const struct pipeline *p, struct pipeline_budget_use *use);

/* Makes it all anew from the cells. */
void names_rebuild(struct pipeline *p);
void names_release(struct pipeline *p);

#endif
