/*
 * A record that the engine appends by itself (a tick, its configuration): at most one of a kind is
 * on its way. A journal that is full or whose disk is refuses it; then it is offered again after a
 * pause, for as long as there is need.
 *
 *   if (chore_begin(&chore, now_ns))
 *       journal_append(journal, &record, chore_done, &chore);
 *   ...                                     when the record comes out of the journal:
 *   chore_end(&chore);
 *
 * Zero-initialise it. Thread: the engine's, except for chore_done().
 */
#ifndef APP_CHORE_H
#define APP_CHORE_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct chore {
    atomic_int stage;
    uint64_t after_ns; /* monotonic: not before */
};

/* May one be appended now? If so it counts as on its way. */
bool chore_begin(struct chore *chore, uint64_t monotonic_ns);
/* A journal_done of the chore. */
void chore_done(void *self, enum error_kind kind);
void chore_end(struct chore *chore);

#endif
