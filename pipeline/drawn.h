/*
 * Records of pipeline/drawing.h: how cells of a metric are drawn, and the list of a tick.
 */
#ifndef PIPELINE_DRAWN_H
#define PIPELINE_DRAWN_H

#include "base/buffer.h"
#include "base/hash.h"
#include "base/table.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How cells of a metric are drawn. Custom metrics of hosts only. */
struct drawing {
    struct hash128 hash;
    uint32_t users;
    char *text; /* owns the slices */
    struct slice name, title, unit, graph_unit;
    uint8_t kind; /* enum cell_kind */
    bool has_title, is_stacked, has_stacked;
};

/* Scratch of the current tick. */
struct drawing_list {
    struct drawing_wish *wishes;
    struct mackerel_graph *graphs;
    struct mackerel_line *lines;
    size_t count, room, graph_room, line_room;
    struct table seen;
    struct buffer text;
};

#endif
