/*
 * The minutes of a cell: which are open, which may still be corrected, which are final.
 *
 * A minute opens when something first falls into it and is due `grace` after its end, or, when that
 * was already over, `grace` after the last arrival: then it closes in the backfill. Once posted it
 * may be corrected for `lateness`; and until it is 24 h old if it closed in the backfill, or while a
 * stream of its cell that has not ended has no point at or after its end (a sender that was cut off
 * and will replay its queue). A minute that was never posted may open for as long. All else is final
 * (values.md, "Late data, repeats, time").
 *
 * Late data has a budget: while it is full no more late minutes open, and each tick lets the oldest
 * ones give way.
 */
#ifndef PIPELINE_MINUTES_H
#define PIPELINE_MINUTES_H

#include "pipeline/state.h"

enum {
    /* As long as Mackerel takes values. */
    MINUTES_KEPT = 24 * 60
};

/* The minute of that number, opened if need be; POOL_NONE when it is final or has no room. */
uint32_t minutes_open(struct pipeline *p, uint32_t cell, uint64_t number);

/*
 * Something arrived in the minute: a posted one is posted again a minute after it last was, one that
 * was closed without being posted opens again, and what is late closes `grace` after the last arrival.
 */
void minutes_touch(struct pipeline *p, uint32_t cell, uint32_t index);

/* The minute of that number, or POOL_NONE. */
uint32_t minutes_find(const struct pipeline *p, const struct cell *cell, uint64_t number);

/* Was the minute of that number posted, final or not? */
bool minutes_was_posted(const struct pipeline *p, const struct cell *cell,
                        uint64_t number);

/* Room for `count` components, new ones zero. */
void minutes_widen(struct minute *minute, uint32_t count);

/* Room for so many parts (enum minute_part), new ones zero. */
void minutes_widen_parts(struct minute *minute, uint32_t count);

/* Books a point in the minute: pending until it is posted, `late` when it is final. */
void minutes_book(struct pipeline *p, uint32_t cell, uint64_t number,
                  struct slice metric);

/*
 * Forgets minutes that are final at `now`, and closed ones up to and including `give_way` (0: none).
 * Returns the oldest minute that stays, UINT64_MAX when none does.
 */
uint64_t minutes_prune(struct pipeline *p, uint32_t cell, uint64_t give_way);

/* Is there room for so many more late minutes or blocks of history? */
bool minutes_have_room(const struct pipeline *p, uint64_t more);

/* The minute up to which closed and late minutes must give way; 0 while there is room. */
uint64_t minutes_give_way(const struct pipeline *p);

#endif
