/*
 * How long requests took: every one is kept, so that percentiles are exact.
 */
#ifndef TESTS_BENCH_LATENCY_H
#define TESTS_BENCH_LATENCY_H

#include <stddef.h>
#include <stdint.h>

struct latency {
    uint64_t *took_ns;
    size_t count, room;
};

void latency_note(struct latency *latency, uint64_t took_ns);
void latency_reset(struct latency *latency);
void latency_release(struct latency *latency);

/* Appends those of another. */
void latency_merge(struct latency *latency, const struct latency *other);

/* Sorts; then latency_ms() may be asked. */
void latency_sort(struct latency *latency);

/* The smallest time that the share `q` of all requests did not exceed; 0 when there are none. */
double latency_ms(const struct latency *latency, double q);

#endif
