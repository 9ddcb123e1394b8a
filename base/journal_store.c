#include "base/journal_store.h"

void journal_free(struct journal *journal)
{
    if (journal)
        journal->store->free(journal);
}

void journal_append(struct journal *journal, const struct journal_record *record,
                    journal_done *done, void *self)
{
    journal->store->append(journal, record, done, self);
}

void journal_flush(struct journal *journal)
{
    journal->store->flush(journal);
}

bool journal_next(struct journal *journal, struct journal_record *record)
{
    return journal->store->next(journal, record);
}

void journal_wait(struct journal *journal, uint64_t until_ns)
{
    journal->store->wait(journal, until_ns);
}

void journal_wake(struct journal *journal)
{
    journal->store->wake(journal);
}

void journal_forget(struct journal *journal, uint64_t lsn)
{
    journal->store->forget(journal, lsn);
}

void journal_read_stats(struct journal *journal, struct journal_stats *stats)
{
    journal->store->read_stats(journal, stats);
}
