#include "pipeline/members.h"

#include "pipeline/cell.h"

/* ---- walking ----------------------------------------------------------------------------- */

static bool decides(const struct pipeline *p, const struct move *move, uint64_t minute)
{
    return minute < move->until &&
           (move->older == POOL_NONE || minute >= state_move(p, move->older)->until);
}

const struct stream *members_next_moved(const struct pipeline *p, struct members *walk)
{
    while (walk->move != POOL_NONE) {
        const struct move *move = state_move(p, walk->move);

        walk->move = move->next_in_cell;
        walk->index = move->stream;
        if (walk->all || decides(p, move, walk->minute))
            return state_stream(p, move->stream);
    }
    return NULL;
}

/* ---- moving ------------------------------------------------------------------------------ */

static void link_move(struct pipeline *p, uint32_t index)
{
    struct move *move = state_move(p, index);

    move->previous_in_cell = move->next_in_cell = POOL_NONE;
    if (move->cell == POOL_NONE)
        return;

    struct cell *cell = state_cell(p, move->cell);

    move->next_in_cell = cell->first_move;
    if (cell->first_move != POOL_NONE)
        state_move(p, cell->first_move)->previous_in_cell = index;
    cell->first_move = index;
}

static void unlink_move(struct pipeline *p, uint32_t index)
{
    const struct move *move = state_move(p, index);

    if (move->cell == POOL_NONE)
        return;
    if (move->next_in_cell != POOL_NONE)
        state_move(p, move->next_in_cell)->previous_in_cell = move->previous_in_cell;
    if (move->previous_in_cell != POOL_NONE)
        state_move(p, move->previous_in_cell)->next_in_cell = move->next_in_cell;
    else
        state_cell(p, move->cell)->first_move = move->next_in_cell;
    cell_drop_if_unused(p, move->cell);
}

void members_add_past(struct pipeline *p, uint32_t stream, uint32_t cell, uint64_t until)
{
    uint32_t index = pool_take(&p->moves);
    struct move *move = state_move(p, index);

    move->until = until;
    move->stream = stream;
    move->cell = cell;
    move->older = state_stream(p, stream)->move;
    state_stream(p, stream)->move = index;
    link_move(p, index);
}

void members_move(struct pipeline *p, uint32_t stream, uint32_t cell, uint64_t until)
{
    uint32_t old = state_stream(p, stream)->cell;

    /* The move keeps the old cell while the stream changes lists. */
    members_add_past(p, stream, old, until);
    if (old != POOL_NONE)
        cell_remove_stream(p, old, stream);
    if (cell != POOL_NONE) {
        cell_add_stream(p, cell, stream);
        return;
    }
    state_stream(p, stream)->cell = POOL_NONE;
    state_stream(p, stream)->next_in_cell = POOL_NONE;
    state_stream(p, stream)->previous_in_cell = POOL_NONE;
}

/* ---- forgetting -------------------------------------------------------------------------- */

static void forget(struct pipeline *p, uint32_t *link)
{
    uint32_t at = *link;

    *link = POOL_NONE;
    while (at != POOL_NONE) {
        uint32_t older = state_move(p, at)->older;

        unlink_move(p, at);
        pool_give(&p->moves, at);
        at = older;
    }
}

void members_trim(struct pipeline *p, uint32_t stream, uint64_t oldest)
{
    uint32_t *link = &state_stream(p, stream)->move;

    while (*link != POOL_NONE && state_move(p, *link)->until > oldest)
        link = &state_move(p, *link)->older;
    if (*link != POOL_NONE)
        forget(p, link);
}

void members_forget(struct pipeline *p, uint32_t stream)
{
    forget(p, &state_stream(p, stream)->move);
}
