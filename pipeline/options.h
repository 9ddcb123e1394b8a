/*
 * What can be set about the pipeline, and what it counts about itself beside the ledger.
 */
#ifndef PIPELINE_OPTIONS_H
#define PIPELINE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

/* Which host shows a container (docs/containers.md). */
enum container_mode {
    CONTAINERS_NODE,     /* the node's, summed over the replicas there */
    CONTAINERS_POD_HOST, /* one for each pod, as mackerel-container-agent has it */
    CONTAINERS_WORKLOAD, /* one for each deployment and the like, summed over its pods */
    CONTAINERS_OFF,      /* none: metrics of containers go where other metrics go */
};

/* What posting may cost (pipeline/names.h); 0 means any number. */
struct pipeline_budgets {
    uint32_t host_metrics;        /* names of each host */
    uint32_t service_metrics;     /* names of each service */
    uint32_t all_service_metrics; /* names of all services together */
    uint32_t hosts;
    uint32_t attribute_values; /* of each kept attribute of a metric and destination */
    uint8_t refuses; /* 1: new names are refused; 0: new values become `other` first */
};

struct pipeline_options {
    uint64_t
        watch_start_ns; /* when our own watching began: a stream that starts later is young */
    uint64_t grace_ns;    /* a minute closes this long after its end; default 15 s */
    uint64_t lateness_ns; /* how long a posted minute may be corrected; default 5 min */
    size_t max_streams;   /* budget; 0 means the default of 1,000,000 */
    size_t
        max_late_minutes; /* budget of minutes that stay open for late data; 0 means the
                                default of 1,000,000 (about 300 MB) */
    struct pipeline_budgets budgets;
    const char *default_service; /* services.default; NULL or "" for none; borrowed */
    const char
        *native_metrics;    /* "auto", "on" or "off"; only "off" matters here; borrowed */
    uint8_t container_mode; /* enum container_mode */
    const char
        *native_policy; /* by native_policy_write(); NULL or "": the defaults; borrowed */
    const char *
        rules; /* in force, in order (pipeline/rule_text.h); NULL or "": the default packs; borrowed */
};

enum {
    PIPELINE_NEAR = 8
};

/* How much of the budgets is used. */
struct pipeline_budget_use {
    uint32_t hosts;         /* with names */
    uint32_t service_names; /* of all services together */
    uint32_t
        near_count; /* destinations at 80 % of their budget of names or above; some of them: */

    struct pipeline_near {
        char destination[80]; /* cut to fit */
        bool is_host;
        uint32_t names, budget;
    } near[PIPELINE_NEAR];
};

struct pipeline_counts {
    size_t streams, cells, destinations, open_minutes;
    uint64_t evicted;        /* streams dropped as idle */
    uint64_t invalid_utf8;   /* names with invalid UTF-8, at first sight */
    uint64_t pattern_limits; /* regular expressions given up at the match limit */
    uint64_t layout_mix; /* minutes without percentiles because bucket layouts differ */
    uint64_t collapsed;  /* streams with a kept value that became `other` */
};

#endif
