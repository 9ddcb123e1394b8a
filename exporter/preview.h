/*
 * Without an API key the gateway shows what it would post: one line per value, in columns, grouped
 * by destination and minute. A printed value counts as delivered.
 *
 *   2026-11-24T11:00:00Z  host name=web-1        loadavg5           0.25
 *   2026-11-24T11:00:00Z  service shop           http.requests.rate 12.5
 *
 * Definitions of graphs follow as the JSON that would be posted, once each.
 */
#ifndef EXPORTER_PREVIEW_H
#define EXPORTER_PREVIEW_H

#include "exporter/instant.h"
#include "exporter/outbox.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints and settles all that is due; true if there was anything. */
bool preview_print_all(FILE *out, struct outbox *outbox, struct instant now);

#endif
