/*
 * When a minute of a cell closes, and whether it is posted (values.md, "Totals"):
 *
 *   closes  at its end + grace, for totals once every stream that fed the minute before has a
 *           point at or after that end, at the latest `hold` later;
 *   posted  if the minute before was, else if one stream was watched from its start to its end,
 *           else if no stream begins in it with an unknown beginning.
 */
#ifndef PIPELINE_CLOSE_H
#define PIPELINE_CLOSE_H

#include "pipeline/state.h"

/* Closes what is due of the cell and says when to look again. `is_final` closes every minute that
 * is over, complete or not (shutdown). */
void close_cell(struct pipeline *p, uint32_t cell, bool is_final);

/* While the budget of late data is full: closes and forgets the oldest minutes. */
void close_make_room(struct pipeline *p);

#endif
