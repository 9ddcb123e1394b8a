/*
 * What leaves the pipeline at a tick, value by value (pipeline/emission.h).
 */
#ifndef PIPELINE_EMITTED_H
#define PIPELINE_EMITTED_H

#include "proto/mackerel.h"

#include <stdbool.h>
#include <stdint.h>

/* One closed value on its way out; the name is at an offset of emission_text. */
struct emission {
    uint64_t minute;
    uint32_t destination;
    uint32_t name_at, name_len;
    uint32_t drawing, base_len; /* of the cell, and the length of its name in this one */
    double value;
    bool native;
    enum mackerel_lane lane;
};

#endif
