#include "tests/sim/world_state.h"

static void plan_moods(struct world *world)
{
    struct chance *chance = &world->chance;
    uint64_t at_ns = world->start_ns;

    if (world->options.outage_s) {
        world->outage_from_ns = at_ns + chance_between(chance, 1800, 3600) * WORLD_S_NS;
        world->outage_until_ns = world->outage_from_ns +
                                 world->options.outage_s * WORLD_S_NS;
        fake_api_plan(world->api, world->outage_from_ns,
                      chance_one_in(chance, 2) ? API_UNREACHABLE : API_DOWN);
        fake_api_plan(world->api, world->outage_until_ns, API_WELL);
        return;
    }
    while (at_ns < world->end_ns) {
        enum api_mood mood = chance_one_in(chance, 2)
                                 ? API_WELL
                                 : (enum api_mood)chance_below(chance, API_NARROW + 1);

        if (world->options.dies_posting)
            mood = (enum api_mood)chance_below(chance, API_SHAKY + 1);

        fake_api_plan(world->api, at_ns, mood);
        at_ns += chance_between(chance, 10, 600) * WORLD_S_NS;
    }
    fake_api_plan(world->api, world->end_ns, API_WELL);
}

static void plan_kills(struct world *world)
{
    uint64_t from_ns = world->start_ns, until_ns = world->end_ns + 900 * WORLD_S_NS;

    for (unsigned i = 0; i < world->options.kills && i < WORLD_KILLS_MAX; i++) {
        from_ns += chance_below(&world->chance, 2 * (until_ns - from_ns) /
                                                    (world->options.kills - i + 1));
        world->kills[world->kill_count++] = from_ns;
    }
}

static void plan_troubles(struct world *world)
{
    struct chance *chance = &world->chance;
    uint64_t at_ns = world->start_ns;

    while (world->options.disk_fails && world->trouble_count + 3 < WORLD_TROUBLES_MAX) {
        at_ns += chance_between(chance, 60, 1500) * WORLD_S_NS;
        if (at_ns >= world->end_ns)
            break;
        world->troubles[world->trouble_count++] = (struct trouble){
            at_ns, (enum trouble_kind)chance_between(chance, 1, TROUBLE_SYNCS)};
        at_ns += chance_between(chance, 1, 300) * WORLD_S_NS;
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

void world_plan(struct world *world)
{
    struct chance all = chance_of(world->options.seed);

    world->chance = chance_split(&all, TAG_WORLD);
    world->pipeline.lateness_ns = UINT64_C(300000000000);
    world->start_ns = world->now_ns = SCENE_MIDNIGHT_S * WORLD_S_NS +
                                      chance_below(&world->chance, 86400000) *
                                          WORLD_MS_NS;
    world->boot_ns = world->start_ns;
    world->end_ns = world->start_ns + world->options.duration_s * WORLD_S_NS;
    world->api = fake_api_new(&(struct fake_api_options){
        .seed = chance_split(&all, TAG_API).state,
        .takes_in_part = chance_one_in(&world->chance, 2),
    });
    world->senders = senders_new(&(struct senders_options){
        .seed = chance_split(&all, TAG_SENDERS).state,
        .from_ns = world->start_ns + 10 * WORLD_S_NS,
        .until_ns = world->end_ns,
        .count = world->options.senders,
        /* What expires and what is refused could not be told apart. */
        .shares_service = world->options.dies_posting,
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
        .capacity = WORLD_DISK_BYTES,
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

void world_plan_release(struct world *world)
{
    process_free(world->process);
    world_mail_release(world);
    history_release(&world->history);
    puts_release(&world->puts);
    senders_free(world->senders);
    fake_api_free(world->api);
    sim_vfs_free(world->vfs);
    fake_disk_free(world->disk);
}
