#include "tests/bench/latency.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void latency_note(struct latency *latency, uint64_t took_ns)
{
    latency->took_ns = memory_grow(latency->took_ns, latency->count + 1, &latency->room,
                                   sizeof(*latency->took_ns));
    latency->took_ns[latency->count++] = took_ns;
}

void latency_reset(struct latency *latency)
{
    latency->count = 0;
}

void latency_release(struct latency *latency)
{
    free(latency->took_ns);
    *latency = (struct latency){0};
}

void latency_merge(struct latency *latency, const struct latency *other)
{
    for (size_t i = 0; i < other->count; i++)
        latency_note(latency, other->took_ns[i]);
}

static int compare(const void *a, const void *b)
{
    uint64_t left, right;

    memcpy(&left, a, sizeof(left));
    memcpy(&right, b, sizeof(right));
    return left < right ? -1 : left > right;
}

void latency_sort(struct latency *latency)
{
    if (latency->count)
        qsort(latency->took_ns, latency->count, sizeof(*latency->took_ns), compare);
}

double latency_ms(const struct latency *latency, double q)
{
    size_t rank = (size_t)ceil(q * (double)latency->count);

    if (latency->count == 0)
        return 0;
    return (double)latency->took_ns[rank ? rank - 1 : 0] / 1e6;
}
