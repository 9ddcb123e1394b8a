/*
 * Cells and destinations: one cell per Mackerel series family (destination, kind, base name), fed
 * by any number of streams.
 */
#ifndef PIPELINE_CELL_H
#define PIPELINE_CELL_H

#include "pipeline/state.h"

/* The destination, known from now on. Destinations are few and stay. */
uint32_t cell_destination(struct pipeline *p, const struct mackerel_destination *target);

/* The cell of that destination, kind, name, label and plan; for native kinds of that group and device. */
struct cell_key {
    uint32_t destination;
    uint32_t plan; /* POOL_NONE for native kinds */
    uint32_t
        drawing; /* POOL_NONE for native kinds and services; no part of the key: the latest counts */
    enum cell_kind kind;
    enum native_group group;
    struct slice name;
    struct hash128
        label; /* what the name leaves out of attributes and metric; zero: nothing */
    const struct kept_value *kept; /* copied */
    uint32_t kept_count;
};

uint32_t cell_open(struct pipeline *p, const struct cell_key *key);

void cell_add_stream(struct pipeline *p, uint32_t cell, uint32_t stream);
/* The last stream takes the cell with it, once no minute is left and none was posted for 24 h. */
void cell_remove_stream(struct pipeline *p, uint32_t cell, uint32_t stream);
/* Frees the cell if nothing uses it. */
void cell_drop_if_unused(struct pipeline *p, uint32_t index);

/* A cell that was saved without a plan is now the one of that plan. */
void cell_set_plan(struct pipeline *p, uint32_t index, uint32_t plan);

static inline struct slice cell_name(const struct cell *cell)
{
    return (struct slice){cell->name, cell->name_len};
}

static inline bool cell_is_total(const struct cell *cell)
{
    return cell->kind == CELL_RATE || cell->kind == CELL_HISTOGRAM ||
           cell->kind == CELL_TOTALS;
}

static inline bool cell_is_container_group(enum native_group group)
{
    return group >= NATIVE_CONTAINER_CPU && group <= NATIVE_CONTAINER_NETWORK;
}

static inline bool cell_is_container(const struct cell *cell)
{
    return cell_is_container_group((enum native_group)cell->group);
}

/* Of the tables, the host's or the containers'. */
static inline bool cell_is_native(const struct cell *cell)
{
    return cell->kind == CELL_TOTALS || cell->kind == CELL_INSTANTS;
}

#endif
