#include "tests/sim/world.h"

#include "base/memory.h"
#include "tests/sim/chance.h"
#include "tests/sim/fake_disk.h"
#include "tests/sim/sim_vfs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const uint64_t S_NS = 1000000000, MS_NS = 1000000;

enum tag { /* of the streams of chance */
    TAG_WORLD,
    TAG_SENDERS,
    TAG_API,
    TAG_DISK,
    TAG_PROCESS
};

enum {
    SETTLE_S = 30 * 60,    /* after the last request: minutes close, the outbox drains */
    PATIENCE_S = 6 * 3600, /* longer is a failure */
    KILLS_MAX = 64,
    TROUBLES_MAX = 64,
    DISK_BYTES = 64 << 20,
    AGAIN_S = 5, /* until a start that failed is tried again */
};

/* Something on its way between a sender and the gateway. */
struct parcel {
    uint64_t at_ns;
    const struct sim_request *request;
    bool is_answer;
    enum sender_answer answer;
};

enum trouble_kind {
    TROUBLE_NONE,
    TROUBLE_FULL,
    TROUBLE_WRITES,
    TROUBLE_SYNCS
};

/* Where a process dies. */
enum aim {
    AIM_FLUSH = LANE_FLUSH,
    AIM_ENGINE = LANE_ENGINE,
    AIM_DELIVER = LANE_DELIVER,
    AIM_SAVE = LANE_SAVE,
    AIM_APPEND, /* of a request */
    AIM_NOW,    /* between two steps */
    AIM_ANYWHERE,
    AIM_STOP, /* it is asked to stop, and may die of that as well */
};

/* The disk has it from then on. */
struct trouble {
    uint64_t from_ns;
    enum trouble_kind kind;
};

/* A request to Mackerel whose client waits. */
struct flight {
    struct errand *errand;
    struct fake_reply reply;
};

struct world {
    struct world_options options;
    struct world_result *result;
    uint64_t now_ns, start_ns, last_stamp_ns, end_ns;
    uint64_t arrived_ns; /* when the last request reached the gateway */
    uint64_t outage_from_ns, outage_until_ns; /* 0: no long one */
    struct chance chance;
    uint64_t journal_max_bytes;
    struct pipeline_options pipeline;
    struct fake_disk *disk;
    struct sim_vfs *vfs;
    uint64_t kills[KILLS_MAX]; /* when; in order */
    size_t kill_count, next_kill;
    struct trouble troubles[TROUBLES_MAX];
    size_t trouble_count, next_trouble;
    bool crashes;  /* the machine, now and then */
    bool is_armed; /* the process is to die where `aim` says */
    enum aim aim;
    uint64_t boot_ns; /* when the next process starts; UINT64_MAX: one runs */
    struct fake_api *api;
    struct senders *senders;
    struct process *process; /* NULL: none runs */
    struct history history;
    struct parcel *parcels;
    size_t parcel_count, parcel_room;
    unsigned *unanswered; /* requests that the process has */
    size_t unanswered_count, unanswered_room;
    struct flight *flights;
    size_t flight_count, flight_room;
};

/* The jitter of the delivery's pauses comes without a context. */
static struct chance jitter;

static uint64_t draw_jitter(void)
{
    return chance_next(&jitter);
}

static void fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);

static void fail(struct world *world, const char *format, ...)
{
    va_list args;

    if (world->result->problem[0])
        return;
    va_start(args, format);
    vsnprintf(world->result->problem, sizeof(world->result->problem), format, args);
    va_end(args);
}

static void trace(struct world *world, const char *what, uint64_t detail)
{
    struct world_result *result = world->result;

    result->trace = chance_mix(chance_mix(result->trace, world->now_ns),
                               detail ^ (uint64_t)(unsigned char)what[0] << 56);
    if (world->options.is_verbose)
        fprintf(stderr, "%10.3f %s %" PRIu64 "\n",
                (double)(world->now_ns - world->start_ns) / 1e9, what, detail);
}

/* ---- between senders and gateway --------------------------------------------------------- */

static void post(struct world *world, const struct parcel *parcel)
{
    world->parcels = memory_grow(world->parcels, world->parcel_count + 1,
                                 &world->parcel_room, sizeof(*world->parcels));
    world->parcels[world->parcel_count++] = *parcel;
}

static uint64_t soon_ns(struct world *world)
{
    return world->now_ns + chance_between(&world->chance, 1, 40) * MS_NS;
}

static void set_off(void *self, const struct sim_request *request)
{
    struct world *world = self;

    post(world, &(struct parcel){.at_ns = soon_ns(world), .request = request});
}

static void reply(struct world *world, const struct sim_request *request,
                  enum sender_answer answer)
{
    post(world, &(struct parcel){
                    .at_ns = soon_ns(world),
                    .request = request,
                    .is_answer = true,
                    .answer = answer,
                });
}

static void forget_unanswered(struct world *world, unsigned id)
{
    for (size_t i = 0; i < world->unanswered_count; i++)
        if (world->unanswered[i] == id) {
            world->unanswered[i] = world->unanswered[--world->unanswered_count];
            return;
        }
}

static bool is_dead(void *self)
{
    const struct world *world = self;

    return world->disk && fake_disk_is_dead(world->disk);
}

static void answer(void *self, unsigned id, enum error_kind kind)
{
    struct world *world = self;

    if (is_dead(world))
        return; /* nobody hears it */
    trace(world, kind == ERROR_NONE ? "acknowledged" : "busy", id);
    forget_unanswered(world, id);
    reply(world, senders_request(world->senders, id),
          kind == ERROR_NONE ? SENDER_ACKNOWLEDGED : SENDER_REFUSED);
}

static void arrive(struct world *world, const struct parcel *parcel)
{
    unsigned id = parcel->request->id;

    if (parcel->is_answer) {
        senders_answer(world->senders, id, parcel->answer, world->now_ns);
        return;
    }
    trace(world, "request", id);
    world->arrived_ns = world->now_ns;
    if (!world->process) {
        reply(world, parcel->request, SENDER_REFUSED);
        return;
    }
    world->unanswered = memory_grow(world->unanswered, world->unanswered_count + 1,
                                    &world->unanswered_room, sizeof(*world->unanswered));
    world->unanswered[world->unanswered_count++] = id;
    if (world->is_armed && world->aim == AIM_APPEND) {
        world->is_armed = false;
        fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 2));
    }
    process_submit(world->process, parcel->request, world->now_ns);
}

/* The parcel that is due first; parcel_count: none waits. */
static size_t first_parcel(const struct world *world)
{
    size_t first = 0;

    for (size_t i = 1; i < world->parcel_count; i++)
        if (world->parcels[i].at_ns < world->parcels[first].at_ns)
            first = i;
    return first;
}

/* ---- between gateway and Mackerel -------------------------------------------------------- */

static void send(void *self, struct errand *errand)
{
    struct world *world = self;
    struct flight flight = {.errand = errand};

    if (is_dead(world))
        return;
    trace(world, "post", errand->request.endpoint);
    fake_api_take(world->api, &errand->request, world->now_ns, &flight.reply);
    world->flights = memory_grow(world->flights, world->flight_count + 1,
                                 &world->flight_room, sizeof(*world->flights));
    world->flights[world->flight_count++] = flight;
}

static size_t first_flight(const struct world *world)
{
    size_t first = 0;

    for (size_t i = 1; i < world->flight_count; i++)
        if (world->flights[i].reply.at_ns < world->flights[first].reply.at_ns)
            first = i;
    return first;
}

static void land(struct world *world, size_t at)
{
    struct flight flight = world->flights[at];

    world->flights[at] = world->flights[--world->flight_count];
    trace(world, "answer", (uint64_t)flight.reply.answer.status);
    fake_api_settle(world->api, world->now_ns);
    process_answer(world->process, flight.errand, &flight.reply.answer, world->now_ns);
    fake_reply_release(&flight.reply);
}

/* ---- the process ------------------------------------------------------------------------- */

static uint64_t stamp(void *self)
{
    struct world *world = self;

    world->last_stamp_ns = world->now_ns > world->last_stamp_ns
                               ? world->now_ns
                               : world->last_stamp_ns + 1;
    return world->last_stamp_ns;
}

static void add_stats(struct world *world)
{
    struct process_stats one;

    process_read_stats(world->process, &one);
    process_add_stats(&world->result->process, &one);
}

static void check(struct world *world)
{
    const char *problem = world->process ? process_check(world->process) : NULL;

    if (problem)
        fail(world, "%s", problem);
    if (world->history.violations)
        fail(world, "journal: %s", world->history.violation);
}

/* Nobody answers any more, here or there. */
static void end_process(struct world *world)
{
    for (size_t i = 0; i < world->unanswered_count; i++)
        reply(world, senders_request(world->senders, world->unanswered[i]),
              SENDER_UNHEARD);
    world->unanswered_count = 0;
    world->is_armed = false;
    for (size_t i = 0; i < world->flight_count; i++)
        fake_reply_release(&world->flights[i].reply);
    world->flight_count = 0;
    if (world->process)
        add_stats(world);
    process_free(world->process);
    world->process = NULL;
}

/* The process is gone, and perhaps the machine with it. */
static void bury(struct world *world)
{
    struct chance *chance = &world->chance;
    uint64_t most_s = chance_one_in(chance, 4) ? 8 * 60 : 20;

    world->result->kills++;
    trace(world, "killed", world->result->kills);
    end_process(world);
    if (world->crashes && chance_one_in(chance, 2)) {
        world->result->crashes++;
        trace(world, "crashed", world->result->crashes);
        fake_disk_crash(world->disk);
    }
    fake_disk_revive(world->disk);
    world->boot_ns = world->now_ns + chance_between(chance, 100, most_s * 1000) * MS_NS;
}

static void stop(struct world *world)
{
    if (chance_one_in(&world->chance, 3))
        fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 12));
    process_stop(world->process, world->now_ns);
    if (is_dead(world))
        return;
    check(world);
    fake_disk_kill_at(world->disk, 0);
    world->result->stops++;
    trace(world, "stopped", world->result->stops);
    end_process(world);
    world->boot_ns = world->now_ns + chance_between(&world->chance, 100, 20000) * MS_NS;
}

static void bury_if_dead(struct world *world)
{
    if (is_dead(world))
        bury(world);
}

/* Each start may have another configuration. */
static const struct pipeline_options *choose_config(struct world *world)
{
    static const uint64_t graces_s[] = {10, 15, 30};

    world->pipeline.grace_ns = graces_s[chance_below(&world->chance, 3)] * S_NS;
    return &world->pipeline;
}

static struct process_options process_options(struct world *world)
{
    struct chance all = chance_of(world->options.seed);

    return (struct process_options){
        .seed = chance_split(&all, TAG_PROCESS).state,
        .disk = world->disk ? fake_disk_handle(world->disk) : NULL,
        .durability = world->options.store == WORLD_FSYNC ? JOURNAL_FSYNC
                                                          : JOURNAL_PROCESS,
        .journal_max_bytes = world->journal_max_bytes,
        .outbox_max_bytes = 256 << 20,
        .pipeline = choose_config(world),
        .history = &world->history,
        .random = draw_jitter,
        .stamp = stamp,
        .answer = answer,
        .send = send,
        .is_dead = is_dead,
        .self = world,
    };
}

/* One in three starts is killed in the middle of recovering, or soon after. */
static void boot(struct world *world)
{
    struct process_options options = process_options(world);

    world->result->boots++;
    trace(world, "boot", world->result->boots);
    if (world->result->kills && chance_one_in(&world->chance, 3))
        fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 40));
    world->boot_ns = UINT64_MAX;
    world->process = process_boot(&options, world->now_ns);
    if (world->process) {
        struct outbox_counts counts;
        struct value_ledger values;

        outbox_read_counts(process_outbox(world->process), &counts);
        outbox_read_ledger(process_outbox(world->process), &values);
        trace(world, "  at LSN", fold_lsn(process_fold(world->process)));
        trace(world, "  outbox at LSN", counts.committed_lsn);
        trace(world, "  values closed", values.closed);
        return;
    }
    if (is_dead(world)) {
        world->result->recovery_kills++;
        bury(world);
        return;
    }
    trace(world, "no start", world->result->boots);
    fake_disk_kill_at(world->disk, 0);
    world->boot_ns = world->now_ns + AGAIN_S * S_NS;
}

static void kill(struct world *world)
{
    struct chance *chance = &world->chance;

    world->next_kill++;
    if (!world->process)
        return;
    world->aim = (enum aim)chance_below(chance, AIM_STOP + 1);
    world->is_armed = world->aim < AIM_NOW;
    trace(world, "kill", world->aim);
    if (world->aim == AIM_NOW)
        fake_disk_kill(world->disk);
    if (world->aim == AIM_ANYWHERE)
        fake_disk_kill_at(world->disk, chance_between(chance, 1, 300));
    if (world->aim == AIM_STOP)
        stop(world);
}

/* The process gets where it is to die: in one of the next few changes of the disk. */
static void shoot(struct world *world)
{
    world->is_armed = false;
    fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 4));
}

static void shoot_lane(struct world *world)
{
    if (world->is_armed && world->aim < AIM_APPEND &&
        process_is_due(world->process, (enum process_lane)world->aim, world->now_ns))
        shoot(world);
}

static void trouble_disk(struct world *world)
{
    enum trouble_kind kind = world->troubles[world->next_trouble++].kind;

    trace(world, "disk", (uint64_t)kind);
    fake_disk_take_space(world->disk, kind == TROUBLE_FULL ? DISK_BYTES : 0);
    fake_disk_set_faults(world->disk, &(struct fake_disk_faults){
                                          .write_one_in = kind == TROUBLE_WRITES ? 20 : 0,
                                          .sync_one_in = kind == TROUBLE_SYNCS ? 5 : 0,
                                      });
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
    next = least(next, world->boot_ns);
    if (world->next_kill < world->kill_count)
        next = least(next, world->kills[world->next_kill]);
    if (world->next_trouble < world->trouble_count)
        next = least(next, world->troubles[world->next_trouble].from_ns);
    if (world->parcel_count)
        next = least(next, world->parcels[first_parcel(world)].at_ns);
    if (world->flight_count)
        next = least(next, world->flights[first_flight(world)].reply.at_ns);
    return next;
}

static void deliver_parcels(struct world *world)
{
    while (world->parcel_count &&
           world->parcels[first_parcel(world)].at_ns <= world->now_ns) {
        size_t at = first_parcel(world);
        struct parcel parcel = world->parcels[at];

        world->parcels[at] = world->parcels[--world->parcel_count];
        arrive(world, &parcel);
        bury_if_dead(world);
    }
}

static void land_flights(struct world *world)
{
    while (world->flight_count &&
           world->flights[first_flight(world)].reply.at_ns <= world->now_ns) {
        land(world, first_flight(world));
        bury_if_dead(world);
    }
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
        counts.oldest_minute_s >= world->outage_until_ns / S_NS)
        world->result->drain_s = (double)(world->now_ns - world->outage_until_ns) / 1e9;
}

static void step(struct world *world)
{
    while (world->next_trouble < world->trouble_count &&
           world->troubles[world->next_trouble].from_ns <= world->now_ns)
        trouble_disk(world);
    if (world->next_kill < world->kill_count &&
        world->kills[world->next_kill] <= world->now_ns)
        kill(world);
    bury_if_dead(world);
    if (world->boot_ns <= world->now_ns)
        boot(world);
    fake_api_settle(world->api, world->now_ns);
    senders_step(world->senders, world->now_ns, set_off, world);
    deliver_parcels(world);
    land_flights(world);
    if (world->process && process_next_ns(world->process) <= world->now_ns) {
        shoot_lane(world);
        process_step(world->process, world->now_ns);
    }
    bury_if_dead(world);
    watch_drain(world);
    check(world);
}

static bool is_over(struct world *world)
{
    struct outbox_counts counts;

    if (world->now_ns < world->end_ns || !world->process ||
        world->now_ns < world->arrived_ns + SETTLE_S * S_NS ||
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
        uint64_t next = least(next_ns(world), world->now_ns + 10 * S_NS);

        if (next > world->now_ns)
            world->now_ns = next;
        step(world);
        if (world->now_ns > world->end_ns + PATIENCE_S * S_NS)
            fail(world, "values wait still, %d hours after the end", PATIENCE_S / 3600);
    }
}

/* ---- what happens ------------------------------------------------------------------------ */

static void plan_moods(struct world *world)
{
    struct chance *chance = &world->chance;
    uint64_t at_ns = world->start_ns;

    if (world->options.outage_s) {
        world->outage_from_ns = at_ns + chance_between(chance, 1800, 3600) * S_NS;
        world->outage_until_ns = world->outage_from_ns + world->options.outage_s * S_NS;
        fake_api_plan(world->api, world->outage_from_ns,
                      chance_one_in(chance, 2) ? API_UNREACHABLE : API_DOWN);
        fake_api_plan(world->api, world->outage_until_ns, API_WELL);
        return;
    }
    while (at_ns < world->end_ns) {
        enum api_mood mood = chance_one_in(chance, 2)
                                 ? API_WELL
                                 : (enum api_mood)chance_below(chance, API_NARROW + 1);

        fake_api_plan(world->api, at_ns, mood);
        at_ns += chance_between(chance, 10, 600) * S_NS;
    }
    fake_api_plan(world->api, world->end_ns, API_WELL);
}

static void plan_kills(struct world *world)
{
    uint64_t from_ns = world->start_ns, until_ns = world->end_ns + 900 * S_NS;

    for (unsigned i = 0; i < world->options.kills && i < KILLS_MAX; i++) {
        from_ns += chance_below(&world->chance, 2 * (until_ns - from_ns) /
                                                    (world->options.kills - i + 1));
        world->kills[world->kill_count++] = from_ns;
    }
}

static void plan_troubles(struct world *world)
{
    struct chance *chance = &world->chance;
    uint64_t at_ns = world->start_ns;

    while (world->options.disk_fails && world->trouble_count + 3 < TROUBLES_MAX) {
        at_ns += chance_between(chance, 60, 1500) * S_NS;
        if (at_ns >= world->end_ns)
            break;
        world->troubles[world->trouble_count++] = (struct trouble){
            at_ns, (enum trouble_kind)chance_between(chance, 1, TROUBLE_SYNCS)};
        at_ns += chance_between(chance, 1, 300) * S_NS;
        world->troubles[world->trouble_count++] = (struct trouble){at_ns, TROUBLE_NONE};
    }
}

static void add_destination(void *self, bool is_host, const char *name)
{
    struct world *world = self;

    if (is_host)
        fake_api_add_host(world->api, name);
    else
        fake_api_add_service(world->api, name);
}

static void create(struct world *world)
{
    struct chance all = chance_of(world->options.seed);

    world->chance = chance_split(&all, TAG_WORLD);
    jitter = chance_split(&all, TAG_PROCESS);
    world->pipeline.lateness_ns = UINT64_C(300000000000);
    world->start_ns = world->now_ns = SCENE_MIDNIGHT_S * S_NS +
                                      chance_below(&world->chance, 86400000) * MS_NS;
    world->boot_ns = world->start_ns;
    world->end_ns = world->start_ns + world->options.duration_s * S_NS;
    world->api = fake_api_new(&(struct fake_api_options){
        .seed = chance_split(&all, TAG_API).state,
        .takes_in_part = chance_one_in(&world->chance, 2),
    });
    world->senders = senders_new(&(struct senders_options){
        .seed = chance_split(&all, TAG_SENDERS).state,
        .from_ns = world->start_ns + 10 * S_NS,
        .until_ns = world->end_ns,
        .count = world->options.senders,
        /* What expires and what is refused could not be told apart. */
        .has_poison = world->options.outage_s == 0,
    });
    senders_list_destinations(world->senders, add_destination, world);
    plan_moods(world);
    if (world->options.store == WORLD_IN_MEMORY)
        return;
    world->crashes = world->options.store == WORLD_FSYNC || world->options.loses_power;
    world->history.tolerates_loss = world->options.loses_power;
    world->disk = fake_disk_new(&(struct fake_disk_options){
        .seed = chance_split(&all, TAG_DISK).state,
        .capacity = DISK_BYTES,
        .survives_in_part = world->crashes,
    });
    world->vfs = sim_vfs_new(fake_disk_handle(world->disk), world->options.seed,
                             &world->now_ns);
    /* Segments of 64 KiB and up: small ones fill up soon. */
    world->journal_max_bytes = (uint64_t)(512 << 10)
                               << 2 * chance_below(&world->chance, 3);
    plan_kills(world);
    plan_troubles(world);
}

static void destroy(struct world *world)
{
    process_free(world->process);
    for (size_t i = 0; i < world->flight_count; i++)
        fake_reply_release(&world->flights[i].reply);
    free(world->flights);
    free(world->parcels);
    free(world->unanswered);
    history_release(&world->history);
    senders_free(world->senders);
    fake_api_free(world->api);
    sim_vfs_free(world->vfs);
    fake_disk_free(world->disk);
}

/* Minutes up to this one could become 24 h old (less a minute of margin) before they were sent. */
static uint64_t expired_until_s(const struct world *world)
{
    const uint64_t age_s = 24 * 3600 - 60, drain_s = 600;
    uint64_t until_s = world->outage_until_ns / S_NS + drain_s;

    if (world->outage_until_ns == 0 || until_s - age_s < world->outage_from_ns / S_NS)
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
        fail(world, "%s", result->verdict.first);
    if (history_count_missing(&world->history))
        fail(world, "%zu acknowledged records never reached the engine",
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
        add_stats(world);
    add_disk_stats(world);
    for (size_t i = 0; i < world->history.count; i++)
        if (world->history.records[i].request &&
            world->history.records[i].is_acknowledged)
            result->acknowledged_points += world->history.records[i].request->count;
    if (result->api.malformed)
        fail(world, "a body was malformed");
    trace(world, "end", result->posted_values);
}

void world_run(const struct world_options *options, struct world_result *result)
{
    struct world world = {.options = *options, .result = result};

    *result = (struct world_result){0};
    create(&world);
    run(&world);
    if (!result->problem[0] && !options->loses_power)
        judge(&world);
    sum_up(&world);
    destroy(&world);
}
