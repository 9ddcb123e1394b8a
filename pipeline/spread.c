#include "pipeline/spread.h"

#include "pipeline/cell.h"
#include "pipeline/layout.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"

/* Which part of an increase one minute gets: total(end) - total(start), as shares of the whole. */
struct part {
    double before, until;
};

static double share(struct part part, double whole)
{
    return whole * part.until - whole * part.before;
}

static void add_buckets(struct pipeline *p, struct minute *minute,
                        const struct increase *increase, struct part part)
{
    uint32_t count = state_layout(p, increase->layout)->bound_count + 1;

    if (minute->layout == POOL_NONE)
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

static void add_histogram(struct pipeline *p, struct minute *minute,
                          const struct increase *increase, struct part part)
{
    bool has_observations = increase->amount > 0;

    minute->increase += share(part, increase->amount);
    minute->sum += share(part, increase->sum);
    if (has_observations && !increase->has_sum)
        minute->sum_missing = true;
    if (has_observations && increase->layout != POOL_NONE)
        add_buckets(p, minute, increase, part);
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

    if (!minute->posted || increase->amount < 0 || increase->amount > 0)
        minutes_touch(p, cell, at);
    minute->fed = true;
    switch ((enum cell_kind)state_cell(p, cell)->kind) {
    case CELL_RATE: minute->increase += share(part, increase->amount); break;
    case CELL_HISTOGRAM: add_histogram(p, minute, increase, part); break;
    case CELL_TOTALS:
        minutes_widen(minute, NATIVE_COMPONENTS);
        minute->component[increase->component] += share(part, increase->amount);
        break;
    case CELL_MEAN:
    case CELL_SUM:
    case CELL_INSTANTS: break;
    }
    return true;
}

static double fraction(const struct increase *increase, uint64_t time_ns)
{
    return (double)(time_ns - increase->from_ns) /
           (double)(increase->to_ns - increase->from_ns);
}

void spread_increase(struct pipeline *p, uint32_t stream, const struct increase *increase)
{
    uint64_t last = minute_ending_at(increase->to_ns);
    uint64_t first = minute_beginning_at(increase->from_ns);
    struct part part = {0, 0};

    if (first >= last || !minutes_have_room(p, last - first)) {
        add(p, stream, last, increase, (struct part){0, 1});
        return;
    }
    /* What falls into a final minute goes into the next one that is open: the total is conserved. */
    for (uint64_t number = first; number < last; number++) {
        part.until = fraction(increase, minute_end_ns(number));
        if (add(p, stream, number, increase, part))
            part.before = part.until;
    }
    part.until = 1;
    add(p, stream, last, increase, part);
}
