/*
 * What the admin server is asked for, gathered from the parts of the running program. The receiver
 * comes last and may be missing: pages are served during recovery too.
 */
#ifndef APP_FACTS_H
#define APP_FACTS_H

#include "app/admin.h"
#include "app/engine.h"
#include "app/state.h"
#include "exporter/delivery.h"
#include "exporter/outbox.h"
#include "receiver/server.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Set before the admin server starts, except for the atomic ones. */
struct facts_sources {
    uint64_t started_ns;
    const char *durability;
    struct state *state; /* NULL: memory */
    struct outbox *outbox;
    struct delivery *delivery;
    struct engine *engine;
    struct admin *admin;
    _Atomic(struct receiver *) receiver;
    atomic_bool is_ready;
};

/* Any thread. */
void facts_render(const struct facts_sources *sources, enum admin_page page,
                  struct admin_answer *answer);

#endif
