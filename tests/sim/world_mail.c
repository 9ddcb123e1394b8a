#include "base/memory.h"
#include "tests/sim/world_state.h"

#include <stdlib.h>

/* ---- between senders and gateway --------------------------------------------------------- */

static void post(struct world *world, const struct parcel *parcel)
{
    world->parcels = memory_grow(world->parcels, world->parcel_count + 1,
                                 &world->parcel_room, sizeof(*world->parcels));
    world->parcels[world->parcel_count++] = *parcel;
}

static uint64_t soon_ns(struct world *world)
{
    return world->now_ns + chance_between(&world->chance, 1, 40) * WORLD_MS_NS;
}

void world_mail_send(void *self, const struct sim_request *request)
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

void world_mail_answer(void *self, unsigned id, enum error_kind kind)
{
    struct world *world = self;

    if (world_is_dead(world))
        return; /* nobody hears it */
    world_trace(world, kind == ERROR_NONE ? "acknowledged" : "busy", id);
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
    world_trace(world, "request", id);
    world->arrived_ns = world->now_ns;
    if (!world->process) {
        reply(world, parcel->request, SENDER_REFUSED);
        return;
    }
    world->unanswered = memory_grow(world->unanswered, world->unanswered_count + 1,
                                    &world->unanswered_room, sizeof(*world->unanswered));
    world->unanswered[world->unanswered_count++] = id;
    world_fate_aim_append(world);
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

void world_mail_post(void *self, struct errand *errand)
{
    struct world *world = self;
    struct flight flight = {.errand = errand};

    if (world_is_dead(world))
        return;
    world_trace(world, "post",
                hash_bytes(buffer_slice(&errand->request.body),
                           (uint64_t)errand->request.endpoint)
                    .low);
    fake_api_take(world->api, &errand->request, world->now_ns, &flight.reply);
    world->flights = memory_grow(world->flights, world->flight_count + 1,
                                 &world->flight_room, sizeof(*world->flights));
    world->flights[world->flight_count++] = flight;
    world_fate_aim_flight(world);
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
    world_trace(world, "answer", (uint64_t)flight.reply.answer.status);
    fake_api_settle(world->api, world->now_ns);
    process_answer(world->process, flight.errand, &flight.reply.answer, world->now_ns);
    fake_reply_release(&flight.reply);
}

/* ---- what is due ------------------------------------------------------------------------- */

uint64_t world_mail_next_ns(const struct world *world)
{
    uint64_t next = UINT64_MAX;

    if (world->parcel_count)
        next = world->parcels[first_parcel(world)].at_ns;
    if (world->flight_count && world->flights[first_flight(world)].reply.at_ns < next)
        next = world->flights[first_flight(world)].reply.at_ns;
    return next;
}

bool world_mail_deliver(struct world *world)
{
    size_t parcel = first_parcel(world), flight = first_flight(world);

    if (world->parcel_count && world->parcels[parcel].at_ns <= world->now_ns) {
        struct parcel due = world->parcels[parcel];

        world->parcels[parcel] = world->parcels[--world->parcel_count];
        arrive(world, &due);
        return true;
    }
    if (world->flight_count && world->flights[flight].reply.at_ns <= world->now_ns) {
        land(world, flight);
        return true;
    }
    return false;
}

void world_mail_cut(struct world *world)
{
    for (size_t i = 0; i < world->unanswered_count; i++)
        reply(world, senders_request(world->senders, world->unanswered[i]),
              SENDER_UNHEARD);
    world->unanswered_count = 0;
    for (size_t i = 0; i < world->flight_count; i++)
        fake_reply_release(&world->flights[i].reply);
    world->flight_count = 0;
    fake_api_cut(world->api, world->now_ns);
}

void world_mail_release(struct world *world)
{
    for (size_t i = 0; i < world->flight_count; i++)
        fake_reply_release(&world->flights[i].reply);
    free(world->flights);
    free(world->parcels);
    free(world->unanswered);
}
