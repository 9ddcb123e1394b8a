/*
 * What pipeline/names.h keeps: which names are in use, and how many. It follows from the cells and is no
 * part of a saved state.
 */
#ifndef PIPELINE_NAME_BOOK_H
#define PIPELINE_NAME_BOOK_H

#include "base/buffer.h"
#include "base/hash.h"
#include "base/table.h"
#include "pipeline/options.h"

#include <stdint.h>

/* A value of a kept attribute: one of those of its destination, metric and attribute (the group). */
struct kept_value {
    struct hash128 group, value;
};

struct names {
    struct table holders; /* from destination and name to the cell that posts it */
    struct table values;  /* from a kept value to the number of its cells */
    struct table groups;  /* from a group of kept values to the number of those in use */
    struct buffer text;   /* scratch */
    uint32_t of_services; /* names of all services */
    uint32_t hosts;       /* hosts with names */
    uint32_t near;        /* destinations near their budget or at it; some of them: */
    uint32_t near_one[PIPELINE_NEAR]; /* plus one; 0 is none */
};

#endif
