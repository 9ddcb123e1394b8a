/*
 * A record that the engine appends by itself (a tick, its configuration): at most one of a kind is
 * on its way. A journal that is full or whose disk is refuses it; then it is offered again after a
 * pause, for as long as there is need.
 *
 *   if (errand_begin(&errand, now_ns))
 *       journal_append(journal, &record, errand_done, &errand);
 *   ...                                     when the record comes out of the journal:
 *   errand_end(&errand);
 *
 * Zero-initialise it. Thread: the engine's, except for errand_done().
 */
#ifndef APP_ERRAND_H
#define APP_ERRAND_H

#include "base/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct errand {
    atomic_int stage;
    uint64_t after_ns; /* monotonic: not before */
};

/* May one be appended now? If so it counts as on its way. */
bool errand_begin(struct errand *errand, uint64_t monotonic_ns);
/* A journal_done. */
void errand_done(void *errand, enum error_kind kind);
void errand_end(struct errand *errand);

#endif
