#include "pipeline/render_merged.h"

#include "pipeline/members.h"
#include "pipeline/suffix.h"
#include "pipeline/value.h"

#include <math.h>

/* A sum that remembers what rounding took from it (Neumaier): the order of streams, and values of
 * very different size, change nothing. */
struct merged {
    double total, lost, least, greatest;
    unsigned count;
};

static void merge(struct merged *merged, double value)
{
    double total = merged->total + value;

    merged->lost += fabs(merged->total) >= fabs(value) ? merged->total - total + value
                                                       : value - total + merged->total;
    merged->total = total;
    merged->least = merged->count ? fmin(merged->least, value) : value;
    merged->greatest = merged->count ? fmax(merged->greatest, value) : value;
    merged->count++;
}

/* Streams that are not alive at the minute's end count only where none is. */
static struct merged merge_streams(const struct rendering *r)
{
    struct merged alive = {0}, rest = {0};
    struct members walk = members_of(r->cell, r->minute->number);
    const struct stream *stream;

    while ((stream = members_next(r->pipeline, &walk)) != NULL) {
        struct value_reading reading;

        if (!value_read(r->pipeline, stream, r->minute->number, &reading))
            continue;
        if (reading.has_point)
            reading.value = value_over_time(r->pipeline, stream, r->minute->number,
                                            r->plan->over_time);
        merge(reading.is_alive ? &alive : &rest, reading.value);
    }
    return alive.count ? alive : rest;
}

static double result(const struct merged *merged, enum merge merge)
{
    double total = merged->total + merged->lost;

    switch (merge) {
    case MERGE_AVERAGE: return total / (merged->count ? merged->count : 1);
    case MERGE_SUM: return total;
    case MERGE_MIN: return merged->least;
    case MERGE_MAX: return merged->greatest;
    }
    return (double)NAN;
}

void render_merged(struct rendering *r)
{
    static const enum merge all[] = {MERGE_AVERAGE, MERGE_SUM, MERGE_MIN, MERGE_MAX};
    struct merged merged = merge_streams(r);

    if (merged.count == 0 && !r->plan->zero_fill)
        return;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (r->plan->merges & all[i])
            rendering_emit(r, suffix_of_merge(r->plan, all[i]),
                           result(&merged, all[i]) * r->plan->scale);
}
