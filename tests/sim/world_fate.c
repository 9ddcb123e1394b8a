#include "tests/sim/world_state.h"

enum {
    AGAIN_S = 5, /* until a start that failed is tried again */
};

/* The jitter of the delivery's pauses comes without a context. */
static struct chance jitter;

static uint64_t draw_jitter(void)
{
    return chance_next(&jitter);
}

static uint64_t stamp(void *self)
{
    struct world *world = self;

    world->last_stamp_ns = world->now_ns > world->last_stamp_ns
                               ? world->now_ns
                               : world->last_stamp_ns + 1;
    return world->last_stamp_ns;
}

void world_fate_add_stats(struct world *world)
{
    struct process_stats one;

    process_read_stats(world->process, &one);
    process_add_stats(&world->result->process, &one);
}

static void end_process(struct world *world)
{
    world->is_armed = false;
    world_mail_cut(world);
    if (world->process)
        world_fate_add_stats(world);
    process_free(world->process);
    world->process = NULL;
}

/* The process is gone, and perhaps the machine with it. */
static void bury(struct world *world)
{
    struct chance *chance = &world->chance;
    uint64_t most_s = chance_one_in(chance, 4) ? 8 * 60 : 20;

    world->result->kills++;
    world_trace(world, "killed", world->result->kills);
    end_process(world);
    if (world->crashes && chance_one_in(chance, 2)) {
        world->result->crashes++;
        world_trace(world, "crashed", world->result->crashes);
        fake_disk_crash(world->disk);
    }
    fake_disk_revive(world->disk);
    world->boot_ns = world->now_ns +
                     chance_between(chance, 100, most_s * 1000) * WORLD_MS_NS;
}

static void stop(struct world *world)
{
    if (chance_one_in(&world->chance, 3))
        fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 12));
    process_stop(world->process, world->now_ns);
    if (world_is_dead(world))
        return;
    world_check(world);
    fake_disk_kill_at(world->disk, 0);
    world->result->stops++;
    world_trace(world, "stopped", world->result->stops);
    end_process(world);
    world->boot_ns = world->now_ns +
                     chance_between(&world->chance, 100, 20000) * WORLD_MS_NS;
}

void world_fate_bury_if_dead(struct world *world)
{
    if (world_is_dead(world))
        bury(world);
}

/* Each start may have another configuration. */
static const struct pipeline_options *choose_config(struct world *world)
{
    static const uint64_t graces_s[] = {10, 15, 30};

    world->pipeline.grace_ns = graces_s[chance_below(&world->chance, 3)] * WORLD_S_NS;
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
        .puts = world->options.loses_power ? &world->puts : NULL,
        .random = draw_jitter,
        .stamp = stamp,
        .answer = world_mail_answer,
        .send = world_mail_post,
        .is_dead = world_is_dead,
        .self = world,
    };
}

/* What was put before the start, of records that it did not find. */
static void part_with_lost(struct world *world, size_t puts)
{
    if (world->history.lost_from_lsn)
        puts_lose(&world->puts, puts, world->history.lost_from_lsn);
    world->history.lost_from_lsn = 0;
}

/* One in three starts is killed in the middle of recovering, or soon after. */
static void boot(struct world *world)
{
    struct process_options options = process_options(world);
    size_t puts = world->puts.count;

    if (world->result->boots++ == 0)
        jitter = world->chance;
    world_trace(world, "boot", world->result->boots);
    if (world->result->kills && chance_one_in(&world->chance, 3))
        fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 40));
    world->boot_ns = UINT64_MAX;
    world->process = process_boot(&options, world->now_ns);
    part_with_lost(world, puts);
    if (world->process) {
        struct outbox_counts counts;
        struct value_ledger values;

        outbox_read_counts(process_outbox(world->process), &counts);
        outbox_read_ledger(process_outbox(world->process), &values);
        world_trace(world, "  at LSN", fold_lsn(process_fold(world->process)));
        world_trace(world, "  outbox at LSN", counts.committed_lsn);
        world_trace(world, "  values closed", values.closed);
        return;
    }
    if (world_is_dead(world)) {
        world->result->recovery_kills++;
        bury(world);
        return;
    }
    world_trace(world, "no start", world->result->boots);
    fake_disk_kill_at(world->disk, 0);
    world->boot_ns = world->now_ns + AGAIN_S * WORLD_S_NS;
}

static void kill(struct world *world)
{
    struct chance *chance = &world->chance;

    world->next_kill++;
    if (!world->process)
        return;
    world->aim = world->options.dies_posting
                     ? AIM_FLIGHT
                     : (enum aim)chance_below(chance, AIM_STOP + 1);
    world->is_armed = world->aim < AIM_NOW;
    world_trace(world, "kill", world->aim);
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

void world_fate_aim(struct world *world)
{
    if (world->is_armed && world->aim < AIM_APPEND &&
        process_is_due(world->process, (enum process_lane)world->aim, world->now_ns))
        shoot(world);
}

static void trouble_disk(struct world *world)
{
    enum trouble_kind kind = world->troubles[world->next_trouble++].kind;

    world_trace(world, "disk", (uint64_t)kind);
    fake_disk_take_space(world->disk, kind == TROUBLE_FULL ? WORLD_DISK_BYTES : 0);
    fake_disk_set_faults(world->disk, &(struct fake_disk_faults){
                                          .write_one_in = kind == TROUBLE_WRITES ? 20 : 0,
                                          .sync_one_in = kind == TROUBLE_SYNCS ? 5 : 0,
                                      });
}

void world_fate_aim_append(struct world *world)
{
    if (!world->is_armed || world->aim != AIM_APPEND)
        return;
    world->is_armed = false;
    fake_disk_kill_at(world->disk, chance_between(&world->chance, 1, 2));
}

void world_fate_aim_flight(struct world *world)
{
    if (!world->is_armed || world->aim != AIM_FLIGHT)
        return;
    world->is_armed = false;
    fake_disk_kill(world->disk);
}

/* ---- what is due ------------------------------------------------------------------------- */

void world_fate_act(struct world *world)
{
    while (world->next_trouble < world->trouble_count &&
           world->troubles[world->next_trouble].from_ns <= world->now_ns)
        trouble_disk(world);
    if (world->next_kill < world->kill_count &&
        world->kills[world->next_kill] <= world->now_ns)
        kill(world);
    world_fate_bury_if_dead(world);
    if (world->boot_ns <= world->now_ns)
        boot(world);
}

uint64_t world_fate_next_ns(const struct world *world)
{
    uint64_t next = world->boot_ns;

    if (world->next_kill < world->kill_count && world->kills[world->next_kill] < next)
        next = world->kills[world->next_kill];
    if (world->next_trouble < world->trouble_count &&
        world->troubles[world->next_trouble].from_ns < next)
        next = world->troubles[world->next_trouble].from_ns;
    return next;
}
