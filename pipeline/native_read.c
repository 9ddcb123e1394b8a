#include "pipeline/native_read.h"

#include "pipeline/cell.h"
#include "pipeline/members.h"
#include "pipeline/native_feed.h"
#include "pipeline/reach.h"
#include "pipeline/value.h"

#include <math.h>

/* ---- values at the minute's start --------------------------------------------------------- */

static bool are_twins(const struct pipeline *p, const struct stream *a,
                      const struct stream *b)
{
    return a != b && a->component == b->component && a->rank == b->rank &&
           state_family(p, a->family)->source == state_family(p, b->family)->source;
}

/* Of twins that both have something to say: a point in the minute, then age, then anything fixed. */
static bool goes_first(const struct pipeline *p, const struct stream *a,
                       const struct stream *b, uint64_t minute)
{
    struct value_reading of_a = {0}, of_b = {0};

    if (!value_read(p, a, minute, &of_a))
        return false;
    if (!value_read(p, b, minute, &of_b) || of_a.has_point != of_b.has_point)
        return !of_b.has_point;
    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns;
    if (!hash_equal(a->identity, b->identity))
        return a->identity.low < b->identity.low;
    return a->start_ns < b->start_ns;
}

static bool is_said_by_a_twin(const struct pipeline *p, const struct cell *cell,
                              const struct stream *stream, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *other;

    if (!stream->has_twin)
        return false;
    while ((other = members_next(p, &walk)) != NULL)
        if (are_twins(p, stream, other) && goes_first(p, other, stream, minute))
            return true;
    return false;
}

/* Of several mounts of one device only that of the lowest rank counts. */
static uint64_t lowest_rank(const struct pipeline *p, const struct cell *cell,
                            uint64_t minute)
{
    uint64_t lowest = UINT64_MAX;
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    if (cell->group != NATIVE_FILESYSTEM)
        return lowest;
    while ((stream = members_next(p, &walk)) != NULL) {
        double value;

        if (native_feed_counts(p, stream, minute) && stream->rank < lowest &&
            value_read_at_start(p, stream, minute, &value))
            lowest = stream->rank;
    }
    return lowest;
}

static void read_instants(const struct pipeline *p, const struct cell *cell,
                          uint64_t minute, struct native_minute *native)
{
    uint64_t lowest = lowest_rank(p, cell, minute);
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        double value;

        if (!native_feed_counts(p, stream, minute) ||
            (cell->group == NATIVE_FILESYSTEM && stream->rank != lowest) ||
            !value_read_at_start(p, stream, minute, &value) ||
            is_said_by_a_twin(p, cell, stream, minute))
            continue;
        native->platform = native_feed_platform(p, stream);
        native->value[stream->component] += value;
        native->has[stream->component] = true;
    }
}

/* ---- totals ------------------------------------------------------------------------------- */

static bool is_over(const struct stream *stream, uint64_t minute)
{
    return stream->ended_ns && stream->ended_ns <= minute_end_ns(minute);
}

/* Said nothing in the minute, and no report of its source says anything about it either. */
static bool is_silent(const struct pipeline *p, const struct stream *stream,
                      uint64_t minute)
{
    return is_over(stream, minute) ||
           reach_known_ns(p, stream) < minute_start_ns(minute) ||
           stream->first_ns > minute_end_ns(minute);
}

static bool is_total(const struct pipeline *p, const struct stream *stream,
                     uint64_t minute)
{
    return stream->shape != SHAPE_VALUE && native_feed_counts(p, stream, minute);
}

static void read_count(const struct pipeline *p, const struct stream *stream,
                       uint64_t minute, struct native_minute *native)
{
    struct value_reading reading;

    if (!native_feed_counts(p, stream, minute) ||
        !value_read(p, stream, minute, &reading))
        return;
    native->has[NATIVE_CPU_COUNT] = true;
    native->value[NATIVE_CPU_COUNT] = reading.value;
}

/* How far into the minute all that said something in it is known. */
struct known {
    uint64_t earliest_ns, latest_ns;
};

static struct known measure(const struct pipeline *p, const struct cell *cell,
                            uint64_t minute)
{
    struct known known = {UINT64_MAX, 0};
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        if (!is_total(p, stream, minute) || is_silent(p, stream, minute))
            continue;

        uint64_t known_ns = reach_known_ns(p, stream);

        known.earliest_ns = known_ns < known.earliest_ns ? known_ns : known.earliest_ns;
        known.latest_ns = known_ns > known.latest_ns ? known_ns : known.latest_ns;
    }
    return known;
}

static double seconds_known(const struct known *known, uint64_t minute)
{
    uint64_t start_ns = minute_start_ns(minute), end_ns = minute_end_ns(minute);
    uint64_t until_ns = known->earliest_ns < end_ns ? known->earliest_ns : end_ns;

    return until_ns > start_ns ? (double)(until_ns - start_ns) / NS_PER_S : 0;
}

static void read_totals(const struct pipeline *p, const struct cell *cell,
                        const struct minute *minute, struct native_minute *native)
{
    double cpus[NATIVE_COMPONENTS] = {0};
    struct members walk = members_of(cell, minute->number);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        uint8_t component = stream->component;

        if (stream->shape == SHAPE_VALUE)
            read_count(p, stream, minute->number, native);
        if (!is_total(p, stream, minute->number) || component >= minute->room ||
            is_silent(p, stream, minute->number))
            continue;
        native->platform = native_feed_platform(p, stream);
        native->is_share |= stream->is_share;
        native->has[component] = true;
        native->value[component] = minute->component[component];
        cpus[component] += native_unit(stream->rank) != 0;
        if (component != NATIVE_CPU_OTHER)
            native->cpu_count = fmax(native->cpu_count, cpus[component]);
    }
    if (cell->group == NATIVE_CPU) {
        struct known known = measure(p, cell, minute->number);

        native->seconds = seconds_known(&known, minute->number);
    }
}

void native_read_minute(const struct pipeline *p, const struct cell *cell,
                        const struct minute *minute, struct native_minute *native)
{
    *native = (struct native_minute){
        .group = cell->group,
        .device = cell_name(cell),
    };
    if (cell->kind == CELL_TOTALS)
        read_totals(p, cell, minute, native);
    else
        read_instants(p, cell, minute->number, native);
}

/* ---- whole? ------------------------------------------------------------------------------- */

/* Do others of the stream's cpu say something, but nobody what it used to? Else that cpu went. */
static bool leaves_a_hole(const struct pipeline *p, const struct cell *cell,
                          const struct stream *stream, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *other;
    bool is_there = false;

    while ((other = members_next(p, &walk)) != NULL) {
        if (!is_total(p, other, minute) || is_silent(p, other, minute))
            continue;
        if (are_twins(p, stream, other))
            return false;
        is_there |= native_unit(other->rank) == native_unit(stream->rank);
    }
    return is_there;
}

static bool has_hole(const struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL)
        if (is_total(p, stream, minute) && !is_over(stream, minute) &&
            stream->first_ns < minute_start_ns(minute) && is_silent(p, stream, minute) &&
            leaves_a_hole(p, cell, stream, minute))
            return true;
    return false;
}

static bool differs(double a, double b)
{
    return a < b || a > b;
}

/* At the minute's start, at its end, or in between. */
static bool count_changes(const struct pipeline *p, const struct cell *cell,
                          uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL) {
        struct value_reading last;
        double start, end;

        if (stream->shape != SHAPE_VALUE || !native_feed_counts(p, stream, minute) ||
            !value_read(p, stream, minute, &last))
            continue;
        if ((value_read_at_start(p, stream, minute, &start) &&
             differs(start, last.value)) ||
            (value_read_at_start(p, stream, minute + 1, &end) &&
             differs(end, last.value)))
            return true;
    }
    return false;
}

static bool cpu_holds(const struct pipeline *p, const struct cell *cell,
                      const struct minute *minute)
{
    struct known known = measure(p, cell, minute->number);

    return !minute->unknown_beginning &&
           (known.earliest_ns >= minute_end_ns(minute->number) ||
            known.earliest_ns == known.latest_ns) &&
           !has_hole(p, cell, minute->number) && !count_changes(p, cell, minute->number);
}

static bool disk_holds(const struct pipeline *p, const struct cell *cell, uint64_t minute)
{
    struct members walk = members_of(cell, minute);
    const struct stream *stream;

    while ((stream = members_next(p, &walk)) != NULL)
        if (is_total(p, stream, minute) && !is_silent(p, stream, minute) &&
            (stream->shape == SHAPE_DELTA || stream->last.as_int != 0))
            return true;
    return false;
}

bool native_read_holds(const struct pipeline *p, const struct cell *cell,
                       const struct minute *minute)
{
    if (cell->group == NATIVE_CPU)
        return cpu_holds(p, cell, minute);
    return cell->group != NATIVE_DISK || disk_holds(p, cell, minute->number);
}
