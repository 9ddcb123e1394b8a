#include "app/config_pipeline.h"

#include "pipeline/container_table.h"

static struct pipeline_budgets budgets_of(const struct config *config)
{
    return (struct pipeline_budgets){
        .host_metrics = (uint32_t)config->host_metrics,
        .service_metrics = (uint32_t)config->service_metrics,
        .all_service_metrics = (uint32_t)config->all_service_metrics,
        .hosts = (uint32_t)config->hosts,
        .attribute_values = (uint32_t)config->attribute_values,
        .refuses = strcmp(config->budgets_policy, "refuse") == 0,
    };
}

struct pipeline_options config_pipeline(const struct config *config)
{
    return (struct pipeline_options){
        .grace_ns = config->grace_ns,
        .lateness_ns = config->lateness_ns,
        .budgets = budgets_of(config),
        .default_service = config->services_default,
        .native_metrics = config->native_metrics,
        .rules = config->rules_in_force,
        .native_policy = config->native_policy,
        .container_mode = (uint8_t)container_mode_of(slice_of(config->containers_mode)),
    };
}
