/*
 * Metrics that Mackerel refuses again and again. Finding a bad value takes a dozen requests (see
 * exporter/errand.h); a metric that is bad every minute would hold up its whole service. So one
 * that was refused alone twice within an hour is given up unseen for the next hour, and then tried
 * again. Pure; keeps 128-bit hashes, not texts, and no more than POISON_MAX of them.
 */
#ifndef EXPORTER_POISON_H
#define EXPORTER_POISON_H

#include "base/hash.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* Beyond it the metric whose refusal is the oldest is forgotten. */
    POISON_MAX = 256,
    POISON_STRIKES = 2,
    POISON_MS = 60 * 60 * 1000,
};

struct poison {
    struct hash128 key;
    unsigned strikes;
    uint64_t at_ms; /* of the last refusal; monotonic */
};

struct poison_list {
    struct poison *poisons; /* POISON_MAX of them once there is one */
    size_t count;
};

/* A value of this metric of a destination was refused alone. True if the metric is barred now. */
bool poison_strike(struct poison_list *list, uint64_t destination, struct slice name,
                   uint64_t now_ms);

bool poison_is_barred(const struct poison_list *list, uint64_t destination,
                      struct slice name, uint64_t now_ms);

void poison_list_release(struct poison_list *list);

#endif
