/*
 * The minutes of a cell: which are open, which may still be corrected, which are final.
 *
 * A minute opens when something first falls into it, is due `grace` after its end (or after the
 * last arrival, when it was already due at the first), and is forgotten `lateness` after it was
 * first posted: from then on it is final.
 */
#ifndef PIPELINE_MINUTES_H
#define PIPELINE_MINUTES_H

#include "pipeline/state.h"

/* The minute of that number, opened if need be; POOL_NONE when it is final. */
uint32_t minutes_open(struct pipeline *p, uint32_t cell, uint64_t number);

/*
 * Something arrived in the minute: a posted one is posted again a minute after it last was, one that
 * was due already when it opened closes `grace` after the last arrival.
 */
void minutes_touch(struct pipeline *p, uint32_t cell, uint32_t index);

/* The minute of that number, or POOL_NONE. */
uint32_t minutes_find(const struct pipeline *p, const struct cell *cell, uint64_t number);

/* Room for `count` components, new ones zero. */
void minutes_widen(struct minute *minute, uint32_t count);

/* Books a point in the minute: pending until it is posted, `late` when it is final. */
void minutes_book(struct pipeline *p, uint32_t cell, uint64_t number,
                  struct slice metric);

/* Forgets minutes that are final at `now`. */
void minutes_prune(struct pipeline *p, struct cell *cell, uint64_t now_ns);

/* Forgets all of them. */
void minutes_drop(struct pipeline *p, struct cell *cell);

#endif
