#include "app/chore.h"

enum stage {
    NONE,
    APPENDED,
    REFUSED
};

bool chore_begin(struct chore *chore, uint64_t monotonic_ns)
{
    const uint64_t pause_ns = 1000000000; /* a full disk stays full for a while */

    if (atomic_load(&chore->stage) == REFUSED) {
        atomic_store(&chore->stage, NONE);
        chore->after_ns = monotonic_ns + pause_ns;
    }
    if (atomic_load(&chore->stage) != NONE || monotonic_ns < chore->after_ns)
        return false;
    atomic_store(&chore->stage, APPENDED);
    return true;
}

void chore_done(void *self, enum error_kind kind)
{
    struct chore *chore = self;

    if (kind != ERROR_NONE)
        atomic_store(&chore->stage, REFUSED);
}

void chore_end(struct chore *chore)
{
    atomic_store(&chore->stage, NONE);
}
