/*
 * Where what must not be lost lives, as the configuration has it: a state directory, or memory where
 * the configuration says so or, if it says nothing, where the directory cannot be used. The outbox
 * comes with it; the journal and the checkpoint are the engine's (app/recovery.h).
 */
#ifndef APP_STORAGE_H
#define APP_STORAGE_H

#include "app/config.h"
#include "app/exit_code.h"
#include "app/state.h"
#include "base/compiler.h"
#include "base/error.h"
#include "base/journal.h"
#include "exporter/outbox.h"

#include <stdbool.h>
#include <stdint.h>

struct storage {
    struct state *state; /* NULL: memory */
    const char *durability;
    enum journal_durability journal;
    size_t outbox_max_bytes;
    struct outbox *outbox;
};

/* EXIT_FINE, or what to end with: the state directory is in use, or cannot be used as demanded. */
enum exit_code storage_open(struct storage *storage, const struct config *config,
                            struct error *err) MUST_CHECK;
void storage_release(struct storage *storage);

#endif
