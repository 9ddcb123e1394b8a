#include "pipeline/books.h"

void books_count(struct pipeline *p, enum reason reason, uint64_t points,
                 struct slice metric)
{
    struct ledger_reason *entry = &p->ledger.reasons[reason];

    if (points == 0)
        return;
    entry->count += points;
    if (ledger_wants_example(entry, p->now_ns))
        ledger_keep_example(entry, p->now_ns, metric);
}

void books_merge(struct pipeline *p, uint64_t points)
{
    p->ledger.pending -= points;
    p->ledger.merged += points;
}

void books_abandon(struct pipeline *p, enum reason reason, uint64_t points,
                   struct slice metric)
{
    p->ledger.pending -= points;
    books_count(p, reason, points, metric);
}
