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

/* When the other clock shows that Unix time; now, if it is past. */
static inline uint64_t instant_mono_ms(struct instant now, uint64_t unix_s)
{
    uint64_t now_s = instant_unix_s(now);

    return now.mono_ms + (unix_s > now_s ? (unix_s - now_s) * 1000 : 0);
}

/* And the other way round; 0, if it is past. */
static inline uint64_t instant_of_mono_s(struct instant now, uint64_t mono_ms)
{
    if (mono_ms <= now.mono_ms)
        return 0;
    return instant_unix_s(now) + (mono_ms - now.mono_ms) / 1000;
}

#endif
