/*
 * Takes due values out of the outbox and makes posts of them.
 *
 * Host values: of any hosts that are known. Fresh ones go round robin over the destinations so that
 * none is starved; backlog goes oldest minute first, and a destination whose last post failed waits
 * behind the others. Values of a name that another identity of the same host owns are withheld here;
 * native values stay behind while their host's writer is not known; metrics that Mackerel refuses
 * again and again are given up.
 * Service values: all that is due for one service and fresh, or one body of backlog.
 * A post holds one lane only: the API judges monitors by the newest value of a request. A post of
 * backlog is one body: what does not fit goes back at once, so that fresh values never queue behind.
 */
#ifndef EXPORTER_LOADER_H
#define EXPORTER_LOADER_H

#include "exporter/errand.h"
#include "exporter/host_registry.h"
#include "exporter/instant.h"
#include "exporter/owner.h"
#include "exporter/poison.h"
#include "exporter/portion.h"
#include "exporter/target.h"

#include <stdint.h>

/* Most fresh values of a service in one go: 1 MB or so. */
enum {
    LOADER_SERVICE_VALUES = 10000
};

struct loader {
    struct outbox *outbox;
    struct host_registry *hosts;
    struct owner_table owners;
    struct target_table targets;
    struct poison_list poisons;
    struct portion live, backlog; /* of host values */
    uint64_t rotor;               /* id of the host that was served last */
    bool confirms_at_once; /* a stop without state: nobody can wait for confirmations */
};

void loader_init(struct loader *loader, struct outbox *outbox,
                 struct host_registry *hosts);
/* Frees what the loader made itself: not the outbox, not the registry. */
void loader_release(struct loader *loader);

/* The time by which the outbox judges what is due and confirmed. */
struct instant loader_time(const struct loader *loader, struct instant now);

/* NULL when nothing is due. */
struct errand *loader_take_hosts(struct loader *loader, enum mackerel_lane lane,
                                 struct instant now);
struct errand *loader_take_service(struct loader *loader, struct target *target,
                                   enum mackerel_lane lane, struct instant now);

#endif
