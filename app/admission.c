#include "app/admission.h"

bool admission_take(struct admission *admission, size_t bytes)
{
    size_t before = atomic_load(&admission->bytes);

    do {
        if (bytes > admission->max_bytes || before > admission->max_bytes - bytes) {
            atomic_fetch_add(&admission->refused_room, 1);
            return false;
        }
    } while (!atomic_compare_exchange_weak(&admission->bytes, &before, before + bytes));
    return true;
}

void admission_give(struct admission *admission, size_t bytes)
{
    atomic_fetch_sub(&admission->bytes, bytes);
}

bool admission_enter(struct admission *admission)
{
    bool is_open = atomic_load(&admission->is_open);

    if (!is_open)
        atomic_fetch_add(&admission->refused_closed, 1);
    return is_open;
}
