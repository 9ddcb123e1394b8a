/*
 * The services that values are for: do they exist in Mackerel? One list answers for all of them;
 * what is missing is created where services.create says so (services cost nothing), and looked up
 * again after a refusal, since another gateway may have been faster.
 *
 * Pure, in the manner of exporter/host_registry.h. A service that is not there and may not be
 * created is looked for again after 60 s, doubling to 10 min; its values wait in the outbox.
 * Source: Mackerel API documentation, "Services". Thread: delivery.
 */
#ifndef EXPORTER_SERVICE_REGISTRY_H
#define EXPORTER_SERVICE_REGISTRY_H

#include "exporter/api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct service_registry;

struct service_registry *service_registry_new(bool may_create);
void service_registry_free(struct service_registry *registry);

/* Known ids are left alone. The name is borrowed until service_registry_forget(). True when it was
 * new. */
bool service_registry_seek(struct service_registry *registry, uint64_t id,
                           struct slice name, uint64_t now_ms);
void service_registry_forget(struct service_registry *registry, uint64_t id);

/* After seek: an earlier process found that it exists. */
void service_registry_restore(struct service_registry *registry, uint64_t id);

bool service_registry_next(struct service_registry *registry, uint64_t now_ms,
                           struct api_request *request);

/* True when a service was created. */
bool service_registry_answer(struct service_registry *registry,
                             const struct api_request *request,
                             const struct api_answer *answer, uint64_t now_ms);
void service_registry_failed(struct service_registry *registry,
                             const struct api_request *request);

bool service_registry_exists(const struct service_registry *registry, uint64_t id);

/* Mackerel does not know this service any more: look again. */
void service_registry_lost(struct service_registry *registry, uint64_t id,
                           uint64_t now_ms);

/* What keeps a service from being there and what to do, as one line; false when nothing does. */
bool service_registry_explain(const struct service_registry *registry, uint64_t id,
                              char *text, size_t size);

#endif
