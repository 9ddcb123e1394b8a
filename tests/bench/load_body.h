/*
 * The request that the load generator sends: 1,000 points or so of an ordinary service, half
 * cumulative sums and half gauges, five attributes each. Times and totals are rewritten in place
 * for each sending, as a real exporter's would move on.
 */
#ifndef TESTS_BENCH_LOAD_BODY_H
#define TESTS_BENCH_LOAD_BODY_H

#include "base/buffer.h"

#include <stddef.h>
#include <stdint.h>

struct load_body {
    struct buffer bytes;
    size_t *places; /* of each point's time; its value is 9 bytes further on */
    size_t place_count, place_room;
    size_t sum_count; /* the first so many are sums */
    size_t instance_place;
};

/* `instance` (below a million) makes the streams of one sender different from another's. */
void load_body_init(struct load_body *body, unsigned instance, unsigned points,
                    uint64_t start_ns);
void load_body_release(struct load_body *body);

void load_body_stamp(struct load_body *body, uint64_t time_ns, uint64_t total);

/* The same points of another sender. */
void load_body_rename(struct load_body *body, unsigned instance);

#endif
