/*
 * What a resource says about where its metrics belong: a host, a service, or neither.
 * Sources: values.md "Where a metric goes without rules"; the precedence of host identities.
 */
#ifndef PIPELINE_IDENTITY_H
#define PIPELINE_IDENTITY_H

#include "base/buffer.h"
#include "pipeline/native_group.h"
#include "proto/mackerel.h"
#include "proto/otlp.h"

#include <stdbool.h>
#include <stdint.h>

/* Owns its text; all slices point into `text`. */
struct identity {
    struct buffer text;
    bool has_host;      /* host_id, custom_identifier or host name is known */
    bool has_service;   /* a usable service, the default included */
    bool names_service; /* itself: the default is not asked */
    bool is_sdk;        /* telemetry.sdk.language is present: made by an SDK */
    uint8_t platform;   /* enum native_platform, by os.type */
    struct slice host_id, custom_identifier, host_name, roles;
    struct slice service; /* as Mackerel accepts it */
    struct slice
        prefix; /* sanitised service.name where it differs from the service, else empty */
};

/*
 * Host identity, of a machine and never of a pod or container on it: `mackerel.host.id`;
 * `mackerel.host.custom_identifier`; a task of ECS without an instance -> <task id>.<cluster>.ecs;
 * instances as mackerel-agent and Mackerel's integrations name them (EC2, GCE, Azure);
 * `k8s.node.uid` -> <uid>.node.kubernetes, else <node>.<cluster>.node.kubernetes; `host.id`. The
 * name is k8s.node.name, else the task's id, else host.name where it is no pod's or container's own,
 * else host.id. service.instance.id never counts: SDKs draw a new one at every start.
 * Service: `mackerel.service`; else service.namespace, else service.name (unknown_service* counts
 * as missing), else `default_service`.
 */
void identity_init(struct identity *identity, const struct otlp_resource *resource,
                   struct slice default_service);
/* Another default service: changes the service where the resource names none. */
void identity_set_default(struct identity *identity, struct slice default_service);
void identity_release(struct identity *identity);

/* Appends the program's name as it stands before its metrics in that service; nothing where the
 * resource names no program, or the service is called like it. */
void identity_append_prefix(const struct otlp_resource *resource, struct slice service,
                            struct buffer *out);

/* Do metrics of this name belong to a host: native ones, other system.*, k8s.node.*, hw.*? */
bool identity_is_host_family(struct slice metric_name);

/* Families whose totals count since boot whatever their start time says: system. process.
 * container. k8s. hw. */
bool identity_is_since_boot_family(struct slice metric_name);

#endif
