#include "app/config_pipeline.h"

#include "pipeline/container_table.h"

struct pipeline_options config_pipeline(const struct config *config)
{
    return (struct pipeline_options){
        .grace_ns = config->grace_ns,
        .lateness_ns = config->lateness_ns,
        .default_service = config->services_default,
        .native_metrics = config->native_metrics,
        .container_mode = (uint8_t)container_mode_of(slice_of(config->containers_mode)),
    };
}
