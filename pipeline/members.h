/*
 * Which streams belong to a cell, minute by minute. Where a changed configuration routes streams to
 * another cell, they stay with the old one for the minutes before the change: these may still be open
 * or be corrected by late points for 24 h, while the new cell already takes the minutes after it.
 *
 * A stream is in the list of its cell; each change that it went through is a struct move in the list
 * of the cell that it left. The oldest move that is later than a minute decides about it.
 */
#ifndef PIPELINE_MEMBERS_H
#define PIPELINE_MEMBERS_H

#include "pipeline/state.h"

/* The stream's cell for the minute; POOL_NONE where its points are refused. */
static inline uint32_t members_cell(const struct pipeline *p, const struct stream *stream,
                                    uint64_t minute)
{
    uint32_t cell = stream->cell;

    for (uint32_t at = stream->move; at != POOL_NONE; at = state_move(p, at)->older) {
        if (minute >= state_move(p, at)->until)
            break;
        cell = state_move(p, at)->cell;
    }
    return cell;
}

/* A walk over the streams that belong to a cell. */
struct members {
    uint64_t minute;     /* in this minute */
    uint32_t next, move; /* what comes next in the lists of streams and of moves */
    uint32_t index;      /* of the stream that was returned last */
    bool all;            /* in any minute; some may come twice */
};

static inline struct members members_of(const struct cell *cell, uint64_t minute)
{
    return (struct members){minute, cell->first_stream, cell->first_move, POOL_NONE,
                            false};
}

static inline struct members members_of_all(const struct cell *cell)
{
    return (struct members){0, cell->first_stream, cell->first_move, POOL_NONE, true};
}

/* Among those that left the cell. */
const struct stream *members_next_moved(const struct pipeline *p, struct members *walk);

/* The next one, or NULL. */
static inline const struct stream *members_next(const struct pipeline *p,
                                                struct members *walk)
{
    while (walk->next != POOL_NONE) {
        const struct stream *stream = state_stream(p, walk->next);

        walk->index = walk->next;
        walk->next = stream->next_in_cell;
        if (LIKELY(stream->move == POOL_NONE) || walk->all ||
            walk->minute >= state_move(p, stream->move)->until)
            return stream;
    }
    return walk->move == POOL_NONE ? NULL : members_next_moved(p, walk);
}

/* From the minute `until` on the stream belongs to `cell`; POOL_NONE: its points are refused. */
void members_move(struct pipeline *p, uint32_t stream, uint32_t cell, uint64_t until);

/* The stream, which is new in its cell, belongs to `cell` in the minutes before `until`. */
void members_add_past(struct pipeline *p, uint32_t stream, uint32_t cell, uint64_t until);

/* Forgets changes that only say something about minutes before `oldest`. */
void members_trim(struct pipeline *p, uint32_t stream, uint64_t oldest);

/* Forgets all of them. */
void members_forget(struct pipeline *p, uint32_t stream);

#endif
