#include "pipeline/first.h"

static struct hash128 start_hash(const struct pipeline *p, const struct stream *stream)
{
    struct hash128 start = {stream->start_ns, UINT64_C(0x7374617274)};

    return hash_mix(state_family(p, stream->family)->hash, start);
}

/* Last export of the start before `time_ns`, if there were two without this stream; else 0. */
static uint64_t zero_at(const struct pipeline *p, const struct stream *stream,
                        uint64_t time_ns)
{
    if (stream->start_ns == 0 || state_family(p, stream->family)->saw_eviction)
        return 0;

    uint32_t index = table_find(&p->start_table, start_hash(p, stream));

    if (index == TABLE_NONE)
        return 0;

    const struct start *start = state_start(p, index);

    if (start->last_ns < time_ns)
        return start->times >= 2 ? start->last_ns : 0;
    return start->last_ns == time_ns && start->times >= 3 ? start->previous_ns : 0;
}

/*
 * A point that comes late enough may be of a stream that was forgotten meanwhile (an hour of silence),
 * and had been counted before: it began no more than 10 min before the point, so its last point is no
 * older than that. 45 min leave time to spare, also for a newest point a minute ahead of the clock.
 */
static bool may_be_forgotten(const struct pipeline *p, const struct otlp_point *point)
{
    return point->time_ns + 45 * NS_PER_MIN < p->now_ns;
}

static bool began_under_watch(const struct pipeline *p, const struct otlp_point *point)
{
    return point->start_ns != 0 && point->start_ns > p->options.watch_start_ns &&
           point->time_ns - point->start_ns <= 10 * NS_PER_MIN &&
           !may_be_forgotten(p, point);
}

struct first_verdict first_judge(const struct pipeline *p, const struct stream *stream,
                                 const struct otlp_point *point, double value)
{
    struct first_verdict verdict = {.reason = REASON_BASELINE};

    if (!state_family(p, stream->family)->may_be_young)
        return verdict;

    uint64_t zero_ns = zero_at(p, stream, point->time_ns);

    if (zero_ns) {
        verdict.counts = verdict.beginning_is_known = true;
        verdict.from_ns = zero_ns;
    } else if (began_under_watch(p, point)) {
        bool is_instant = point->time_ns - point->start_ns < NS_PER_S;

        verdict.beginning_is_known = true;
        verdict.counts = !is_instant || value <= (double)FIRST_MAX_YOUNG_VALUE;
        verdict.from_ns = point->start_ns;
        verdict.reason = REASON_SINCE_BOOT;
    }
    return verdict;
}

static uint32_t open_start(struct pipeline *p, uint32_t stream_index)
{
    struct stream *stream = state_stream(p, stream_index);
    struct hash128 hash = start_hash(p, stream);
    uint32_t index = table_find(&p->start_table, hash);

    if (index == TABLE_NONE) {
        index = pool_take(&p->starts);
        state_start(p, index)->hash = hash;
        table_insert(&p->start_table, hash, index);
    }
    state_start(p, index)->streams++;
    stream->start = index;
    return index;
}

void first_note(struct pipeline *p, uint32_t stream_index, uint64_t time_ns)
{
    const struct stream *stream = state_stream(p, stream_index);

    if (stream->start_ns == 0 || !state_family(p, stream->family)->may_be_young)
        return;

    uint32_t index = stream->start == POOL_NONE ? open_start(p, stream_index)
                                                : stream->start;
    struct start *start = state_start(p, index);

    if (time_ns <= start->last_ns)
        return;
    start->previous_ns = start->last_ns;
    start->last_ns = time_ns;
    start->times++;
}

void first_forget(struct pipeline *p, const struct stream *stream)
{
    if (stream->start == POOL_NONE)
        return;

    struct start *start = state_start(p, stream->start);

    if (--start->streams)
        return;
    table_remove(&p->start_table, start->hash);
    pool_give(&p->starts, stream->start);
}
