/*
 * The values that only rules have: kinds, destinations, statistics, kept attributes, breakdowns. Each
 * takes a node into its field (pipeline/rule_value.h); those without a field of their own, into the
 * rule.
 */
#ifndef PIPELINE_RULE_TAKE_H
#define PIPELINE_RULE_TAKE_H

#include "pipeline/rule_value.h"

rule_value_take rule_take_kinds;       /* uint32_t of enum rule_kind */
rule_value_take rule_take_destination; /* enum rule_destination */
rule_value_take rule_take_otherwise;   /* bool: to the service */
rule_value_take rule_take_container;   /* enum rule_container */
rule_value_take rule_take_merges;      /* uint8_t of enum merge */
rule_value_take rule_take_convert;     /* struct slice */
rule_value_take rule_take_prefix;      /* bool: none */
rule_value_take rule_take_graph_unit;  /* struct slice */
rule_value_take rule_take_stacked;     /* struct rule_graph */
rule_value_take rule_take_over_time;   /* struct rule, as all below */
rule_value_take rule_take_statistics;
rule_value_take rule_take_keep;
rule_value_take rule_take_breakdown;
rule_value_take rule_take_roles;

#endif
