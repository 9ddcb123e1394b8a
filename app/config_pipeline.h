/*
 * The part of the configuration that the pipeline follows.
 */
#ifndef APP_CONFIG_PIPELINE_H
#define APP_CONFIG_PIPELINE_H

#include "app/config.h"
#include "pipeline/options.h"

/* Texts are borrowed from the configuration. */
struct pipeline_options config_pipeline(const struct config *config);

#endif
