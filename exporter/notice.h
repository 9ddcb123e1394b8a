/*
 * What the delivery says in the log about hosts and services: found, created, unknown, who writes
 * native metrics.
 */
#ifndef EXPORTER_NOTICE_H
#define EXPORTER_NOTICE_H

#include "exporter/host_event.h"
#include "exporter/loader.h"

#include <stdint.h>

/* `id` is the destination's in the outbox. */
void notice_host(const struct loader *loader, uint64_t id, enum host_event event);
void notice_service_created(const struct loader *loader, uint64_t id);

#endif
