#include "pipeline/pipeline.h"

#include "base/memory.h"
#include "pipeline/books.h"
#include "pipeline/cell.h"
#include "pipeline/close.h"
#include "pipeline/emission.h"
#include "pipeline/family.h"
#include "pipeline/follow.h"
#include "pipeline/layout.h"
#include "pipeline/minutes.h"
#include "pipeline/names.h"
#include "pipeline/native_feed.h"
#include "pipeline/node.h"
#include "pipeline/repeats.h"
#include "pipeline/reroute.h"
#include "pipeline/route.h"
#include "pipeline/rule.h"
#include "pipeline/schema.h"
#include "pipeline/skip.h"
#include "pipeline/state.h"
#include "pipeline/stream.h"
#include "pipeline/supersede.h"
#include "pipeline/total.h"
#include "pipeline/value.h"

#include <stdlib.h>

enum {
    DEFAULT_MAX_STREAMS = 1000000,
    DEFAULT_MAX_LATE_MINUTES = 1000000
};

static char *own(const char *text)
{
    return memory_copy(slice_of(text ? text : ""));
}

static void set_options(struct pipeline *p, const struct pipeline_options *options)
{
    free(p->default_service);
    free(p->native_metrics);
    free(p->rules);
    free(p->native_policy);
    p->options = *options;
    if (p->options.max_streams == 0)
        p->options.max_streams = DEFAULT_MAX_STREAMS;
    if (p->options.max_late_minutes == 0)
        p->options.max_late_minutes = DEFAULT_MAX_LATE_MINUTES;
    p->options.default_service = p->default_service = own(options->default_service);
    p->options.native_metrics = p->native_metrics = own(options->native_metrics);
    p->options.native_policy = p->native_policy = own(options->native_policy);
    native_policy_read(&p->policy, p->native_policy);
    p->options.rules = p->rules = own(options->rules);
}

struct pipeline *pipeline_new(const struct pipeline_options *options)
{
    struct pipeline *p = memory_new(1, sizeof(*p));

    set_options(p, options);
    p->oldest_repeat = p->newest_repeat = POOL_NONE;
    schema_init_pools(p);
    return p;
}

static bool is_same(const char *text, const char *option)
{
    return strcmp(text, option ? option : "") == 0;
}

/* Families and streams follow when they are seen again, from the next minute on. */
static void follow_new_rules(struct pipeline *p)
{
    rules_free(p->compiled);
    p->compiled = NULL;
    p->generation++;
    p->changed_minute = minute_beginning_at(p->now_ns) + 1;
}

void pipeline_configure(struct pipeline *p, const struct pipeline_options *options,
                        uint64_t receive_ns)
{
    uint64_t watch_start_ns = p->options.watch_start_ns;
    bool has_same_policy = is_same(p->native_policy, options->native_policy);
    uint8_t container_mode = p->options.container_mode;
    bool is_same_service = is_same(p->default_service, options->default_service);
    bool has_same_rules = is_same(p->rules, options->rules);

    p->now_ns = receive_ns;
    set_options(p, options);
    if (p->options.watch_start_ns == 0)
        p->options.watch_start_ns = watch_start_ns ? watch_start_ns : receive_ns;
    names_rebuild(p); /* of budgets that may be others */
    if (!is_same_service)
        reroute_all(p, minute_beginning_at(receive_ns) + 1);
    if (!has_same_rules || container_mode != p->options.container_mode)
        follow_new_rules(p);
    if (!has_same_policy)
        reroute_native(p);
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    schema_release(p);
    names_release(p);
    rules_free(p->compiled);
    due_release(&p->due);
    native_policy_release(&p->policy);
    buffer_release(&p->text);
    emission_release(p);
    free(p->readings);
    free(p->increases);
    exponential_release(&p->now);
    exponential_release(&p->rise);
    exponential_release(&p->other);
    free(p->open);
    free(p);
}

/* ---- applying ---------------------------------------------------------------------------- */

/* Refuses by time alone: what Mackerel would not keep, and what nobody can have measured yet. */
static bool is_timely(struct pipeline *p, const struct otlp_point *point,
                      struct slice metric)
{
    if (point->time_ns > p->now_ns + NS_PER_MIN) {
        books_count(p, REASON_FUTURE, 1, metric);
        return false;
    }
    if (point->time_ns + 24 * NS_PER_HOUR < p->now_ns) {
        books_count(p, REASON_TOO_OLD, 1, metric);
        return false;
    }
    return true;
}

static void observe(struct pipeline *p, uint32_t index, const struct arrival *arrival)
{
    struct stream *stream = state_stream(p, index);
    uint64_t time_ns = arrival->point->time_ns;
    enum reason why;

    if (stream->refusal) {
        books_count(p, (enum reason)(stream->refusal - 1), 1, arrival->metric);
        stream_advance(stream, time_ns);
        return;
    }
    if (stream->owner != POOL_NONE && !native_feed_admits(p, index, time_ns, &why)) {
        books_count(p, why, 1, arrival->metric);
        if (!stream->ended_ns)
            stream->ended_ns = time_ns;
        stream_advance(stream, time_ns);
        return;
    }
    if (stream->shape == SHAPE_VALUE)
        value_observe(p, index, arrival);
    else
        total_observe(p, index, arrival);
}

static void give_detail(struct arrival *arrival, const struct otlp_batch *batch,
                        uint8_t kind)
{
    uint32_t detail = arrival->point->detail;

    if (kind == OTLP_HISTOGRAM)
        arrival->histogram = &batch->histograms[detail];
    else if (kind == OTLP_EXPONENTIAL_HISTOGRAM)
        arrival->exponential = &batch->exponentials[detail];
    else
        arrival->summary = &batch->summaries[detail];
}

static bool is_outdated(const struct pipeline *p, uint32_t index)
{
    return state_stream(p, index)->generation != (uint16_t)p->generation;
}

static void take_point(struct pipeline *p, uint32_t family,
                       const struct otlp_batch *batch, const struct otlp_point *point)
{
    const struct otlp_metric *metric = &batch->metrics[point->metric];
    struct arrival arrival = {.point = point, .metric = metric->name};
    struct stream_seed seed = {family, batch, metric, point};
    uint32_t index;
    enum reason why;

    if (!is_timely(p, point, metric->name))
        return;
    if (metric->kind >= OTLP_HISTOGRAM)
        give_detail(&arrival, batch, metric->kind);
    if (arrival.summary && stream_is_window(p, point))
        family_takes_windows(p, family);
    index = stream_find(p, state_family(p, family), point);
    if (index != TABLE_NONE && UNLIKELY(is_outdated(p, index)) &&
        !follow_rules(p, index, &seed))
        index = TABLE_NONE;
    if (index == TABLE_NONE) {
        if (point->flags & OTLP_NO_RECORDED_VALUE) {
            books_count(p, REASON_STALE_MARKER, 1, metric->name);
            return;
        }
        if (!stream_open(p, &seed, &index, &why)) {
            books_count(p, why, 1, metric->name);
            return;
        }
        arrival.is_first = true;
    }
    observe(p, index, &arrival);
    if (point->time_ns > p->newest_ns)
        p->newest_ns = point->time_ns;
}

/* Its family may have been routed anew. */
static bool hints_to_destination(const struct pipeline *p, uint32_t family, uint32_t hint)
{
    return state_cell(p, state_stream(p, hint)->cell)->destination ==
           state_family(p, family)->destination;
}

static void hint_swap(struct pipeline *p, uint32_t family, uint64_t time_ns)
{
    uint32_t hint = state_family(p, family)->hint_stream;
    enum reason why;

    if (hint == POOL_NONE || !hints_to_destination(p, family, hint))
        hint = stream_open_swap_hint(p, family);
    if (!native_feed_admits(p, hint, time_ns, &why))
        return;
    state_stream(p, hint)->ended_ns = 0;
    value_say(p, hint, time_ns, 0);

    uint32_t cell = state_stream(p, hint)->cell;

    minutes_open(p, cell, minute_beginning_at(time_ns));
}

/* Points are looked up some steps ahead, so that memory is there when it is needed. */
static void take_points(struct pipeline *p, uint32_t family,
                        const struct otlp_batch *batch, const struct otlp_metric *metric)
{
    enum {
        AHEAD = 16
    };
    const struct otlp_point *points = &batch->points[metric->first_point];

    for (uint32_t i = 0; i < metric->point_count; i++) {
        if (i + AHEAD < metric->point_count)
            table_prefetch(&p->stream_table, points[i + AHEAD].stream);
        if (i + AHEAD / 2 < metric->point_count) {
            uint32_t soon = table_find(&p->stream_table, points[i + AHEAD / 2].stream);

            if (soon != TABLE_NONE)
                PREFETCH(state_stream(p, soon));
        }
        take_point(p, family, batch, &points[i]);
    }
    if (metric->point_count && state_family(p, family)->hints_swap)
        hint_swap(p, family, points[metric->point_count - 1].time_ns);
}

static void take_metric(struct pipeline *p, const struct otlp_batch *batch,
                        const struct otlp_metric *metric)
{
    if (metric->point_count == 0)
        return;

    uint32_t family = family_open(p, batch, metric);
    uint8_t refusal = state_family(p, family)->refusal;

    if (state_family(p, family)->node != POOL_NONE && state_family(p, family)->tells)
        node_note(p, state_family(p, family), batch, metric);
    supersede_note(p, state_family(p, family));
    /* Streams from before the family was refused may still have something to say about that time. */
    if (refusal && state_family(p, family)->streams == 0)
        books_count(p, (enum reason)(refusal - 1), metric->point_count, metric->name);
    else if (UNLIKELY(supersede_is_over(p, state_family(p, family))))
        skip_superseded(p, family, batch, metric);
    else
        take_points(p, family, batch, metric);
    family_drop_if_unused(p, family);
}

/* What one scope's metrics of a batch say about when their source reported. */
struct report {
    uint32_t scope;
    uint64_t since_ns, time_ns;
};

static void end_report(struct pipeline *p, const struct otlp_batch *batch,
                       const struct report *report)
{
    uint32_t source = table_find(&p->source_table, batch->scopes[report->scope].hash);

    if (report->time_ns && source != TABLE_NONE)
        family_report(p, source, report->since_ns, report->time_ns);
}

/* Gauges carry the time at which they were read, a little after the windows of the same export. */
static bool belongs_to(const struct report *report, uint64_t since_ns, uint64_t time_ns)
{
    return since_ns ? report->since_ns && since_ns <= report->time_ns
                    : time_ns <= report->time_ns + NS_PER_MIN;
}

/* A window that is not the latest, but of the same export, or touches what is known. */
static bool reaches_back(const struct report *report, uint64_t since_ns, uint64_t time_ns)
{
    if (report->since_ns == 0)
        return time_ns + NS_PER_MIN > report->time_ns;
    return since_ns < report->since_ns && time_ns >= report->since_ns;
}

/*
 * Windows that follow each other without a gap are one report that began with the first of them; one
 * that lies apart is a report of its own, and the latest counts.
 */
static void extend_report(struct report *report, const struct pipeline *p,
                          const struct otlp_batch *batch,
                          const struct otlp_metric *metric)
{
    for (uint32_t i = 0; i < metric->point_count; i++) {
        const struct otlp_point *point = &batch->points[metric->first_point + i];
        uint64_t since_ns = metric->temporality == OTLP_DELTA ? point->start_ns : 0;

        if (point->time_ns > p->now_ns + NS_PER_MIN)
            continue;
        if (point->time_ns <= report->time_ns) {
            if (since_ns && reaches_back(report, since_ns, point->time_ns))
                report->since_ns = since_ns;
            continue;
        }
        if (!belongs_to(report, since_ns, point->time_ns))
            report->since_ns = since_ns;
        report->time_ns = point->time_ns;
    }
}

static void take_refused(struct pipeline *p, const struct otlp_batch *batch)
{
    for (int reason = 0; reason <= REASON_LAST; reason++)
        books_count(p, (enum reason)reason, batch->refused[reason],
                    slice_of(batch->example[reason]));
}

static struct slice first_name(const struct otlp_batch *batch)
{
    return batch->metric_count ? batch->metrics[0].name : slice_of("");
}

/* A newer name of a metric may stand behind the older one that it supersedes. */
static void look_ahead(struct pipeline *p, const struct otlp_batch *batch)
{
    for (size_t i = 0; i < batch->metric_count; i++)
        if (batch->metrics[i].point_count)
            supersede_note(p, state_family(p, family_open(p, batch, &batch->metrics[i])));
}

void pipeline_apply(struct pipeline *p, const struct otlp_batch *batch,
                    uint64_t receive_ns)
{
    struct report report = {0};

    p->now_ns = receive_ns;
    p->ledger.received += batch->total;
    if (batch->total && repeats_note(p, batch->body_hash)) {
        books_count(p, REASON_REPEAT, batch->total, first_name(batch));
        return;
    }
    take_refused(p, batch);
    if (route_rules(p)->some_supersede)
        look_ahead(p, batch);
    for (size_t i = 0; i < batch->metric_count; i++) {
        const struct otlp_metric *metric = &batch->metrics[i];

        if (metric->scope != report.scope) {
            end_report(p, batch, &report);
            report = (struct report){.scope = metric->scope};
        }
        take_metric(p, batch, metric);
        extend_report(&report, p, batch, metric);
    }
    if (batch->metric_count)
        end_report(p, batch, &report);
}

/* ---- ticks ------------------------------------------------------------------------------- */

uint64_t pipeline_next_due(const struct pipeline *p)
{
    return due_next_ns(&p->due);
}

void pipeline_tick(struct pipeline *p, uint64_t now_ns, pipeline_emit *emit, void *self)
{
    uint32_t cell;

    p->now_ns = now_ns;
    for (int i = 0; i < PIPELINE_CELLS_PER_TICK && due_take(&p->due, now_ns, &cell); i++)
        close_cell(p, cell, false);
    close_make_room(p);
    emission_flush(p, emit, self);
    stream_sweep(p);
}

void pipeline_finish(struct pipeline *p, uint64_t now_ns, pipeline_emit *emit, void *self)
{
    p->now_ns = now_ns;
    for (uint32_t cell = 0; cell < p->cells.used; cell++)
        if (state_cell(p, cell)->name)
            close_cell(p, cell, true);
    emission_flush(p, emit, self);
}

void pipeline_read_counts(const struct pipeline *p, struct pipeline_counts *counts)
{
    *counts = p->counts;
    counts->streams = p->streams.count;
    counts->cells = p->cells.count;
    counts->destinations = p->destinations.count;
    counts->open_minutes = p->minutes.count;
}

void pipeline_read_budget_use(const struct pipeline *p, struct pipeline_budget_use *use)
{
    names_read_use(p, use);
}

const struct point_ledger *pipeline_ledger(const struct pipeline *p)
{
    return &p->ledger;
}
