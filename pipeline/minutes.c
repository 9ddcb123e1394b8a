#include "pipeline/minutes.h"

#include "base/memory.h"
#include "pipeline/books.h"
#include "pipeline/layout.h"

#include <stdlib.h>

uint32_t minutes_find(const struct pipeline *p, const struct cell *cell, uint64_t number)
{
    uint32_t at = cell->newest_minute;

    while (at != POOL_NONE && state_minute(p, at)->number > number)
        at = state_minute(p, at)->older;
    return at != POOL_NONE && state_minute(p, at)->number == number ? at : POOL_NONE;
}

static bool is_final(const struct pipeline *p, const struct minute *minute)
{
    return minute->posted_ns &&
           p->now_ns > minute->first_posted_ns + p->options.lateness_ns;
}

/* Closed without a value and without a reason to hold back: nothing had come, now something has. */
static bool was_empty(const struct minute *minute)
{
    return minute->posted_ns && !minute->posted && !minute->unknown_beginning;
}

void minutes_touch(struct pipeline *p, uint32_t cell, uint32_t index)
{
    struct minute *minute = state_minute(p, index);

    if (minute->posted) {
        minute->changed = true;
        due_not_after(&p->due, cell, minute->posted_ns + NS_PER_MIN);
        return;
    }
    if (was_empty(minute)) {
        minute->posted_ns = minute->first_posted_ns = 0;
        minute->late = true;
    }
    if (minute->late && minute->posted_ns == 0) {
        minute->due_ns = p->now_ns + p->options.grace_ns;
        due_not_after(&p->due, cell, minute->due_ns);
    }
}

static uint32_t insert(struct pipeline *p, uint32_t cell_index, uint32_t newer,
                       uint64_t number)
{
    uint32_t index = pool_take(&p->minutes);
    struct cell *cell = state_cell(p, cell_index);
    struct minute *minute = state_minute(p, index);
    uint32_t *link = newer == POOL_NONE ? &cell->newest_minute
                                        : &state_minute(p, newer)->older;
    uint64_t due_ns = minute_end_ns(number) + p->options.grace_ns;

    minute->number = number;
    minute->layout = POOL_NONE;
    minute->older = *link;
    minute->late = due_ns <= p->now_ns;
    minute->due_ns = minute->late ? p->now_ns + p->options.grace_ns : due_ns;
    *link = index;
    due_not_after(&p->due, cell_index, minute->due_ns);
    return index;
}

uint32_t minutes_open(struct pipeline *p, uint32_t cell_index, uint64_t number)
{
    struct cell *cell = state_cell(p, cell_index);
    uint32_t newer = POOL_NONE, at = cell->newest_minute;

    while (at != POOL_NONE && state_minute(p, at)->number > number) {
        newer = at;
        at = state_minute(p, at)->older;
    }
    if (at != POOL_NONE && state_minute(p, at)->number == number) {
        return is_final(p, state_minute(p, at)) ? POOL_NONE : at;
    }
    if (number <= cell->final_minute)
        return POOL_NONE;
    return insert(p, cell_index, newer, number);
}

void minutes_widen(struct minute *minute, uint32_t count)
{
    if (count <= minute->room)
        return;
    minute->component = memory_resize(minute->component, count, sizeof(double));
    for (uint32_t i = minute->room; i < count; i++)
        minute->component[i] = 0;
    minute->room = count;
}

void minutes_book(struct pipeline *p, uint32_t cell, uint64_t number, struct slice metric)
{
    uint32_t at = minutes_open(p, cell, number);

    if (at == POOL_NONE) {
        books_count(p, REASON_LATE, 1, metric);
        return;
    }

    struct minute *minute = state_minute(p, at);

    if (minute->posted_ns && minute->posted) {
        p->ledger.merged++;
    } else if (minute->posted_ns) {
        books_count(p, REASON_PARTIAL, 1, metric);
    } else {
        minute->pending++;
        p->ledger.pending++;
        minutes_touch(p, cell, at);
    }
}

static void forget(struct pipeline *p, uint32_t index)
{
    layout_give(p, state_minute(p, index)->layout);
    free(state_minute(p, index)->component);
    state_minute(p, index)->component = NULL;
    pool_give(&p->minutes, index);
}

/* Walks to the oldest minute that must stay; everything behind it is final. */
void minutes_prune(struct pipeline *p, struct cell *cell, uint64_t now_ns)
{
    uint32_t *keep = &cell->newest_minute;

    for (uint32_t at = *keep; at != POOL_NONE; at = state_minute(p, at)->older) {
        const struct minute *minute = state_minute(p, at);
        bool is_over = minute->posted_ns && !minute->changed &&
                       now_ns > minute->first_posted_ns + p->options.lateness_ns;

        if (!is_over)
            keep = &state_minute(p, at)->older;
    }

    uint32_t at = *keep;

    if (at == POOL_NONE)
        return;
    *keep = POOL_NONE;
    if (state_minute(p, at)->number > cell->final_minute)
        cell->final_minute = state_minute(p, at)->number;
    while (at != POOL_NONE) {
        uint32_t older = state_minute(p, at)->older;

        forget(p, at);
        at = older;
    }
}

void minutes_drop(struct pipeline *p, struct cell *cell)
{
    while (cell->newest_minute != POOL_NONE) {
        uint32_t at = cell->newest_minute;

        cell->newest_minute = state_minute(p, at)->older;
        forget(p, at);
    }
}
