/*
 * Rules as the pipeline follows them: what each metric's destination, name and plan are. The texts and
 * their meaning: docs/rules.md. They are compiled once (pipeline/rule_read.h) and asked on first sight
 * of a family and of a stream (pipeline/rule_match.h), never for each point.
 *
 * Everything lies in one arena and is immutable. One owner, one thread: matching uses `run`.
 */
#ifndef PIPELINE_RULE_H
#define PIPELINE_RULE_H

#include "base/arena.h"
#include "base/slice.h"
#include "pipeline/pattern.h"
#include "pipeline/plan.h"
#include "pipeline/template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The index of no rule. */
#define RULE_NONE UINT32_MAX

/* What bounds a rule; a sensible one has a few of each. */
enum {
    RULE_MAX_KEPT = 8,
    RULE_MAX_ROLES = 8,
    RULE_DEFAULT_TOP = 20,
    RULE_MAX_TOP = 1000
};

/* Kinds of metrics as rules name them, a bit each. */
enum rule_kind {
    RULE_GAUGE = 1 << 0,
    RULE_COUNTER = 1 << 1, /* also a delta sum that is not monotonic */
    RULE_UPDOWNCOUNTER = 1 << 2,
    RULE_HISTOGRAM = 1 << 3,
    RULE_EXPONENTIAL_HISTOGRAM = 1 << 4,
    RULE_SUMMARY = 1 << 5,
};

enum rule_destination {
    RULE_TO_SERVICE,
    RULE_TO_HOST,
    RULE_DROP,
};

/* Which host shows a container, for metrics of the container table. */
enum rule_container {
    RULE_NO_CONTAINER,
    RULE_CONTAINER_CONFIGURED, /* by containers.mode */
    RULE_CONTAINER_NODE,
    RULE_CONTAINER_POD_HOST,
    RULE_CONTAINER_WORKLOAD,
};

enum rule_presence {
    RULE_MATCHES, /* there and one of the patterns matches */
    RULE_PRESENT,
    RULE_ABSENT,
};

/* What one attribute must be. */
struct rule_condition {
    struct slice key; /* a NUL behind it */
    enum rule_presence presence;
    struct pattern_list patterns;
};

/* All must hold. */
struct rule_conditions {
    struct rule_condition *items;
    size_t count;
};

struct rule_match {
    struct pattern_list metric, unit, scope; /* none: any */
    uint32_t kinds;                          /* enum rule_kind; 0: any */
    struct rule_conditions scope_attributes, resource;
};

struct rule_kept {
    struct slice attribute; /* a NUL behind it */
    uint32_t top;           /* values at most; others are `other` */
};

struct rule_label {
    struct slice name;
    struct rule_conditions where;
};

/* Identity of a host by templates; those that are NULL are not part of it. */
struct rule_host {
    struct template *id, *custom_identifier, *name;
};

/* How the metric's graph is drawn; hosts only. */
struct rule_graph {
    struct slice display_name, unit; /* empty: not said; unit is one of Mackerel's */
    bool has_stacked, stacked;
};

struct rule {
    struct slice name;
    struct rule_match match;
    struct rule_conditions where;
    enum rule_destination destination;
    bool otherwise_service; /* where there is no host identity */
    bool native;
    bool no_prefix;
    bool zero_fill;
    bool has_host; /* `host` says who it is */
    enum rule_container container;
    struct template *service; /* NULL: the default way */
    struct rule_host host;
    struct template *roles;
    size_t role_count;
    struct template *metric;               /* NULL: {metric} */
    struct pattern rename_old, rename_new; /* text empty: none */
    struct rule_kept *kept;
    size_t kept_count;
    struct rule_label *labels;
    size_t label_count;
    bool has_statistics;
    uint32_t statistics; /* enum statistic */
    double percentile[PLAN_PERCENTILES];
    uint8_t percentile_count;
    bool has_over_time;
    enum over_time over_time;
    uint8_t merges;       /* enum merge; 0: by kind */
    struct slice convert; /* unit; empty: as it comes */
    bool has_scale;
    double scale;
    struct slice
        supersedes; /* metric of the same resource that is skipped while this one comes */
    struct rule_graph graph;
};

struct rules {
    struct arena *arena;
    struct rule *items;
    size_t count;
    struct pattern_run *run;
    bool some_supersede;
};

void rules_free(struct rules *rules);

#endif
