/*
 * Which container is meant: names from a resource, or from the labels that cAdvisor gives its points.
 */
#ifndef PIPELINE_CONTAINER_NAME_H
#define PIPELINE_CONTAINER_NAME_H

#include "base/buffer.h"
#include "pipeline/traits.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

/* Names that are not known are empty. */
struct container_name {
    struct slice space;     /* namespace */
    struct slice pod;       /* pod, or task of ECS */
    struct slice workload;  /* deployment and the like, or family of tasks */
    struct slice container; /* empty: the whole pod is meant */
    bool is_kubernetes;
};

/* From the resource; slices of `traits`. */
struct container_name container_name_of_traits(const struct traits *traits);

/* From cAdvisor's labels, as attributes of the resource; slices of `traits`. */
struct container_name container_name_of_labels(const struct traits *traits);

/* From cAdvisor's labels, as attributes of a point; slices of the point. */
struct container_name container_name_of_point(const struct otlp_point *point,
                                              enum otlp_kind kind);

/* Is it a container that a person knows? cAdvisor also has rows for slices, whole pods and pause
 * containers. */
bool container_name_is_real(const struct container_name *name);

/* The container's name as mackerel-container-agent writes it. */
void container_name_append(struct buffer *out, struct slice container);

/* Appends <namespace>_<workload>_<container>, without the parts that are not known. */
void container_name_append_label(struct buffer *out, const struct container_name *name);

/* Tells containers apart; one that was started anew in its pod is the same. */
uint64_t container_name_instance(const struct container_name *name);

#endif
