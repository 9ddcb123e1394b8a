/*
 * One moment on two clocks: pauses are measured on the one that never goes back, minutes and
 * statuses on the other.
 */
#ifndef EXPORTER_INSTANT_H
#define EXPORTER_INSTANT_H

#include <stdint.h>

struct instant {
    uint64_t mono_ms;
    uint64_t unix_ns;
};

static inline uint64_t instant_unix_s(struct instant now)
{
    return now.unix_ns / 1000000000u;
}

#endif
