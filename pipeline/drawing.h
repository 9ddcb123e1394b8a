/*
 * How custom metrics of hosts are drawn: the pool of drawings, one record for all cells of a metric that
 * look alike, and the definitions of graphs (proto/mackerel.h) that follow from the values that a tick
 * closed. Each tick gives all definitions of its values, so that nothing needs to be remembered over a
 * restart; which of them are posted is the exporter's business (exporter/graph_book.h).
 *
 * A value's graph is its name up to the last dot. Segments that come from attributes of points (a cell's name has
 * them, its metric's has not) are wildcards: the first "#", the others "*"; where the last segment of a
 * name is one and no other is, a line is named as it is. Parts of a sum, one a line, are stacked unless a
 * rule says otherwise.
 * Units: of the metric, or per second, or of the statistic (unit_of() in drawing.c). Counts and rates of
 * observations have no say in the unit of a graph that they share with the observations themselves.
 */
#ifndef PIPELINE_DRAWING_H
#define PIPELINE_DRAWING_H

#include "pipeline/state.h"

struct drawing_seed {
    enum cell_kind kind;
    struct slice name; /* of the cells, "custom." and all, without attributes of points */
    struct slice title;      /* by rule, or the metric's description */
    bool has_title;          /* by rule */
    struct slice unit;       /* of the values, as UCUM */
    struct slice graph_unit; /* by rule: one of Mackerel's; empty: follows from `unit` */
    bool is_stacked, has_stacked; /* by rule */
};

/* The record of such a drawing, with one user more. */
uint32_t drawing_take(struct pipeline *p, const struct drawing_seed *seed);
/* POOL_NONE is shared and given as well. */
uint32_t drawing_share(struct pipeline *p, uint32_t index);
void drawing_give(struct pipeline *p, uint32_t index);

/* How the cells of containers are drawn whose names those of hosts are not: one graph of each group for
 * all. `name` is a cell's. POOL_NONE for Mackerel's own names; the caller's, as from drawing_take(). */
uint32_t drawing_take_container(struct pipeline *p, enum native_group group,
                                struct slice name);

/* A description as a title: its first sentence on one line, at most DRAWING_TITLE_MAX bytes. */
enum {
    DRAWING_TITLE_MAX = 80
};

struct slice drawing_title(struct slice description);

/* The definitions for the values in p->emissions; borrowed until the next call. */
size_t drawing_list(struct pipeline *p, const struct mackerel_graph **graphs);
void drawing_release(struct drawing_list *list);

#endif
