#include "pipeline/spread.h"

#include "pipeline/cell.h"
#include "pipeline/distribution.h"
#include "pipeline/layout.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"
#include "pipeline/whole.h"

/* Which part of an increase one minute gets: total(end) - total(start), as shares of the whole. */
struct part {
    double before, until;
    uint64_t before_ns, until_ns, of_ns; /* the same, exactly */
};

static const struct part everything = {0, 1, 0, 1, 1};

static double share(struct part part, double whole)
{
    return whole * part.until - whole * part.before;
}

static void add_buckets(struct pipeline *p, struct minute *minute,
                        const struct increase *increase, struct part part)
{
    uint32_t count = state_layout(p, increase->layout)->bound_count + 1;

    if (minute->layout == POOL_NONE && minute->exponential == POOL_NONE)
        minute->layout = layout_share(p, increase->layout);
    if (minute->layout != increase->layout) {
        minute->layout_mix = true;
        return;
    }
    minutes_widen(minute, count);
    for (uint32_t i = 0; i < count; i++)
        minute->component[i] += share(part, increase->buckets[i]);
    minute->bucketed += share(part, increase->amount);
}

static void add_exponential(struct pipeline *p, struct minute *minute,
                            const struct increase *increase, struct part part)
{
    if (minute->layout != POOL_NONE) {
        minute->layout_mix = true;
        return;
    }
    distribution_add_exponential(p, minute, increase, part.before, part.until);
    minute->bucketed += share(part, increase->amount);
}

/* Somewhere in the span there was such an observation: every minute of it may have had it. */
static void add_extremes(struct minute *minute, const struct increase *increase)
{
    if (!increase->has_extremes) {
        minute->extremes_missing = true;
        return;
    }
    if (!minute->has_extremes || increase->min < minute->min)
        minute->min = increase->min;
    if (!minute->has_extremes || increase->max > minute->max)
        minute->max = increase->max;
    minute->has_extremes = true;
}

static void add_histogram(struct pipeline *p, struct minute *minute,
                          const struct increase *increase, struct part part)
{
    minute->increase += share(part, increase->amount);
    minute->sum += share(part, increase->sum);
    if (!(increase->amount > 0))
        return;
    if (!increase->has_sum)
        minute->sum_missing = true;
    if (increase->layout != POOL_NONE)
        add_buckets(p, minute, increase, part);
    if (increase->exponential)
        add_exponential(p, minute, increase, part);
    add_extremes(minute, increase);
}

/* What the cell's plan asks for beside the increase: whole counts, increases of labels. */
static void add_parts(struct minute *minute, const struct plan *plan, uint8_t labels,
                      double amount, struct part part)
{
    minutes_widen_parts(minute, MINUTE_PART_LABELS + plan->label_count);
    minute->part[MINUTE_PART_WHOLE] += whole_until(amount, part.until_ns, part.of_ns) -
                                       whole_until(amount, part.before_ns, part.of_ns);
    for (uint32_t label = 0; label < plan->label_count; label++)
        if (labels >> label & 1)
            minute->part[MINUTE_PART_LABELS + label] += share(part, amount);
}

static bool wants_parts(const struct plan *plan)
{
    return plan->label_count || plan->statistics & STATISTIC_COUNT;
}

/* False when the minute is final. */
static bool add(struct pipeline *p, uint32_t stream, uint64_t number,
                const struct increase *increase, struct part part)
{
    uint32_t cell = members_cell(p, state_stream(p, stream), number);
    uint32_t at = cell == POOL_NONE ? POOL_NONE : minutes_open(p, cell, number);

    if (at == POOL_NONE)
        return cell == POOL_NONE; /* of no cell: what fell into it belongs nowhere */

    struct minute *minute = state_minute(p, at);
    uint32_t plan = state_cell(p, cell)->plan;

    if (!minute->posted || increase->amount < 0 || increase->amount > 0)
        minutes_touch(p, cell, at);
    minute->fed = true;
    if (plan != POOL_NONE && wants_parts(state_plan(p, plan)))
        add_parts(minute, state_plan(p, plan), state_stream(p, stream)->labels,
                  increase->amount, part);
    switch ((enum cell_kind)state_cell(p, cell)->kind) {
    case CELL_RATE: minute->increase += share(part, increase->amount); break;
    case CELL_HISTOGRAM: add_histogram(p, minute, increase, part); break;
    case CELL_TOTALS:
        minutes_widen(minute, state_cell(p, cell)->group == NATIVE_CPU
                                  ? (uint32_t)NATIVE_CPU_TOTALS
                                  : increase->component + 1);
        minute->component[increase->component] += share(part, increase->amount);
        break;
    case CELL_MEAN:
    case CELL_SUM:
    case CELL_INSTANTS: break;
    }
    return true;
}

/* How much of the span lies in the minute. */
static uint64_t overlap_ns(const struct increase *increase, uint64_t number)
{
    uint64_t from_ns = minute_start_ns(number), to_ns = minute_end_ns(number);

    if (from_ns < increase->from_ns)
        from_ns = increase->from_ns;
    if (to_ns > increase->to_ns)
        to_ns = increase->to_ns;
    return to_ns - from_ns;
}

/* Of no cell counts as open: what falls into it belongs nowhere. */
static bool is_open(struct pipeline *p, uint32_t stream, uint64_t number)
{
    uint32_t cell = members_cell(p, state_stream(p, stream), number);

    return cell == POOL_NONE || minutes_open(p, cell, number) != POOL_NONE;
}

/* No minute so young can be final. */
static bool is_fresh(const struct pipeline *p, uint64_t number)
{
    return minute_end_ns(number) + p->options.lateness_ns >= p->now_ns;
}

struct span {
    uint64_t first, last; /* minutes */
    uint64_t open_ns;     /* of it in minutes that are not final */
    bool all_open;
};

static struct span measure(struct pipeline *p, uint32_t stream,
                           const struct increase *increase)
{
    struct span span = {
        .first = minute_beginning_at(increase->from_ns),
        .last = minute_ending_at(increase->to_ns),
        .open_ns = increase->to_ns - increase->from_ns,
    };

    span.all_open = is_fresh(p, span.first);
    if (span.all_open)
        return span;
    span.open_ns = 0;
    for (uint64_t number = span.first; number <= span.last; number++)
        if (is_open(p, stream, number))
            span.open_ns += overlap_ns(increase, number);
    return span;
}

static uint64_t spread_over(struct pipeline *p, uint32_t stream,
                            const struct increase *increase, const struct span *span)
{
    struct part part = {.of_ns = span->open_ns};
    uint64_t taken_ns = 0, newest = SPREAD_NOWHERE;

    for (uint64_t number = span->first; number <= span->last; number++) {
        if (!span->all_open && !is_open(p, stream, number))
            continue;
        taken_ns += overlap_ns(increase, number);
        part.until = (double)taken_ns / (double)span->open_ns;
        part.until_ns = taken_ns;
        if (!add(p, stream, number, increase, part))
            continue;
        part.before = part.until;
        part.before_ns = part.until_ns;
        newest = number;
    }
    return newest;
}

uint64_t spread_increase(struct pipeline *p, uint32_t stream,
                         const struct increase *increase)
{
    uint64_t last = minute_ending_at(increase->to_ns);
    uint64_t first = minute_beginning_at(increase->from_ns);

    if (first >= last || !minutes_have_room(p, last - first))
        return add(p, stream, last, increase, everything) ? last : SPREAD_NOWHERE;

    struct span span = measure(p, stream, increase);

    return span.open_ns ? spread_over(p, stream, increase, &span) : SPREAD_NOWHERE;
}
