#include "pipeline/cadence.h"

static const uint64_t NS_PER_MS = 1000000;

void cadence_add(struct cadence *cadence, uint64_t gap_ns)
{
    uint64_t gap_ms = (gap_ns + NS_PER_MS / 2) / NS_PER_MS;

    cadence->gap_ms[2] = cadence->gap_ms[1];
    cadence->gap_ms[1] = cadence->gap_ms[0];
    cadence->gap_ms[0] = gap_ms == 0           ? 1
                         : gap_ms > UINT32_MAX ? UINT32_MAX
                                               : (uint32_t)gap_ms;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a < b ? b : a;
}

static uint32_t middle(const uint32_t gap[3])
{
    return larger(smaller(gap[0], gap[1]), smaller(larger(gap[0], gap[1]), gap[2]));
}

uint64_t cadence_interval_ns(const struct cadence *cadence)
{
    const uint32_t *gap = cadence->gap_ms;

    if (gap[0] == 0)
        return NS_PER_MIN;
    if (gap[1] == 0)
        return gap[0] * NS_PER_MS;
    if (gap[2] == 0)
        return smaller(gap[0], gap[1]) * NS_PER_MS;
    return middle(gap) * NS_PER_MS;
}

uint64_t cadence_patience_ns(const struct cadence *cadence)
{
    uint64_t interval_ns = cadence_interval_ns(cadence);

    return interval_ns + interval_ns / 4;
}

uint64_t cadence_alive_ns(const struct cadence *cadence)
{
    const uint64_t cap_ns = 375 * NS_PER_S;
    uint64_t patience_ns = cadence_patience_ns(cadence);

    return patience_ns < cap_ns ? patience_ns : cap_ns;
}
