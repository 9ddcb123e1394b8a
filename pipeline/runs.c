#include "pipeline/runs.h"

bool runs_have(const struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    uint32_t at = cell->newest_run;

    while (at != POOL_NONE && state_run(p, at)->first > minute)
        at = state_run(p, at)->older;
    return at != POOL_NONE && state_run(p, at)->last >= minute;
}

static void insert(struct pipeline *p, struct cell *cell, uint32_t newer, uint64_t minute)
{
    uint32_t index = pool_take(&p->runs);
    struct run *run = state_run(p, index);
    uint32_t *link = newer == POOL_NONE ? &cell->newest_run : &state_run(p, newer)->older;

    run->first = run->last = minute;
    run->older = *link;
    *link = index;
}

/* The run may now touch the one before it. */
static void join_older(struct pipeline *p, struct run *run)
{
    uint32_t older = run->older;

    if (older == POOL_NONE || state_run(p, older)->last + 1 != run->first)
        return;
    run->first = state_run(p, older)->first;
    run->older = state_run(p, older)->older;
    pool_give(&p->runs, older);
}

void runs_add(struct pipeline *p, struct cell *cell, uint64_t minute)
{
    uint32_t newer = POOL_NONE, at = cell->newest_run;

    while (at != POOL_NONE && state_run(p, at)->first > minute + 1) {
        newer = at;
        at = state_run(p, at)->older;
    }

    struct run *run = at == POOL_NONE ? NULL : state_run(p, at);

    if (run && run->first == minute + 1) {
        run->first = minute;
        join_older(p, run);
    } else if (run && run->last + 1 == minute) {
        run->last = minute;
        if (newer != POOL_NONE)
            join_older(p, state_run(p, newer));
    } else if (!run || run->last < minute) {
        insert(p, cell, newer, minute);
    }
}

void runs_trim(struct pipeline *p, struct cell *cell, uint64_t oldest)
{
    uint32_t *link = &cell->newest_run;

    while (*link != POOL_NONE && state_run(p, *link)->last >= oldest)
        link = &state_run(p, *link)->older;
    while (*link != POOL_NONE) {
        uint32_t gone = *link;

        *link = state_run(p, gone)->older;
        pool_give(&p->runs, gone);
    }
}
