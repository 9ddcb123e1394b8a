#include "tests/sim/world_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum {
    SETTLE_S = 30 * 60,    /* after the last request: minutes close, the outbox drains */
    PATIENCE_S = 6 * 3600, /* longer is a failure */
};

void world_fail(struct world *world, const char *format, ...)
{
    va_list args;

    if (world->result->problem[0])
        return;
    va_start(args, format);
    vsnprintf(world->result->problem, sizeof(world->result->problem), format, args);
    va_end(args);
}

void world_trace(struct world *world, const char *what, uint64_t detail)
{
    struct world_result *result = world->result;

    result->trace = chance_mix(chance_mix(result->trace, world->now_ns),
                               detail ^ hash_bytes(slice_of(what), 0).low);
    if (world->options.is_verbose)
        fprintf(stderr, "%10.3f %s %" PRIu64 "\n",
                (double)(world->now_ns - world->start_ns) / 1e9, what, detail);
}

bool world_is_dead(void *self)
{
    const struct world *world = self;

    return world->disk && fake_disk_is_dead(world->disk);
}

void world_check(struct world *world)
{
    const char *problem = world->process ? process_check(world->process) : NULL;

    if (problem)
        world_fail(world, "%s", problem);
    if (world->history.violations)
        world_fail(world, "journal: %s", world->history.violation);
}

/* ---- the loop ---------------------------------------------------------------------------- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t next_ns(const struct world *world)
{
    uint64_t next = least(senders_next_ns(world->senders), fake_api_next_ns(world->api));

    if (world->process)
        next = least(next, process_next_ns(world->process));
    return least(next, least(world_fate_next_ns(world), world_mail_next_ns(world)));
}

/* When is everything gone that had gathered during the outage? */
static void watch_drain(struct world *world)
{
    struct outbox_counts counts;

    if (world->outage_until_ns == 0 || world->now_ns < world->outage_until_ns ||
        world->result->drain_s > 0 || !world->process)
        return;
    outbox_read_counts(process_outbox(world->process), &counts);
    if (counts.oldest_minute_s == 0 ||
        counts.oldest_minute_s >= world->outage_until_ns / WORLD_S_NS)
        world->result->drain_s = (double)(world->now_ns - world->outage_until_ns) / 1e9;
}

static void step(struct world *world)
{
    world_fate_act(world);
    fake_api_settle(world->api, world->now_ns);
    senders_step(world->senders, world->now_ns, world_mail_send, world);
    while (world_mail_deliver(world))
        world_fate_bury_if_dead(world);
    if (world->process && process_next_ns(world->process) <= world->now_ns) {
        world_fate_aim(world);
        process_step(world->process, world->now_ns);
    }
    world_fate_bury_if_dead(world);
    watch_drain(world);
    world_check(world);
}

static bool is_over(struct world *world)
{
    struct outbox_counts counts;

    if (world->now_ns < world->end_ns || !world->process ||
        world->now_ns < world->arrived_ns + SETTLE_S * WORLD_S_NS ||
        senders_next_ns(world->senders) != UINT64_MAX || world->parcel_count)
        return false;
    outbox_read_counts(process_outbox(world->process), &counts);
    return counts.values == 0 && world->flight_count == 0 &&
           fake_api_next_ns(world->api) == UINT64_MAX &&
           pipeline_ledger(fold_pipeline(process_fold(world->process)))->pending == 0 &&
           (world->options.loses_power || history_count_missing(&world->history) == 0);
}

static void run(struct world *world)
{
    while (!world->result->problem[0] && !is_over(world)) {
        uint64_t next = least(next_ns(world), world->now_ns + 10 * WORLD_S_NS);

        if (next > world->now_ns)
            world->now_ns = next;
        step(world);
        if (world->now_ns > world->end_ns + PATIENCE_S * WORLD_S_NS)
            world_fail(world, "values wait still, %d hours after the end",
                       PATIENCE_S / 3600);
    }
}

/* Minutes up to this one could become 24 h old (less a minute of margin) before they were sent. */
static uint64_t expired_until_s(const struct world *world)
{
    const uint64_t age_s = 24 * 3600 - 60, drain_s = 600;
    uint64_t until_s = world->outage_until_ns / WORLD_S_NS + drain_s;

    if (world->outage_until_ns == 0 ||
        until_s - age_s < world->outage_from_ns / WORLD_S_NS)
        return 0;
    return until_s - age_s;
}

static void judge(struct world *world)
{
    struct world_result *result = world->result;
    const struct point_ledger *points = pipeline_ledger(
        fold_pipeline(process_fold(world->process)));
    struct value_ledger values;

    outbox_read_ledger(process_outbox(world->process), &values);
    oracle_judge(
        &(struct oracle_case){
            .history = &world->history,
            .puts = world->options.loses_power ? &world->puts : NULL,
            .senders = world->senders,
            .mackerel = fake_api_values(world->api),
            .points = points,
            .values = &values,
            .options = &world->pipeline,
            .seed = 0,
            .expired_until_s = expired_until_s(world),
        },
        &result->verdict);
    if (result->verdict.first[0])
        world_fail(world, "%s", result->verdict.first);
    if (!world->options.loses_power && history_count_missing(&world->history))
        world_fail(world, "%zu acknowledged records never reached the engine",
                   history_count_missing(&world->history));
    for (int i = 0; i <= REASON_LAST; i++)
        result->reasons[i] = points->reasons[i].count;
    result->skipped = point_ledger_total(points, LEDGER_SKIPPED);
    result->dropped = point_ledger_total(points, LEDGER_DROPPED);
    result->posted_values = values.delivered;
    result->expired = values.expired;
    result->rejected = values.rejected;
}

static void add_disk_stats(struct world *world)
{
    struct fake_disk_stats stats;

    if (!world->disk)
        return;
    fake_disk_read_stats(world->disk, &stats);
    world->result->disk_calls = stats.calls;
    world->result->failed_calls = stats.failed_writes + stats.failed_syncs + stats.full;
    world->result->lost_sectors = stats.lost_sectors;
}

static void sum_up(struct world *world)
{
    struct world_result *result = world->result;

    result->simulated_h = (double)(world->now_ns - world->start_ns) / 3.6e12;
    result->senders = *senders_stats(world->senders);
    result->api = *fake_api_stats(world->api);
    result->replaced_records = world->history.replaced;
    result->lost_records = world->history.lost;
    if (world->process)
        world_fate_add_stats(world);
    add_disk_stats(world);
    for (size_t i = 0; i < world->history.count; i++)
        if (world->history.records[i].request &&
            world->history.records[i].is_acknowledged)
            result->acknowledged_points += world->history.records[i].request->count;
    if (result->api.malformed)
        world_fail(world, "a body was malformed");
    world_trace(world, "end", result->posted_values);
}

void world_run(const struct world_options *options, struct world_result *result)
{
    struct world world = {.options = *options, .result = result};

    *result = (struct world_result){0};
    world_plan(&world);
    run(&world);
    if (!result->problem[0])
        judge(&world);
    sum_up(&world);
    world_plan_release(&world);
}
