#include "pipeline/hold.h"

#include "pipeline/members.h"
#include "pipeline/reach.h"

/* A stream that fed the minute before, or will (a slow sender), and has not reached the end. */
static bool lags(const struct pipeline *p, const struct stream *stream, uint64_t minute)
{
    uint64_t start_ns = minute_start_ns(minute), end_ns = minute_end_ns(minute);

    if (stream->ended_ns || stream->fed_ns >= start_ns ||
        reach_reported_ns(p, stream) >= end_ns)
        return false;
    return stream->last_ns > start_ns - NS_PER_MIN ||
           reach_is_alive(stream, stream->last_ns, end_ns);
}

bool hold_is_over(const struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        if (stream->shape != SHAPE_VALUE && lags(p, stream, minute))
            return false;
    }
    return true;
}

/* 1.25 x the longest interval of the streams alive at the end: at most 75 s if one of them is at
 * 60 s or faster, else 10 min; none when none is alive. */
uint64_t hold_minute_ns(const struct pipeline *p, const struct cell *cell,
                        uint64_t minute)
{
    const uint64_t fast_cap_ns = 75 * NS_PER_S, slow_cap_ns = 10 * NS_PER_MIN;
    uint64_t longest_ns = 0, cap_ns = slow_cap_ns, end_ns = minute_end_ns(minute);
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        if (stream->shape == SHAPE_VALUE || stream->first_ns > end_ns ||
            !reach_is_alive(stream, stream->last_ns, end_ns))
            continue;

        uint64_t patience_ns = cadence_patience_ns(&stream->cadence);

        if (patience_ns > longest_ns)
            longest_ns = patience_ns;
        if (patience_ns <= fast_cap_ns)
            cap_ns = fast_cap_ns;
    }
    return longest_ns < cap_ns ? longest_ns : cap_ns;
}
