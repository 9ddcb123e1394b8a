#include "pipeline/quantiles.h"

#include "base/memory.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"

#include <math.h>

/* ---- records ------------------------------------------------------------------------------ */

static void add(struct quantiles *to, struct otlp_quantile quantile)
{
    if (to->len == QUANTILES_KEPT || !isfinite(quantile.value))
        return;
    if (to->len == to->room) {
        to->room = to->room ? 2 * to->room : 4;
        to->value = memory_resize(to->value, to->room, sizeof(*to->value));
        memset(to->value + to->len, 0, (to->room - to->len) * sizeof(*to->value));
    }
    to->value[to->len++] = quantile;
}

static void read(struct quantiles *to, const struct stream *stream,
                 const struct arrival *arrival)
{
    struct otlp_quantiles_walk walk = otlp_quantiles_walk(arrival->summary);
    struct otlp_quantile quantile;

    to->identity = stream->identity;
    to->start_ns = arrival->point->start_ns;
    to->time_ns = arrival->point->time_ns;
    to->sum = arrival->summary->sum;
    to->len = 0;
    while (otlp_quantiles_next(&walk, &quantile))
        add(to, quantile);
}

/* The mark of a mixture stays. */
static void copy(struct quantiles *to, const struct quantiles *from)
{
    to->identity = from->identity;
    to->start_ns = from->start_ns;
    to->time_ns = from->time_ns;
    to->len = 0;
    for (uint32_t i = 0; i < from->len; i++)
        add(to, from->value[i]);
}

static uint32_t open_record(struct pipeline *p, uint32_t stream)
{
    uint32_t index = state_stream(p, stream)->detail;

    if (index == POOL_NONE) {
        index = pool_take(&p->quantiles);
        state_stream(p, stream)->detail = index;
    }
    return index;
}

static void remember(struct pipeline *p, uint32_t stream, const struct arrival *arrival)
{
    uint32_t index = open_record(p, stream);

    read(state_quantiles(p, index), state_stream(p, stream), arrival);
}

/* ---- minutes ------------------------------------------------------------------------------ */

enum claim {
    CLAIM_NONE,
    CLAIM_TAKES,
    CLAIM_MIXES
};

/* May `said` be what the minute holds, which holds `held` so far? */
static enum claim claim_of(const struct quantiles *held, const struct quantiles *said)
{
    if (!hash_equal(held->identity, said->identity))
        return CLAIM_MIXES;
    if (held->start_ns == said->start_ns)
        return said->time_ns > held->time_ns ? CLAIM_TAKES : CLAIM_NONE;
    if (said->start_ns >= held->time_ns)
        return CLAIM_TAKES;
    return held->start_ns >= said->time_ns ? CLAIM_NONE : CLAIM_MIXES;
}

static void put(struct pipeline *p, uint32_t stream, uint64_t number,
                const struct quantiles *said)
{
    uint32_t cell = members_cell(p, state_stream(p, stream), number);
    uint32_t at = cell == POOL_NONE ? POOL_NONE : minutes_open(p, cell, number);
    enum claim claim = CLAIM_TAKES;

    if (at == POOL_NONE)
        return;
    if (state_minute(p, at)->quantiles == POOL_NONE)
        state_minute(p, at)->quantiles = pool_take(&p->quantiles);
    else
        claim = claim_of(state_quantiles(p, state_minute(p, at)->quantiles), said);
    if (claim == CLAIM_NONE)
        return;
    if (claim == CLAIM_MIXES)
        state_quantiles(p, state_minute(p, at)->quantiles)->is_mixed = true;
    else
        copy(state_quantiles(p, state_minute(p, at)->quantiles), said);
    minutes_touch(p, cell, at);
}

/* Minutes between the last point and this one hold what was said last. */
static void carry(struct pipeline *p, uint32_t index, uint64_t time_ns)
{
    struct quantiles last = *state_quantiles(p, state_stream(p, index)->detail);
    uint64_t number = minute_beginning_at(last.time_ns) + 1;

    if (last.time_ns == 0 || time_ns - last.time_ns > QUANTILES_CARRIED_NS)
        return;
    for (; number < minute_beginning_at(time_ns); number++)
        put(p, index, number, &last);
}

void quantiles_end(struct pipeline *p, uint32_t stream)
{
    if (state_stream(p, stream)->detail != POOL_NONE)
        state_quantiles(p, state_stream(p, stream)->detail)->time_ns = 0;
}

void quantiles_observe(struct pipeline *p, uint32_t stream, const struct arrival *arrival)
{
    struct otlp_quantile values[QUANTILES_KEPT];
    struct quantiles said = {.value = values, .room = QUANTILES_KEPT};
    uint64_t time_ns = arrival->point->time_ns;
    bool is_newest = arrival->is_first || time_ns > state_stream(p, stream)->last_ns;

    read(&said, state_stream(p, stream), arrival);
    if (is_newest && state_stream(p, stream)->detail != POOL_NONE)
        carry(p, stream, time_ns);
    put(p, stream, minute_beginning_at(time_ns), &said);
    if (is_newest)
        remember(p, stream, arrival);
}
