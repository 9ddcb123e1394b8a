/*
 * Takes due values out of the outbox and makes posts of them.
 *
 * Host values: up to 100 of any hosts that are known, round robin over the destinations so that
 * none is starved. Values of a name that another identity of the same host owns are withheld here;
 * native values stay behind while their host's writer is not known.
 * Service values: all that is due for one service.
 * A post holds one lane only: the API judges monitors by the newest value of a request.
 */
#ifndef EXPORTER_LOADER_H
#define EXPORTER_LOADER_H

#include "exporter/errand.h"
#include "exporter/host_registry.h"
#include "exporter/instant.h"
#include "exporter/owner.h"
#include "exporter/target.h"

#include <stdint.h>

/* Most values of a service in one go: 1 MB or so, a quarter of an hour of a busy service. */
enum {
    LOADER_SERVICE_VALUES = 10000
};

struct loader {
    struct outbox *outbox;
    struct host_registry *hosts;
    struct owner_table owners;
    struct target_table targets;
    uint64_t rotor; /* id of the host that was served last */
};

/* NULL when nothing is due. */
struct errand *loader_take_hosts(struct loader *loader, enum mackerel_lane lane,
                                 struct instant now);
struct errand *loader_take_service(struct loader *loader, struct target *target,
                                   enum mackerel_lane lane, struct instant now);

#endif
