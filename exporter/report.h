/*
 * Writes the picture of exporter/status.h from what the parts of the delivery know.
 */
#ifndef EXPORTER_REPORT_H
#define EXPORTER_REPORT_H

#include "exporter/health.h"
#include "exporter/loader.h"
#include "exporter/receipt.h"
#include "exporter/service_registry.h"
#include "exporter/status.h"

struct report_sources {
    const struct loader *loader;
    const struct service_registry *services;
    const struct health *health;
    const struct receipts *receipts;
};

/* Fills *status, which the caller releases. */
void report_write(const struct report_sources *sources, struct delivery_status *status,
                  struct instant now);

#endif
