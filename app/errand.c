#include "app/errand.h"

enum stage {
    NONE,
    APPENDED,
    REFUSED
};

bool errand_begin(struct errand *errand, uint64_t monotonic_ns)
{
    const uint64_t pause_ns = 1000000000; /* a full disk stays full for a while */

    if (atomic_load(&errand->stage) == REFUSED) {
        atomic_store(&errand->stage, NONE);
        errand->after_ns = monotonic_ns + pause_ns;
    }
    if (atomic_load(&errand->stage) != NONE || monotonic_ns < errand->after_ns)
        return false;
    atomic_store(&errand->stage, APPENDED);
    return true;
}

void errand_done(void *self, enum error_kind kind)
{
    struct errand *errand = self;

    if (kind != ERROR_NONE)
        atomic_store(&errand->stage, REFUSED);
}

void errand_end(struct errand *errand)
{
    atomic_store(&errand->stage, NONE);
}
