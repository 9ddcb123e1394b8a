/*
 * What machines have, for containers without a limit of their own: cores and memory of nodes, by the node's
 * name (k8s.node.name, else host.name), as whichever source said it last. A node is known while a family
 * tells about it or asks for it.
 *
 *   cores   system.cpu.logical.count, machine_cpu_cores; else what Kubernetes may allocate
 *   memory  system.memory.limit, machine_memory_bytes; else k8s.node.memory.available +
 *           .working_set; else what Kubernetes may allocate
 */
#ifndef PIPELINE_NODE_H
#define PIPELINE_NODE_H

#include "pipeline/state.h"

/* What the metric tells; NODE_NOTHING for most. */
enum node_fact node_fact_of(struct slice metric_name);

/* The node that the resource names, with one user more; POOL_NONE where it names none. */
uint32_t node_take(struct pipeline *p, const struct otlp_resource *resource);
/* One user less; the last one takes the node with it. */
void node_give(struct pipeline *p, uint32_t index);

/* The newest point of the family's metric in the batch tells its fact. */
void node_note(struct pipeline *p, const struct family *family,
               const struct otlp_batch *batch, const struct otlp_metric *metric);

/* Of the node; 0 where it is not known, or there is no node. */
double node_cores(const struct pipeline *p, uint32_t node);
double node_memory(const struct pipeline *p, uint32_t node);

#endif
