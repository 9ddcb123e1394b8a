#include "pipeline/stream.h"

#include "pipeline/books.h"
#include "pipeline/cell.h"
#include "pipeline/container.h"
#include "pipeline/distribution.h"
#include "pipeline/family.h"
#include "pipeline/first.h"
#include "pipeline/history.h"
#include "pipeline/members.h"
#include "pipeline/minutes.h"
#include "pipeline/native_feed.h"
#include "pipeline/place.h"
#include "pipeline/reach.h"
#include "pipeline/route.h"

#include <stdlib.h>

static uint64_t start_of(const struct family *family, const struct otlp_point *point)
{
    bool has_start = family->shape == SHAPE_CUMULATIVE || family->kind == CELL_SUM;

    return has_start ? point->start_ns : 0;
}

uint32_t stream_find(const struct pipeline *p, const struct family *family,
                     const struct otlp_point *point)
{
    uint32_t at = table_find(&p->stream_table, point->stream);
    uint64_t start_ns = start_of(family, point);

    while (at != TABLE_NONE && state_stream(p, at)->start_ns != start_ns)
        at = state_stream(p, at)->next_start;
    return at;
}

bool stream_is_window(const struct pipeline *p, const struct otlp_point *point)
{
    uint32_t at = table_find(&p->stream_table, point->stream);

    for (; at != TABLE_NONE; at = state_stream(p, at)->next_start)
        if (point->start_ns && state_stream(p, at)->last_ns == point->start_ns &&
            state_stream(p, at)->start_ns != point->start_ns)
            return true;
    return false;
}

static bool has_room_for_start(const struct pipeline *p, const struct otlp_point *point)
{
    uint32_t at = table_find(&p->stream_table, point->stream);
    int alive = 0;

    for (; at != TABLE_NONE; at = state_stream(p, at)->next_start) {
        const struct stream *stream = state_stream(p, at);

        if (stream->first_ns <= point->time_ns &&
            reach_is_alive(stream, stream->last_ns, point->time_ns))
            alive++;
    }
    return alive < STREAM_MAX_STARTS;
}

static void link_identity(struct pipeline *p, uint32_t index)
{
    struct stream *stream = state_stream(p, index);

    stream->next_start = table_find(&p->stream_table, stream->identity);
    if (stream->next_start != TABLE_NONE)
        table_remove(&p->stream_table, stream->identity);
    table_insert(&p->stream_table, stream->identity, index);
}

static void unlink_identity(struct pipeline *p, const struct stream *stream,
                            uint32_t index)
{
    uint32_t at = table_find(&p->stream_table, stream->identity);

    if (at == index) {
        table_remove(&p->stream_table, stream->identity);
        if (stream->next_start != TABLE_NONE)
            table_insert(&p->stream_table, stream->identity, stream->next_start);
        return;
    }
    while (state_stream(p, at)->next_start != index)
        at = state_stream(p, at)->next_start;
    state_stream(p, at)->next_start = stream->next_start;
}

static void leave_out(struct stream *stream, enum reason why)
{
    stream->refusal = (uint8_t)(why + 1);
    stream->cell = POOL_NONE;
}

/* The family may have been routed anew after the minute of the stream's first point. */
static void join_family_cell(struct pipeline *p, uint32_t index,
                             const struct stream_seed *seed)
{
    const struct family *family = state_family(p, seed->family);
    struct placing placing = place_stream(p, seed);

    state_stream(p, index)->labels = placing.labels;
    if (placing.cell == POOL_NONE) {
        leave_out(state_stream(p, index), placing.why);
        return;
    }
    cell_add_stream(p, placing.cell, index);
    if (minute_ending_at(seed->point->time_ns) < family->changed_minute)
        members_add_past(p, index, place_former_cell(p, family), family->changed_minute);
}

void stream_begin_anew(struct pipeline *p, uint32_t index)
{
    uint32_t family = state_stream(p, index)->family;

    state_family(p, family)->streams++;
    stream_drop(p, index);
    state_family(p, family)->streams--;
}

static enum native_verdict classify_container(struct pipeline *p,
                                              const struct family *family,
                                              const struct stream_seed *seed,
                                              struct native_input *input,
                                              enum reason *why)
{
    const struct container_stream stream = {
        .metric = seed->metric,
        .point = seed->point,
        .base = {family->name, family->name_len},
        .reads_labels = family->reads_labels,
        .instance = family->instance,
    };

    buffer_reset(&p->text);
    return container_classify(&stream, input, &p->text, why);
}

static void join_cell(struct pipeline *p, uint32_t index, const struct stream_seed *seed)
{
    struct family *family = state_family(p, seed->family);
    struct native_input input = {0};
    enum reason why = REASON_NATIVE_ALTERNATIVE;
    enum native_verdict verdict = NATIVE_NOT;

    if (family->is_native) {
        buffer_reset(&p->text);
        verdict = native_classify(
            &(struct native_question){seed->metric, seed->point, &p->policy,
                                      native_feed_platform(p, state_stream(p, index))},
            &p->text, &input, &why);
    } else if (family->is_container) {
        verdict = classify_container(p, family, seed, &input, &why);
    }
    switch (verdict) {
    case NATIVE_NOT: join_family_cell(p, index, seed); break;
    case NATIVE_TAKEN: native_feed_join(p, index, family->destination, &input); break;
    case NATIVE_SKIP: leave_out(state_stream(p, index), why); break;
    }
}

static enum distribution_kind distribution_of(uint8_t kind)
{
    switch ((enum otlp_kind)kind) {
    case OTLP_EXPONENTIAL_HISTOGRAM: return DISTRIBUTION_EXPONENTIAL;
    case OTLP_SUMMARY: return DISTRIBUTION_SUMMARY;
    case OTLP_NO_DATA:
    case OTLP_GAUGE:
    case OTLP_SUM:
    case OTLP_HISTOGRAM: break;
    }
    return DISTRIBUTION_EXPLICIT;
}

static void fill(struct stream *stream, const struct stream_seed *seed,
                 const struct family *family)
{
    const struct otlp_point *point = seed->point;

    stream->identity = point->stream;
    stream->start_ns = start_of(family, point);
    stream->first_ns = stream->last_ns = point->time_ns;
    stream->family = seed->family;
    stream->generation = (uint16_t)family->generation;
    stream->shape = family->shape;
    stream->is_histogram = seed->metric->kind >= OTLP_HISTOGRAM;
    stream->distribution = (uint8_t)distribution_of(seed->metric->kind);
    stream->start = stream->detail = stream->owner = POOL_NONE;
    stream->next_in_cell = stream->previous_in_cell = stream->move = POOL_NONE;
    stream->covered_ns = stream->fed_ns = UINT64_MAX;
}

bool stream_open(struct pipeline *p, const struct stream_seed *seed, uint32_t *index,
                 enum reason *why)
{
    uint8_t refusal = state_family(p, seed->family)->refusal;

    if (refusal) {
        *why = (enum reason)(refusal - 1);
        return false;
    }
    if (p->streams.count >= p->options.max_streams) {
        *why = REASON_TOO_MANY_STREAMS;
        return false;
    }
    if (!has_room_for_start(p, seed->point)) {
        *why = REASON_START_CHURN;
        return false;
    }
    *index = pool_take(&p->streams);
    fill(state_stream(p, *index), seed, state_family(p, seed->family));
    join_cell(p, *index, seed);
    link_identity(p, *index);
    state_family(p, seed->family)->streams++;
    return true;
}

uint32_t stream_open_swap_hint(struct pipeline *p, uint32_t family_index)
{
    struct hash128 salt = {UINT64_C(0x73776170), 0};
    struct family *family = state_family(p, family_index);
    struct native_input input = {.group = NATIVE_SWAP, .component = NATIVE_SWAP_HINT};
    struct stream *stream;
    uint32_t index;

    if (family->hint_stream != POOL_NONE)
        stream_begin_anew(p, family->hint_stream);
    index = pool_take(&p->streams);
    stream = state_stream(p, index);

    stream->identity = hash_mix(family->hash, salt);
    stream->family = family_index;
    stream->shape = SHAPE_VALUE;
    stream->start = stream->detail = stream->move = POOL_NONE;
    stream->covered_ns = stream->fed_ns = UINT64_MAX;
    native_feed_join(p, index, family->destination, &input);
    link_identity(p, index);
    family->streams++;
    family->hint_stream = index;
    return index;
}

static void drop_detail(struct pipeline *p, uint32_t index)
{
    const struct stream *stream = state_stream(p, index);

    if (stream->detail == POOL_NONE)
        return;
    if (stream->shape == SHAPE_VALUE)
        history_drop(p, index);
    else
        distribution_forget(p, stream);
}

void stream_drop(struct pipeline *p, uint32_t index)
{
    struct stream *stream = state_stream(p, index);
    struct family *family = state_family(p, stream->family);
    uint32_t family_index = stream->family, cell = stream->cell;

    unlink_identity(p, stream, index);
    first_forget(p, stream);
    drop_detail(p, index);
    family->saw_eviction = true;
    family->streams--;
    if (family->hint_stream == index)
        family->hint_stream = POOL_NONE;
    members_forget(p, index);
    if (cell != POOL_NONE)
        cell_remove_stream(p, cell, index);
    stream->identity = (struct hash128){0};
    stream->family = POOL_NONE;
    pool_give(&p->streams, index);
    family_drop_if_unused(p, family_index);
    p->counts.evicted++;
}

/* Does the stream say something in a minute of the cell that is still open, or that closed in the
 * backfill and may be posted again? Without it that minute would come out wrong. */
static bool cell_needs(const struct pipeline *p, const struct stream *stream,
                       uint32_t cell)
{
    uint64_t first = minute_beginning_at(stream->first_ns);
    uint64_t last = minute_beginning_at(stream->last_ns);
    uint32_t at = cell == POOL_NONE ? POOL_NONE : state_cell(p, cell)->newest_minute;

    for (; at != POOL_NONE; at = state_minute(p, at)->older) {
        const struct minute *minute = state_minute(p, at);
        bool is_its_own = minute->number >= first &&
                          minute->number < last + HISTORY_MINUTES;

        if (is_its_own && (minute->posted_ns == 0 || minute->late || minute->changed))
            return true;
    }
    return false;
}

static bool is_needed(const struct pipeline *p, const struct stream *stream)
{
    if (cell_needs(p, stream, stream->cell))
        return true;
    for (uint32_t at = stream->move; at != POOL_NONE; at = state_move(p, at)->older)
        if (cell_needs(p, stream, state_move(p, at)->cell))
            return true;
    return false;
}

/*
 * By point times: those of its own source while that is heard, else the newest of all. (A collector
 * that replays an old queue is hours behind the others and yet not idle.)
 */
static bool is_idle(const struct pipeline *p, const struct stream *stream)
{
    const struct source *source = state_source(p,
                                               state_family(p, stream->family)->source);
    bool is_heard = p->now_ns <= source->heard_ns + NS_PER_HOUR;

    return cadence_is_lost(&stream->cadence, stream->last_ns,
                           is_heard ? source->last_ns : p->newest_ns);
}

/* Its family has been refused for a day: there is no minute left that it could have a part in. */
static bool leads_nowhere(const struct stream *stream)
{
    return stream->cell == POOL_NONE && stream->move == POOL_NONE && !stream->refusal;
}

/* There was no room for its name, and there may be by now: its next point is looked at anew. */
static bool may_try_again(const struct pipeline *p, const struct stream *stream)
{
    bool has_no_name = stream->refusal == REASON_OVER_BUDGET + 1 ||
                       stream->refusal == REASON_NAME_COLLISION + 1;

    return has_no_name && stream->first_ns < p->names_freed_ns;
}

/* A few streams at each call: all of them within minutes, none of them noticeable. */
void stream_sweep(struct pipeline *p)
{
    enum {
        STREAMS_PER_SWEEP = 4096
    };

    uint64_t now = minute_beginning_at(p->now_ns);
    uint64_t oldest = now > MINUTES_KEPT ? now - MINUTES_KEPT - 1 : 0;

    for (int i = 0; i < STREAMS_PER_SWEEP && p->streams.used; i++) {
        if (p->sweep >= p->streams.used) {
            p->sweep = 0;
            return;
        }

        uint32_t index = p->sweep++;
        const struct stream *stream = state_stream(p, index);

        if (stream->family == POOL_NONE)
            continue;
        if (stream->move != POOL_NONE)
            members_trim(p, index, oldest);
        if (leads_nowhere(stream) || may_try_again(p, stream) ||
            (is_idle(p, stream) && !is_needed(p, stream)))
            stream_drop(p, index);
    }
}

void stream_book(struct pipeline *p, uint32_t index, uint64_t minute, struct slice metric)
{
    const struct stream *stream = state_stream(p, index);
    uint32_t cell = members_cell(p, stream, minute);

    if (cell != POOL_NONE)
        minutes_book(p, cell, minute, metric);
    else
        books_count(p, route_refusal(p, state_family(p, stream->family)), 1, metric);
}

void stream_advance(struct stream *stream, uint64_t time_ns)
{
    if (time_ns <= stream->last_ns)
        return;
    cadence_add(&stream->cadence, time_ns - stream->last_ns);
    stream->last_ns = time_ns;
}
