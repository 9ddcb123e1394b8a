#include "pipeline/total.h"

#include "pipeline/books.h"
#include "pipeline/distribution.h"
#include "pipeline/first.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"
#include "pipeline/quantiles.h"
#include "pipeline/reach.h"
#include "pipeline/spread.h"
#include "pipeline/stream.h"

static double amount_of(const struct arrival *arrival)
{
    return arrival_is_distribution(arrival) ? (double)arrival->point->count
                                            : otlp_number(arrival->point);
}

/* The whole of the point as an increase: a delta, or a total that rises from zero. */
static struct increase whole(struct pipeline *p, uint32_t stream,
                             const struct arrival *arrival)
{
    struct increase increase = {
        .to_ns = arrival->point->time_ns,
        .layout = POOL_NONE,
        .component = state_stream(p, stream)->component,
    };

    if (arrival_is_distribution(arrival))
        distribution_read(p, stream, arrival, &increase);
    else
        increase.amount = otlp_number(arrival->point);
    return increase;
}

/* Integers subtract exactly, however large. */
static bool rise_number(const struct stream *stream, const struct otlp_point *point,
                        double *amount)
{
    double last = stream->number_type == NUMBER_INT ? (double)stream->last.as_int
                                                    : stream->last.as_double;

    if (stream->number_type == NUMBER_INT && point->value_type == OTLP_INT) {
        *amount = (double)((uint64_t)point->as_int - (uint64_t)stream->last.as_int);
        return point->as_int >= stream->last.as_int;
    }
    *amount = otlp_number(point) - last;
    return !(otlp_number(point) < last);
}

/* What the total rose by since the last point; false where it fell. */
static bool rise(struct pipeline *p, const struct stream *stream,
                 const struct arrival *arrival, struct increase *increase)
{
    *increase = (struct increase){
        .from_ns = stream->last_ns,
        .to_ns = arrival->point->time_ns,
        .layout = POOL_NONE,
        .component = stream->component,
    };
    return arrival_is_distribution(arrival)
               ? distribution_rise(p, stream, arrival, increase)
               : rise_number(stream, arrival->point, &increase->amount);
}

static bool same_value(struct pipeline *p, const struct stream *stream,
                       const struct arrival *arrival)
{
    struct increase increase;

    return rise(p, stream, arrival, &increase) && !(increase.amount > 0);
}

static void remember(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);

    if (arrival_is_distribution(arrival)) {
        distribution_remember(p, index, arrival);
    } else if (arrival->point->value_type == OTLP_INT) {
        stream->number_type = NUMBER_INT;
        stream->last.as_int = arrival->point->as_int;
    } else {
        stream->number_type = NUMBER_DOUBLE;
        stream->last.as_double = arrival->point->as_double;
    }
}

static void mark_unknown_beginning(struct pipeline *p, uint32_t index, uint64_t time_ns)
{
    uint64_t number = minute_ending_at(time_ns);
    uint32_t cell = members_cell(p, state_stream(p, index), number), at;

    if (cell == POOL_NONE)
        return;
    at = minutes_open(p, cell, number);
    if (at != POOL_NONE)
        state_minute(p, at)->unknown_beginning = true;
}

/* A new baseline: nothing counts, increases count from here. */
static void rebase(struct pipeline *p, uint32_t index, const struct arrival *arrival,
                   enum reason reason)
{
    struct stream *stream = state_stream(p, index);

    if (reason != REASON_FELL && reason != REASON_SINCE_BOOT) {
        stream->covered_ns = arrival->point->time_ns;
        mark_unknown_beginning(p, index, arrival->point->time_ns);
    }
    books_count(p, reason, 1, arrival->metric);
}

/*
 * Cpus went, and with them what they counted: percentages of the time since the last point would be
 * of the states that did not fall. The kernel's own figures may fall by less (iowait does).
 */
static void note_lost_cpus(struct pipeline *p, uint32_t index,
                           const struct arrival *arrival)
{
    const double kernel_slack = 1; /* seconds */
    const struct stream *stream = state_stream(p, index);
    uint64_t time_ns = arrival->point->time_ns;
    double last = stream->number_type == NUMBER_INT ? (double)stream->last.as_int
                                                    : stream->last.as_double;

    if (stream->owner == POOL_NONE || state_cell(p, stream->cell)->group != NATIVE_CPU ||
        last - otlp_number(arrival->point) <= kernel_slack)
        return;
    mark_unknown_beginning(p, index, stream->last_ns + 1);
    mark_unknown_beginning(p, index, time_ns);
}

static void feed(struct pipeline *p, uint32_t index, const struct increase *increase,
                 const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);
    uint64_t number;

    if (increase->from_ns < stream->fed_ns)
        stream->fed_ns = increase->from_ns;
    number = spread_increase(p, index, increase);
    if (number == SPREAD_NOWHERE)
        books_count(p, REASON_LATE, 1, arrival->metric);
    else
        stream_book(p, index, number, arrival->metric);
}

static void first_cumulative(struct pipeline *p, uint32_t index,
                             const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);
    struct first_verdict verdict = first_judge(p, stream, arrival->point,
                                               amount_of(arrival));

    if (verdict.beginning_is_known)
        stream->covered_ns = 0;
    if (!verdict.counts) {
        rebase(p, index, arrival, verdict.reason);
        return;
    }

    struct increase increase = whole(p, index, arrival);

    increase.from_ns = verdict.from_ns;
    feed(p, index, &increase, arrival);
}

/* Also a point that is not after the last one: it changes nothing. */
static bool is_stale(struct pipeline *p, const struct stream *stream,
                     const struct arrival *arrival)
{
    if (arrival->point->time_ns > stream->last_ns)
        return false;
    books_count(p,
                same_value(p, stream, arrival) ? REASON_DUPLICATE : REASON_OUT_OF_ORDER,
                1, arrival->metric);
    return true;
}

/* Below the last one: a new beginning, of which only senders without a start tell nothing. */
static void next_fallen(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    struct increase increase;

    note_lost_cpus(p, index, arrival);
    if (state_stream(p, index)->start_ns) {
        rebase(p, index, arrival, REASON_FELL);
        return;
    }
    increase = whole(p, index, arrival);
    increase.from_ns = state_stream(p, index)->last_ns;
    feed(p, index, &increase, arrival);
}

static void next_cumulative(struct pipeline *p, uint32_t index,
                            const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);
    uint64_t time_ns = arrival->point->time_ns;
    struct increase increase;

    if (stream->ended_ns) {
        stream->ended_ns = 0;
        rebase(p, index, arrival, REASON_BASELINE);
    } else if (cadence_is_lost(&stream->cadence, stream->last_ns, time_ns)) {
        rebase(p, index, arrival, REASON_GAP);
    } else if (rise(p, stream, arrival, &increase)) {
        feed(p, index, &increase, arrival);
    } else {
        next_fallen(p, index, arrival);
    }
}

/* A share of the time since the last point: so many seconds were spent in that state. */
static void next_share(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);
    uint64_t time_ns = arrival->point->time_ns;
    struct increase increase = {
        .from_ns = stream->last_ns,
        .to_ns = time_ns,
        .amount = otlp_number(arrival->point) * (double)(time_ns - stream->last_ns) /
                  NS_PER_S,
        .layout = POOL_NONE,
        .component = stream->component,
    };

    if (stream->ended_ns || !reach_is_alive(stream, stream->last_ns, time_ns)) {
        stream->ended_ns = 0;
        rebase(p, index, arrival, REASON_BASELINE);
    } else {
        feed(p, index, &increase, arrival);
    }
}

static void observe_cumulative(struct pipeline *p, uint32_t index,
                               const struct arrival *arrival)
{
    if (arrival->is_first)
        first_cumulative(p, index, arrival);
    else if (is_stale(p, state_stream(p, index), arrival))
        return;
    else if (state_stream(p, index)->is_share)
        next_share(p, index, arrival);
    else
        next_cumulative(p, index, arrival);
    remember(p, index, arrival);
    stream_advance(state_stream(p, index), arrival->point->time_ns);
    first_note(p, index, arrival->point->time_ns);
}

/* Where the window of a delta point begins; the point's own time for a point mass. */
static uint64_t window_from_ns(const struct stream *stream, const struct arrival *arrival)
{
    uint64_t time_ns = arrival->point->time_ns, start_ns = arrival->point->start_ns;

    if (start_ns == 0)
        start_ns = arrival->is_first || stream->last_ns > time_ns ? time_ns
                                                                  : stream->last_ns;
    if (time_ns - start_ns > 24 * NS_PER_HOUR)
        return time_ns - 24 * NS_PER_HOUR;
    return start_ns;
}

static bool begins_under_watch(const struct pipeline *p, const struct arrival *arrival)
{
    uint64_t start_ns = arrival->point->start_ns;

    return start_ns == 0 || start_ns > p->options.watch_start_ns;
}

static void begin_delta(struct pipeline *p, uint32_t index, const struct arrival *arrival,
                        uint64_t from_ns)
{
    struct stream *stream = state_stream(p, index);
    const struct source *source = state_source(p,
                                               state_family(p, stream->family)->source);

    if (begins_under_watch(p, arrival)) {
        stream->covered_ns = 0;
        return;
    }
    /* A window from before the first report that arrived shows that more lies before it. */
    stream->covered_ns = source->last_ns && source->first_ns < from_ns ? source->first_ns
                                                                       : from_ns;
    mark_unknown_beginning(p, index, stream->covered_ns);
}

/* A window that came late and lies before all others: the stream begins there, for all we know. */
static void begin_earlier(struct pipeline *p, uint32_t index,
                          const struct arrival *arrival, uint64_t from_ns)
{
    struct stream *stream = state_stream(p, index);
    uint64_t known_ns = stream->covered_ns ? stream->covered_ns : stream->fed_ns;

    if (from_ns >= known_ns || begins_under_watch(p, arrival))
        return;
    stream->covered_ns = arrival->point->time_ns >= known_ns ? from_ns : known_ns;
    mark_unknown_beginning(p, index, from_ns);
}

/* Between the stream's last point and this window, is there time of which nobody said anything? */
static bool leaves_a_hole(const struct pipeline *p, const struct stream *stream,
                          const struct arrival *arrival, uint64_t from_ns)
{
    const struct source *source = state_source(p,
                                               state_family(p, stream->family)->source);

    if (from_ns <= reach_known_ns(p, stream))
        return false;
    return !reach_is_covered(p, stream, stream->last_ns) ||
           !cadence_is_alive(&source->cadence, source->last_ns, arrival->point->time_ns);
}

static void observe_delta(struct pipeline *p, uint32_t index,
                          const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);
    uint64_t from_ns = window_from_ns(stream, arrival);
    bool is_instant = arrival->point->start_ns == arrival->point->time_ns;

    if (arrival->is_first || stream->ended_ns)
        begin_delta(p, index, arrival, from_ns);
    else if (leaves_a_hole(p, stream, arrival, from_ns))
        stream->covered_ns = from_ns;
    else
        begin_earlier(p, index, arrival, from_ns);
    stream->ended_ns = 0;
    if (arrival->is_first && is_instant &&
        state_family(p, stream->family)->is_since_boot) {
        stream->covered_ns = 0;
        rebase(p, index, arrival, REASON_SINCE_BOOT);
    } else {
        struct increase increase = whole(p, index, arrival);

        increase.from_ns = from_ns;
        feed(p, index, &increase, arrival);
    }
    if (arrival->summary)
        quantiles_observe(p, index, arrival);
    stream_advance(state_stream(p, index), arrival->point->time_ns);
}

void total_observe(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    if (arrival->point->flags & OTLP_NO_RECORDED_VALUE) {
        state_stream(p, index)->ended_ns = arrival->point->time_ns;
        if (arrival->summary)
            quantiles_end(p, index);
        books_count(p, REASON_STALE_MARKER, 1, arrival->metric);
    } else if (state_stream(p, index)->shape == SHAPE_DELTA) {
        observe_delta(p, index, arrival);
    } else {
        observe_cumulative(p, index, arrival);
    }
}
