/*
 * The words of the configuration for how hosts are created and who posts native metrics.
 */
#ifndef EXPORTER_HOST_MODES_H
#define EXPORTER_HOST_MODES_H

#include "base/error.h"
#include "exporter/host_registry.h"

/* Sets create and native; NULL and "" mean the first of the words. False, with an error that lists
 * them, for a word that is none of them. */
bool host_modes_read(struct host_registry_options *options, const char *create,
                     const char *native, struct error *err) MUST_CHECK;

#endif
