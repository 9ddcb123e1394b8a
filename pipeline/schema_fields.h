/*
 * The state's records, one line per field in the order of their structs, and the members of struct
 * pipeline. A new field or pool is a new line here; pipeline/schema.c turns the lines into rows and
 * fails to build while one is missing.
 *
 * F(record, field, KIND, arguments):
 *
 *   PLAIN                     any bytes; RECORDS where it is an array of structs, NUMBERS of numbers
 *   BOOL; UPTO, most; REASON  bytes with few values
 *   USERS                     counts the USE links that name the record
 *   LINK, USE, OWN, pool      indices (pipeline/schema.h); X_OR_NONE where POOL_NONE is allowed
 *   LIST, TEXT, length field  owned memory; SLICES with the SLICE fields cut from it
 *   BEGIN ... END             around the fields of an inner struct that are listed one by one
 *   POOL, record              TABLE, pool, record, field with the hash
 *   SCRATCH                   no state; APART: state that is saved by its own code
 */
#ifndef PIPELINE_SCHEMA_FIELDS_H
#define PIPELINE_SCHEMA_FIELDS_H

#define RESOURCE_FIELDS(F)                                     \
    F(resource, hash, PLAIN)                                   \
    F(resource, identity, BEGIN)                               \
    F(resource, identity.text, SLICES_BUFFER)                  \
    F(resource, identity.has_host, BOOL)                       \
    F(resource, identity.has_service, BOOL)                    \
    F(resource, identity.names_service, BOOL)                  \
    F(resource, identity.is_sdk, BOOL)                         \
    F(resource, identity.platform, UPTO, NATIVE_PLATFORM_LAST) \
    F(resource, identity.host_id, SLICE)                       \
    F(resource, identity.custom_identifier, SLICE)             \
    F(resource, identity.host_name, SLICE)                     \
    F(resource, identity.roles, SLICE)                         \
    F(resource, identity.service, SLICE)                       \
    F(resource, identity.prefix, SLICE)                        \
    F(resource, identity, END)                                 \
    F(resource, sources, USERS)                                \
    F(resource, host, LINK_OR_NONE, destinations)              \
    F(resource, service, LINK_OR_NONE, destinations)

#define NODE_FIELDS(F)     \
    F(node, hash, PLAIN)   \
    F(node, fact, NUMBERS) \
    F(node, families, USERS)

#define SOURCE_FIELDS(F)                \
    F(source, hash, PLAIN)              \
    F(source, first_ns, PLAIN)          \
    F(source, last_ns, PLAIN)           \
    F(source, before_ns, PLAIN)         \
    F(source, heard_ns, PLAIN)          \
    F(source, unbroken_ns, PLAIN)       \
    F(source, cadence, PLAIN)           \
    F(source, resource, USE, resources) \
    F(source, families, USERS)

#define FAMILY_FIELDS(F)                                      \
    F(family, hash, PLAIN)                                    \
    F(family, source, USE, sources)                           \
    F(family, streams, USERS)                                 \
    F(family, destination, LINK_OR_NONE, destinations)        \
    F(family, plan, USE_OR_NONE, plans)                       \
    F(family, drawing, USE_OR_NONE, drawings)                 \
    F(family, rule, PLAIN)                                    \
    F(family, generation, PLAIN)                              \
    F(family, former_destination, LINK_OR_NONE, destinations) \
    F(family, former_plan, USE_OR_NONE, plans)                \
    F(family, former_name, TEXT, former_name_len)             \
    F(family, former_name_len, PLAIN)                         \
    F(family, changed_minute, PLAIN)                          \
    F(family, own_name, PLAIN)                                \
    F(family, successor, USE_OR_NONE, successors)             \
    F(family, hint_stream, LINK_OR_NONE, streams)             \
    F(family, refusal, REASON)                                \
    F(family, shape, UPTO, SHAPE_VALUE)                       \
    F(family, wants_host, BOOL)                               \
    F(family, follows_service, BOOL)                          \
    F(family, is_native, BOOL)                                \
    F(family, may_be_young, BOOL)                             \
    F(family, is_since_boot, BOOL)                            \
    F(family, is_delta, BOOL)                                 \
    F(family, is_monotonic, BOOL)                             \
    F(family, saw_eviction, BOOL)                             \
    F(family, hints_swap, BOOL)                               \
    F(family, is_container, BOOL)                             \
    F(family, reads_labels, BOOL)                             \
    F(family, instance, PLAIN)                                \
    F(family, node, USE_OR_NONE, nodes)                       \
    F(family, tells, UPTO, NODE_FACT_LAST)                    \
    F(family, kind, UPTO, CELL_INSTANTS)                      \
    F(family, name, TEXT, name_len)                           \
    F(family, name_len, PLAIN)

#define START_FIELDS(F)          \
    F(start, hash, PLAIN)        \
    F(start, last_ns, PLAIN)     \
    F(start, previous_ns, PLAIN) \
    F(start, times, PLAIN)       \
    F(start, streams, USERS)

/* `detail` is the newest history, or what a distribution remembers: pipeline/verify_links.c. */
#define STREAM_FIELDS(F)                               \
    F(stream, identity, PLAIN)                         \
    F(stream, start_ns, PLAIN)                         \
    F(stream, first_ns, PLAIN)                         \
    F(stream, last_ns, PLAIN)                          \
    F(stream, covered_ns, PLAIN)                       \
    F(stream, fed_ns, PLAIN)                           \
    F(stream, rank, PLAIN)                             \
    F(stream, last, PLAIN)                             \
    F(stream, cadence, PLAIN)                          \
    F(stream, family, USE, families)                   \
    F(stream, cell, LINK_OR_NONE, cells)               \
    F(stream, next_start, OWN_OR_NONE, streams)        \
    F(stream, next_in_cell, LINK_OR_NONE, streams)     \
    F(stream, previous_in_cell, LINK_OR_NONE, streams) \
    F(stream, move, OWN_OR_NONE, moves)                \
    F(stream, start, USE_OR_NONE, starts)              \
    F(stream, detail, PLAIN)                           \
    F(stream, owner, LINK_OR_NONE, owners)             \
    F(stream, shape, UPTO, SHAPE_VALUE)                \
    F(stream, number_type, UPTO, NUMBER_DOUBLE)        \
    F(stream, component, UPTO, NATIVE_COMPONENTS - 1)  \
    F(stream, refusal, REASON)                         \
    F(stream, labels, PLAIN)                           \
    F(stream, source_rank, UPTO, NATIVE_PREFERRED)     \
    F(stream, is_histogram, BOOL)                      \
    F(stream, is_share, BOOL)                          \
    F(stream, has_twin, BOOL)                          \
    F(stream, distribution, UPTO, DISTRIBUTION_LAST)   \
    F(stream, generation, PLAIN)                       \
    F(stream, ended_ns, PLAIN)

#define BUCKETS_FIELDS(F)                    \
    F(buckets, layout, USE_OR_NONE, layouts) \
    F(buckets, room, PLAIN)                  \
    F(buckets, count, LIST, room)            \
    F(buckets, sum, PLAIN)                   \
    F(buckets, has_sum, BOOL)

#define EXPONENTIAL_FIELDS(F)                           \
    F(exponential, positive, BEGIN)                     \
    F(exponential, positive.low, PLAIN)                 \
    F(exponential, positive.len, PLAIN)                 \
    F(exponential, positive.room, PLAIN)                \
    F(exponential, positive.count, LIST, positive.room) \
    F(exponential, positive, END)                       \
    F(exponential, negative, BEGIN)                     \
    F(exponential, negative.low, PLAIN)                 \
    F(exponential, negative.len, PLAIN)                 \
    F(exponential, negative.room, PLAIN)                \
    F(exponential, negative.count, LIST, negative.room) \
    F(exponential, negative, END)                       \
    F(exponential, zero, BEGIN)                         \
    F(exponential, zero.whole, PLAIN)                   \
    F(exponential, zero, END)                           \
    F(exponential, zero_threshold, PLAIN)               \
    F(exponential, sum, PLAIN)                          \
    F(exponential, scale, PLAIN)                        \
    F(exponential, sent_scale, PLAIN)                   \
    F(exponential, has_sum, BOOL)                       \
    F(exponential, is_whole, BOOL)

#define QUANTILES_FIELDS(F)         \
    F(quantiles, identity, PLAIN)   \
    F(quantiles, start_ns, PLAIN)   \
    F(quantiles, time_ns, PLAIN)    \
    F(quantiles, sum, PLAIN)        \
    F(quantiles, len, PLAIN)        \
    F(quantiles, room, PLAIN)       \
    F(quantiles, value, LIST, room) \
    F(quantiles, is_mixed, BOOL)

#define LAYOUT_FIELDS(F)          \
    F(layout, hash, PLAIN)        \
    F(layout, users, USERS)       \
    F(layout, bound_count, PLAIN) \
    F(layout, bounds, LIST, bound_count)

#define HISTORY_FIELDS(F)                           \
    F(history, number, PLAIN)                       \
    F(history, older, OWN_OR_NONE, histories)       \
    F(history, points, OWN_OR_NONE, history_points) \
    F(history, last, RECORDS)

#define HISTORY_POINTS_FIELDS(F) F(history_points, minute, RECORDS)

/* The sources are compared only and may be gone. */
#define OWNER_FIELDS(F)             \
    F(owner, hash, PLAIN)           \
    F(owner, source, PLAIN)         \
    F(owner, before, PLAIN)         \
    F(owner, rank, PLAIN)           \
    F(owner, since_ns, PLAIN)       \
    F(owner, mount, PLAIN)          \
    F(owner, last_ns, PLAIN)        \
    F(owner, before_last_ns, PLAIN) \
    F(owner, cadence, PLAIN)

#define DESTINATION_FIELDS(F)                       \
    F(destination, hash, PLAIN)                     \
    F(destination, text, SLICES)                    \
    F(destination, target, BEGIN)                   \
    F(destination, target.kind, PLAIN)              \
    F(destination, target.name, SLICE)              \
    F(destination, target.host_id, SLICE)           \
    F(destination, target.custom_identifier, SLICE) \
    F(destination, target.roles, SLICE)             \
    F(destination, target.meta, SLICE)              \
    F(destination, target, END)                     \
    F(destination, names, PLAIN)

#define SUCCESSOR_FIELDS(F)       \
    F(successor, hash, PLAIN)     \
    F(successor, heard_ns, PLAIN) \
    F(successor, families, USERS)

#define PLAN_FIELDS(F)                                \
    F(plan, hash, PLAIN)                              \
    F(plan, users, USERS)                             \
    F(plan, statistics, PLAIN)                        \
    F(plan, percentile, NUMBERS)                      \
    F(plan, scale, PLAIN)                             \
    F(plan, labels, TEXT, labels_len)                 \
    F(plan, labels_len, PLAIN)                        \
    F(plan, percentile_count, UPTO, PLAN_PERCENTILES) \
    F(plan, label_count, UPTO, PLAN_LABELS)           \
    F(plan, merges, PLAIN)                            \
    F(plan, over_time, UPTO, OVER_TIME_MAX)           \
    F(plan, zero_fill, BOOL)

#define DRAWING_FIELDS(F)                 \
    F(drawing, hash, PLAIN)               \
    F(drawing, users, USERS)              \
    F(drawing, text, SLICES)              \
    F(drawing, name, SLICE)               \
    F(drawing, title, SLICE)              \
    F(drawing, unit, SLICE)               \
    F(drawing, graph_unit, SLICE)         \
    F(drawing, kind, UPTO, CELL_INSTANTS) \
    F(drawing, has_title, BOOL)           \
    F(drawing, is_stacked, BOOL)          \
    F(drawing, has_stacked, BOOL)

#define CELL_FIELDS(F)                           \
    F(cell, hash, PLAIN)                         \
    F(cell, destination, LINK, destinations)     \
    F(cell, plan, USE_OR_NONE, plans)            \
    F(cell, drawing, USE_OR_NONE, drawings)      \
    F(cell, first_stream, LINK_OR_NONE, streams) \
    F(cell, first_move, LINK_OR_NONE, moves)     \
    F(cell, newest_minute, OWN_OR_NONE, minutes) \
    F(cell, newest_run, OWN_OR_NONE, runs)       \
    F(cell, kind, UPTO, CELL_INSTANTS)           \
    F(cell, group, UPTO, NATIVE_GROUP_LAST)      \
    F(cell, name, TEXT, name_len)                \
    F(cell, name_len, PLAIN)                     \
    F(cell, kept, LIST, kept_count)              \
    F(cell, kept_count, PLAIN)                   \
    F(cell, generation, PLAIN)

#define MINUTE_FIELDS(F)                              \
    F(minute, number, PLAIN)                          \
    F(minute, due_ns, PLAIN)                          \
    F(minute, posted_ns, PLAIN)                       \
    F(minute, first_posted_ns, PLAIN)                 \
    F(minute, increase, PLAIN)                        \
    F(minute, sum, PLAIN)                             \
    F(minute, bucketed, PLAIN)                        \
    F(minute, component, LIST, room)                  \
    F(minute, part, LIST, part_count)                 \
    F(minute, min, PLAIN)                             \
    F(minute, max, PLAIN)                             \
    F(minute, older, OWN_OR_NONE, minutes)            \
    F(minute, room, PLAIN)                            \
    F(minute, part_count, PLAIN)                      \
    F(minute, layout, USE_OR_NONE, layouts)           \
    F(minute, exponential, OWN_OR_NONE, exponentials) \
    F(minute, quantiles, OWN_OR_NONE, quantiles)      \
    F(minute, pending, PLAIN)                         \
    F(minute, fed, BOOL)                              \
    F(minute, unknown_beginning, BOOL)                \
    F(minute, sum_missing, BOOL)                      \
    F(minute, layout_mix, BOOL)                       \
    F(minute, has_extremes, BOOL)                     \
    F(minute, extremes_missing, BOOL)                 \
    F(minute, posted, BOOL)                           \
    F(minute, changed, BOOL)                          \
    F(minute, late, BOOL)

#define RUN_FIELDS(F)    \
    F(run, first, PLAIN) \
    F(run, last, PLAIN)  \
    F(run, older, OWN_OR_NONE, runs)

#define MOVE_FIELDS(F)                         \
    F(move, until, PLAIN)                      \
    F(move, stream, LINK, streams)             \
    F(move, cell, LINK_OR_NONE, cells)         \
    F(move, older, OWN_OR_NONE, moves)         \
    F(move, next_in_cell, LINK_OR_NONE, moves) \
    F(move, previous_in_cell, LINK_OR_NONE, moves)

#define REPEAT_FIELDS(F)                    \
    F(repeat, hash, PLAIN)                  \
    F(repeat, last_ns, PLAIN)               \
    F(repeat, older, LINK_OR_NONE, repeats) \
    F(repeat, newer, LINK_OR_NONE, repeats)

#define PIPELINE_FIELDS(F)                                                 \
    F(pipeline, options, BEGIN)                                            \
    F(pipeline, options.watch_start_ns, PLAIN)                             \
    F(pipeline, options.grace_ns, PLAIN)                                   \
    F(pipeline, options.lateness_ns, PLAIN)                                \
    F(pipeline, options.max_streams, PLAIN)                                \
    F(pipeline, options.max_late_minutes, PLAIN)                           \
    F(pipeline, options.budgets, BEGIN)                                    \
    F(pipeline, options.budgets.host_metrics, PLAIN)                       \
    F(pipeline, options.budgets.service_metrics, PLAIN)                    \
    F(pipeline, options.budgets.all_service_metrics, PLAIN)                \
    F(pipeline, options.budgets.hosts, PLAIN)                              \
    F(pipeline, options.budgets.attribute_values, PLAIN)                   \
    F(pipeline, options.budgets.refuses, PLAIN)                            \
    F(pipeline, options.budgets, END)                                      \
    F(pipeline, options.default_service, SCRATCH)                          \
    F(pipeline, options.native_metrics, SCRATCH)                           \
    F(pipeline, options.container_mode, UPTO, CONTAINERS_OFF)              \
    F(pipeline, options.native_policy, SCRATCH)                            \
    F(pipeline, options.rules, SCRATCH)                                    \
    F(pipeline, options, END)                                              \
    F(pipeline, default_service, STRING)                                   \
    F(pipeline, native_metrics, STRING)                                    \
    F(pipeline, native_policy, STRING)                                     \
    F(pipeline, rules, STRING)                                             \
    F(pipeline, policy, SCRATCH)                                           \
    F(pipeline, compiled, SCRATCH)                                         \
    F(pipeline, generation, PLAIN)                                         \
    F(pipeline, changed_minute, PLAIN)                                     \
    F(pipeline, resources, POOL, resource)                                 \
    F(pipeline, nodes, POOL, node)                                         \
    F(pipeline, sources, POOL, source)                                     \
    F(pipeline, families, POOL, family)                                    \
    F(pipeline, starts, POOL, start)                                       \
    F(pipeline, streams, POOL, stream)                                     \
    F(pipeline, buckets, POOL, buckets)                                    \
    F(pipeline, exponentials, POOL, exponential)                           \
    F(pipeline, quantiles, POOL, quantiles)                                \
    F(pipeline, histories, POOL, history)                                  \
    F(pipeline, history_points, POOL, history_points)                      \
    F(pipeline, layouts, POOL, layout)                                     \
    F(pipeline, owners, POOL, owner)                                       \
    F(pipeline, destinations, POOL, destination)                           \
    F(pipeline, plans, POOL, plan)                                         \
    F(pipeline, successors, POOL, successor)                               \
    F(pipeline, drawings, POOL, drawing)                                   \
    F(pipeline, cells, POOL, cell)                                         \
    F(pipeline, minutes, POOL, minute)                                     \
    F(pipeline, runs, POOL, run)                                           \
    F(pipeline, moves, POOL, move)                                         \
    F(pipeline, repeats, POOL, repeat)                                     \
    F(pipeline, resource_table, TABLE, resources, resource, hash)          \
    F(pipeline, node_table, TABLE, nodes, node, hash)                      \
    F(pipeline, source_table, TABLE, sources, source, hash)                \
    F(pipeline, family_table, TABLE, families, family, hash)               \
    F(pipeline, start_table, TABLE, starts, start, hash)                   \
    F(pipeline, stream_table, TABLE, streams, stream, identity)            \
    F(pipeline, layout_table, TABLE, layouts, layout, hash)                \
    F(pipeline, owner_table, TABLE, owners, owner, hash)                   \
    F(pipeline, destination_table, TABLE, destinations, destination, hash) \
    F(pipeline, plan_table, TABLE, plans, plan, hash)                      \
    F(pipeline, successor_table, TABLE, successors, successor, hash)       \
    F(pipeline, drawing_table, TABLE, drawings, drawing, hash)             \
    F(pipeline, cell_table, TABLE, cells, cell, hash)                      \
    F(pipeline, repeat_table, TABLE, repeats, repeat, hash)                \
    F(pipeline, due, APART)                                                \
    F(pipeline, names, SCRATCH)                                            \
    F(pipeline, names_freed_ns, PLAIN)                                     \
    F(pipeline, ledger, BEGIN)                                             \
    F(pipeline, ledger.received, PLAIN)                                    \
    F(pipeline, ledger.merged, PLAIN)                                      \
    F(pipeline, ledger.pending, PLAIN)                                     \
    F(pipeline, ledger.reasons, REASONS)                                   \
    F(pipeline, ledger, END)                                               \
    F(pipeline, counts, BEGIN)                                             \
    F(pipeline, counts.streams, PLAIN)                                     \
    F(pipeline, counts.cells, PLAIN)                                       \
    F(pipeline, counts.destinations, PLAIN)                                \
    F(pipeline, counts.open_minutes, PLAIN)                                \
    F(pipeline, counts.evicted, PLAIN)                                     \
    F(pipeline, counts.invalid_utf8, PLAIN)                                \
    F(pipeline, counts.pattern_limits, PLAIN)                              \
    F(pipeline, counts.layout_mix, PLAIN)                                  \
    F(pipeline, counts.collapsed, PLAIN)                                   \
    F(pipeline, counts, END)                                               \
    F(pipeline, now_ns, PLAIN)                                             \
    F(pipeline, newest_ns, PLAIN)                                          \
    F(pipeline, sweep, PLAIN)                                              \
    F(pipeline, oldest_repeat, LINK_OR_NONE, repeats)                      \
    F(pipeline, newest_repeat, LINK_OR_NONE, repeats)                      \
    F(pipeline, text, SCRATCH)                                             \
    F(pipeline, readings, SCRATCH)                                         \
    F(pipeline, reading_room, SCRATCH)                                     \
    F(pipeline, increases, SCRATCH)                                        \
    F(pipeline, increase_room, SCRATCH)                                    \
    F(pipeline, now, SCRATCH)                                              \
    F(pipeline, rise, SCRATCH)                                             \
    F(pipeline, other, SCRATCH)                                            \
    F(pipeline, open, SCRATCH)                                             \
    F(pipeline, open_room, SCRATCH)                                        \
    F(pipeline, emissions, SCRATCH)                                        \
    F(pipeline, emission_count, SCRATCH)                                   \
    F(pipeline, emission_room, SCRATCH)                                    \
    F(pipeline, emission_text, SCRATCH)                                    \
    F(pipeline, drawing_list, SCRATCH)                                     \
    F(pipeline, values, SCRATCH)                                           \
    F(pipeline, value_room, SCRATCH)                                       \
    F(pipeline, rows, SCRATCH)                                             \
    F(pipeline, row_room, SCRATCH)

#endif
