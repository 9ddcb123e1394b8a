#include "pipeline/cell.h"
#include "pipeline/quantiles.h"
#include "pipeline/verify.h"

/* In every check, `at` is a record in use. Indices are in their bounds already. */

static bool wrong(const struct verify *verify, const char *what)
{
    return FAIL(verify->err, ERROR_INVALID, "%s", what);
}

static struct verify_pool *known(struct verify *verify, size_t pool_at)
{
    return verify_find(verify, (uint32_t)pool_at);
}

static bool is_in_use(const struct verify_pool *pool, uint32_t index)
{
    return index < pool->used && !pool->is_free[index];
}

/* ---- streams ------------------------------------------------------------------------------ */

static size_t details_of(const struct stream *stream)
{
    if (stream->shape == SHAPE_VALUE)
        return offsetof(struct pipeline, histories);
    switch ((enum distribution_kind)stream->distribution) {
    case DISTRIBUTION_EXPLICIT: break;
    case DISTRIBUTION_EXPONENTIAL: return offsetof(struct pipeline, exponentials);
    case DISTRIBUTION_SUMMARY: return offsetof(struct pipeline, quantiles);
    }
    return offsetof(struct pipeline, buckets);
}

/* A stream owns its detail: its newest history of values, or what a distribution remembers. */
static bool detail_holds(struct verify *verify, const struct stream *stream)
{
    struct verify_pool *details = known(verify, details_of(stream));
    bool needs_buckets = stream->is_histogram && stream->shape == SHAPE_CUMULATIVE;

    if (stream->detail == POOL_NONE)
        return !needs_buckets || stream->refusal;
    if (!is_in_use(details, stream->detail) || details->is_owned[stream->detail])
        return false;
    details->is_owned[stream->detail] = true;
    return true;
}

/* Neighbours in the list of a cell name each other; the first is named by the cell. */
static bool neighbours_hold(const struct pipeline *p, const struct stream *stream,
                            uint32_t at)
{
    uint32_t next = stream->next_in_cell, previous = stream->previous_in_cell;

    if (next != POOL_NONE && (state_stream(p, next)->previous_in_cell != at ||
                              state_stream(p, next)->cell != stream->cell))
        return false;
    if (previous != POOL_NONE)
        return state_stream(p, previous)->next_in_cell == at;
    return state_cell(p, stream->cell)->first_stream == at;
}

/* Of the host's native groups one source feeds each. */
static bool needs_owner(const struct cell *cell)
{
    return cell_is_native(cell) && !cell_is_container(cell);
}

/* Families of containers feed containers' cells, others never. */
static bool is_in_its_kind_of_cell(const struct pipeline *p, const struct stream *stream)
{
    return state_family(p, stream->family)->is_container ==
           cell_is_container(state_cell(p, stream->cell));
}

static bool stream_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct stream *stream = state_stream(p, at);

    if (!detail_holds(verify, stream))
        return false;
    if (stream->move != POOL_NONE && state_move(p, stream->move)->stream != at)
        return false;
    if (stream->owner == POOL_NONE &&
        stream->is_histogram != (state_family(p, stream->family)->kind == CELL_HISTOGRAM))
        return false;
    if (stream->cell == POOL_NONE)
        return stream->refusal || stream->move != POOL_NONE ||
               state_family(p, stream->family)->refusal;
    return neighbours_hold(p, stream, at) && is_in_its_kind_of_cell(p, stream) &&
           (stream->owner != POOL_NONE) == needs_owner(state_cell(p, stream->cell));
}

/* Streams of one identity form a list that begins at the one that no other leads to. */
static bool starts_hold(struct verify *verify)
{
    const struct pipeline *p = verify->pipeline;
    const struct verify_pool *streams = known(verify, offsetof(struct pipeline, streams));
    uint32_t seen = 0;

    for (uint32_t i = 0; i < streams->used; i++) {
        uint32_t at = i;

        if (streams->is_free[i] || streams->is_owned[i])
            continue;
        for (; at != POOL_NONE; at = state_stream(p, at)->next_start, seen++)
            if (!hash_equal(state_stream(p, at)->identity, state_stream(p, i)->identity))
                return false;
    }
    return seen == p->streams.count;
}

/* ---- the others --------------------------------------------------------------------------- */

static bool family_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct family *family = state_family(p, at);

    if (!family->refusal && (family->destination == POOL_NONE || family->name_len == 0))
        return false;
    if (family->plan == POOL_NONE || family->kind == CELL_TOTALS ||
        family->kind == CELL_INSTANTS)
        return false;
    if (family->is_container && family->kind == CELL_HISTOGRAM)
        return false;
    if (family->hint_stream == POOL_NONE)
        return true;

    const struct stream *hint = state_stream(p, family->hint_stream);

    return hint->owner != POOL_NONE && hint->shape == SHAPE_VALUE;
}

/* Only native cells may go without a name: where the group has no devices. */
static bool cell_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct cell *cell = state_cell(p, at);
    uint32_t first = cell->first_stream, move = cell->first_move;

    if (cell->name_len == 0 && !cell_is_native(cell))
        return false;
    if ((cell->plan == POOL_NONE) != cell_is_native(cell))
        return false;
    if (move != POOL_NONE && (state_move(p, move)->cell != at ||
                              state_move(p, move)->previous_in_cell != POOL_NONE))
        return false;
    return first == POOL_NONE || (state_stream(p, first)->cell == at &&
                                  state_stream(p, first)->previous_in_cell == POOL_NONE);
}

static bool plan_holds(struct verify *verify, uint32_t at)
{
    const struct plan *plan = state_plan(verify->pipeline, at);
    uint32_t ends = 0;

    for (uint32_t i = 0; i < plan->labels_len; i++)
        ends += plan->labels[i] == '\0';
    return ends == plan->label_count &&
           (ends == 0 || plan->labels[plan->labels_len - 1] == '\0');
}

static bool has_room(const struct pipeline *p, uint32_t layout, uint32_t room)
{
    return layout == POOL_NONE || state_layout(p, layout)->bound_count < room;
}

static bool buckets_hold(struct verify *verify, uint32_t at)
{
    const struct buckets *buckets = state_buckets(verify->pipeline, at);

    return has_room(verify->pipeline, buckets->layout, buckets->room);
}

static bool side_holds(const struct exponential_side *side)
{
    const int64_t most = INT64_C(1) << 40;

    return side->len <= side->room && side->len <= EXPONENTIAL_BUCKETS &&
           side->low >= -most && side->low <= most;
}

static bool exponential_holds(struct verify *verify, uint32_t at)
{
    const struct exponential *buckets = state_exponential(verify->pipeline, at);

    return buckets->scale >= EXPONENTIAL_MIN_SCALE && side_holds(&buckets->positive) &&
           side_holds(&buckets->negative);
}

static bool quantiles_hold(struct verify *verify, uint32_t at)
{
    const struct quantiles *quantiles = state_quantiles(verify->pipeline, at);

    return quantiles->len <= quantiles->room && quantiles->len <= QUANTILES_KEPT;
}

static bool minute_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct minute *minute = state_minute(p, at);

    return has_room(p, minute->layout, minute->room) &&
           (minute->older == POOL_NONE ||
            state_minute(p, minute->older)->number < minute->number);
}

static bool history_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct history *history = state_history(p, at);

    return history->older == POOL_NONE ||
           state_history(p, history->older)->number < history->number;
}

static bool run_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct run *run = state_run(p, at);

    return run->first <= run->last &&
           (run->older == POOL_NONE || state_run(p, run->older)->last < run->first);
}

/* Moves of a cell as its streams: neighbours name each other, the first is named by the cell. */
static bool move_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct move *move = state_move(p, at);
    uint32_t next = move->next_in_cell, previous = move->previous_in_cell;

    if (move->older != POOL_NONE && state_move(p, move->older)->stream != move->stream)
        return false;
    if (move->cell == POOL_NONE)
        return next == POOL_NONE && previous == POOL_NONE;
    if ((state_stream(p, move->stream)->owner != POOL_NONE) !=
        cell_is_native(state_cell(p, move->cell)))
        return false;
    if (next != POOL_NONE && (state_move(p, next)->previous_in_cell != at ||
                              state_move(p, next)->cell != move->cell))
        return false;
    if (previous != POOL_NONE)
        return state_move(p, previous)->next_in_cell == at;
    return state_cell(p, move->cell)->first_move == at;
}

/* Neighbours in the list of repeats name each other, its ends are those that the pipeline names. */
static bool repeat_holds(struct verify *verify, uint32_t at)
{
    const struct pipeline *p = verify->pipeline;
    const struct repeat *repeat = state_repeat(p, at);

    return (repeat->older == POOL_NONE ? p->oldest_repeat == at
                                       : state_repeat(p, repeat->older)->newer == at) &&
           (repeat->newer == POOL_NONE ? p->newest_repeat == at
                                       : state_repeat(p, repeat->newer)->older == at);
}

static bool ends_hold(const struct pipeline *p)
{
    if (p->oldest_repeat == POOL_NONE || p->newest_repeat == POOL_NONE)
        return p->oldest_repeat == p->newest_repeat && p->repeats.count == 0;
    return state_repeat(p, p->oldest_repeat)->older == POOL_NONE &&
           state_repeat(p, p->newest_repeat)->newer == POOL_NONE;
}

bool verify_links(struct verify *verify)
{
    static const struct {
        size_t pool_at;
        bool (*holds)(struct verify *verify, uint32_t at);
        const char *otherwise;
    } checks[] = {
        {offsetof(struct pipeline, families), family_holds, "a family leads nowhere"},
        {offsetof(struct pipeline, streams), stream_holds, "a stream hangs loose"},
        {offsetof(struct pipeline, plans), plan_holds, "a plan lacks labels"},
        {offsetof(struct pipeline, cells), cell_holds,
         "a cell has no name or a foreign stream"},
        {offsetof(struct pipeline, buckets), buckets_hold, "buckets without bounds"},
        {offsetof(struct pipeline, exponentials), exponential_holds,
         "exponential buckets are out of bounds"},
        {offsetof(struct pipeline, quantiles), quantiles_hold,
         "more quantiles than room"},
        {offsetof(struct pipeline, minutes), minute_holds, "a minute is out of place"},
        {offsetof(struct pipeline, histories), history_holds, "values are out of place"},
        {offsetof(struct pipeline, runs), run_holds, "runs of minutes overlap"},
        {offsetof(struct pipeline, moves), move_holds, "moves are no list"},
        {offsetof(struct pipeline, repeats), repeat_holds, "repeats are no list"},
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        const struct verify_pool *pool = known(verify, checks[i].pool_at);

        for (uint32_t at = 0; at < pool->used; at++)
            if (!pool->is_free[at] && !checks[i].holds(verify, at))
                return wrong(verify, checks[i].otherwise);
    }
    if (!ends_hold(verify->pipeline))
        return wrong(verify, "repeats are no list");
    return starts_hold(verify) || wrong(verify, "streams of one identity are no list");
}
