/*
 * Keeps the stored values in order: seeks hosts and services that turn up, ends what is too old,
 * what waits too long for an unknown host, and what a host's own mackerel-agent posts, and forgets
 * destinations that went quiet.
 */
#ifndef EXPORTER_KEEPER_H
#define EXPORTER_KEEPER_H

#include "exporter/loader.h"
#include "exporter/service_registry.h"

struct keeper {
    struct loader *loader;
    struct service_registry *services;
    size_t unknown_max_bytes; /* of the values of unknown hosts together; 0: no limit */
    uint64_t swept_ms, pruned_ms;
};

void keeper_tend(struct keeper *keeper, struct instant now);

#endif
