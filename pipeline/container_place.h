/*
 * Where a container's metrics go: the host, and how the cells' names there begin. Pure: from a resource
 * and a row of the container table.
 *
 *   mode      host                                     cells
 *   pod-host  the pod's, custom identifier             container.cpu.<c>, container.memory.<c>,
 *             <pod uid>.kubernetes as with             interface.<if> (Docker: interface.<c>-<if>)
 *             mackerel-container-agent, or
 *             <task id>.<cluster>.ecs
 *   workload  the deployment's or the like,            the same
 *             <name>.<namespace>[.<cluster>].workload.kubernetes
 *   node      the machine's                            custom.k8s.container.cpu.<ns>_<workload>_<c>,
 *                                                      custom.container.cpu.<c> without Kubernetes
 *
 * What names no pod goes to the machine's host in every mode: point attributes never choose a host,
 * and cAdvisor has the pod's name in them.
 */
#ifndef PIPELINE_CONTAINER_PLACE_H
#define PIPELINE_CONTAINER_PLACE_H

#include "base/buffer.h"
#include "base/ledger.h"
#include "pipeline/container_table.h"
#include "pipeline/options.h"
#include "proto/mackerel.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

struct container_place {
    struct buffer text;
    bool has_host; /* of its own, which follows; else it is the machine's */
    struct mackerel_destination host;
    struct slice base;   /* how the names of its cells begin */
    bool reads_labels;   /* the container follows from each point's labels */
    uint64_t instance;   /* tells containers of one cell apart */
    bool is_refused;     /* posted nowhere, for this reason: */
    enum reason refusal; /* NATIVE_ALTERNATIVE, NO_DEVICE or FILTERED_DEVICE */
};

void container_place_init(struct container_place *place,
                          const struct otlp_resource *resource,
                          const struct container_row *row, enum container_mode mode);
void container_place_release(struct container_place *place);

#endif
