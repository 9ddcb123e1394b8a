#include "exporter/turns.h"

enum {
    /* Look-ups: a gateway that meets a thousand hosts asks for them in less than two minutes. */
    QUESTION_GAP_MS = 100,
    QUESTION_BURST = 20,
    /* A stop has 25 s: backlog of hosts goes faster then, but is no storm. */
    DRAIN_GAP_MS = 250,
};

void turns_init(struct turns *turns, struct loader *loader,
                struct service_registry *services, struct receipts *receipts)
{
    *turns = (struct turns){
        .loader = loader,
        .services = services,
        .receipts = receipts,
        .questions = throttle_of(QUESTION_GAP_MS, QUESTION_BURST),
    };
}

void turns_release(struct turns *turns)
{
    for (struct errand *errand = turns->errands, *next; errand; errand = next) {
        next = errand->next;
        errand_free(errand);
    }
    turns->errands = NULL;
}

void turns_drain(struct turns *turns)
{
    turns->is_draining = true;
    turns->receipts->hosts = throttle_of(DRAIN_GAP_MS, 1);
}

static struct target *target_of(const struct turns *turns, const struct errand *errand)
{
    return target_find(&turns->loader->targets, errand->request.destination);
}

static bool is_live_open(const struct turns *turns, struct instant now)
{
    return turns->is_draining ||
           pace_offset_is_over(&turns->offset, now.unix_ns / 1000000);
}

/* Backlog goes one request at a time, and that of hosts at a pace of its own. */
static bool is_backlog_open(const struct turns *turns, enum api_endpoint endpoint,
                            struct instant now)
{
    const struct throttle *hosts = &turns->receipts->hosts;

    if (turns->backlog_flights)
        return false;
    if (endpoint != API_HOST_TSDB || throttle_is_open(hosts, now.mono_ms))
        return true;
    return now.mono_ms >= turns->backlog_ms + RECEIPT_BACKLOG_LEAST * hosts->gap_ms;
}

static bool may_post_hosts(const struct turns *turns, enum mackerel_lane lane,
                           struct instant now)
{
    if (now.mono_ms < turns->receipts->hosts_hold_ms)
        return false;
    return lane == MACKEREL_LIVE || is_backlog_open(turns, API_HOST_TSDB, now);
}

bool turns_may_post_hosts(const struct turns *turns, struct instant now)
{
    return may_post_hosts(turns, MACKEREL_BACKFILL, now);
}

static bool may_post_service(const struct turns *turns, const struct target *target,
                             enum mackerel_lane lane, struct instant now)
{
    if (now.mono_ms < target->hold_ms || now.mono_ms < pace_next_ms(&target->pace))
        return false;
    if (lane == MACKEREL_LIVE)
        return true;
    return is_backlog_open(turns, API_SERVICE_TSDB, now) &&
           (turns->is_draining || pace_left(&target->pace, now.mono_ms) >= 2);
}

static bool may_go(const struct turns *turns, const struct errand *errand,
                   struct instant now)
{
    const struct target *target = target_of(turns, errand);

    if (errand->is_resend || errand->kind != ERRAND_POST)
        return true;
    if (errand->request.endpoint == API_HOST_TSDB)
        return may_post_hosts(turns, errand->lane, now);
    return !target || may_post_service(turns, target, errand->lane, now);
}

/* An errand whose turn was cut off, or that goes out a second time. */
static struct errand *find_waiting(const struct turns *turns, enum mackerel_lane lane,
                                   struct instant now)
{
    for (struct errand *errand = turns->errands; errand; errand = errand->next)
        if (!errand->is_in_flight && (errand->is_resend || errand->lane == lane) &&
            may_go(turns, errand, now))
            return errand;
    return NULL;
}

/* Fresh values gather first, backlog leaves gaps. */
static bool is_time_to_load(const struct turns *turns, const struct target *target,
                            enum mackerel_lane lane, struct instant now)
{
    if (turns->is_draining)
        return true;
    if (lane == MACKEREL_LIVE)
        return now.mono_ms >= pace_gather_ms(&target->pace);
    return now.mono_ms >= pace_backlog_ms(&target->pace, now.mono_ms);
}

static bool has_post(const struct turns *turns, const struct target *target,
                     enum mackerel_lane lane, struct instant now)
{
    return target->stored.destination.kind == MACKEREL_SERVICE && target->stored.values &&
           !target->is_busy[lane] &&
           service_registry_exists(turns->services, target->stored.id) &&
           may_post_service(turns, target, lane, now) &&
           is_time_to_load(turns, target, lane, now);
}

static struct errand *load_service(struct turns *turns, enum mackerel_lane lane,
                                   struct instant now)
{
    for (size_t i = 0; i < turns->loader->targets.count; i++) {
        struct target *target = &turns->loader->targets.targets[i];
        struct errand *errand = NULL;

        if (has_post(turns, target, lane, now))
            errand = loader_take_service(turns->loader, target, lane, now);
        if (errand)
            return errand;
    }
    return NULL;
}

static struct errand *load_hosts(struct turns *turns, enum mackerel_lane lane,
                                 struct instant now)
{
    if (!may_post_hosts(turns, lane, now))
        return NULL;
    return loader_take_hosts(turns->loader, lane, now);
}

static struct errand *load_question(struct turns *turns, struct instant now)
{
    struct errand *errand;

    if (now.mono_ms < turns->questions_hold_ms ||
        !throttle_is_open(&turns->questions, now.mono_ms))
        return NULL;
    errand = errand_new(ERRAND_HOST);
    if (host_registry_next(turns->loader->hosts, now.mono_ms, &errand->request))
        return errand;
    errand->kind = ERRAND_SERVICE;
    if (service_registry_next(turns->services, now.mono_ms, &errand->request))
        return errand;
    errand_free(errand);
    return NULL;
}

static struct errand *load_live(struct turns *turns, struct instant now)
{
    struct errand *errand;

    if (!is_live_open(turns, now))
        return NULL;
    errand = load_hosts(turns, MACKEREL_LIVE, now);
    return errand ? errand : load_service(turns, MACKEREL_LIVE, now);
}

static struct errand *load_backlog(struct turns *turns, struct instant now)
{
    struct errand *errand = NULL;

    if (turns->backlog_flights)
        return NULL;
    turns->backlog_turn = !turns->backlog_turn;
    if (turns->backlog_turn)
        errand = load_service(turns, MACKEREL_BACKFILL, now);
    if (!errand)
        errand = load_hosts(turns, MACKEREL_BACKFILL, now);
    if (!errand && !turns->backlog_turn)
        errand = load_service(turns, MACKEREL_BACKFILL, now);
    return errand;
}

static struct errand *link_errand(struct turns *turns, struct errand *errand)
{
    if (!errand)
        return NULL;
    errand->next = turns->errands;
    turns->errands = errand;
    return errand;
}

/* What is fresh goes first, then questions on which values wait, then backlog. */
struct errand *turns_choose(struct turns *turns, struct instant now)
{
    struct errand *errand = find_waiting(turns, MACKEREL_LIVE, now);

    if (!errand)
        errand = link_errand(turns, load_live(turns, now));
    if (!errand)
        errand = link_errand(turns, load_question(turns, now));
    if (!errand)
        errand = find_waiting(turns, MACKEREL_BACKFILL, now);
    if (!errand)
        errand = link_errand(turns, load_backlog(turns, now));
    return errand;
}

struct errand *turns_choose_graphs(struct turns *turns, struct instant now)
{
    struct errand *errand;

    if (turns->is_draining)
        return NULL;
    errand = errand_new(ERRAND_GRAPHS);
    if (graph_definitions_next(turns->graphs, now, &errand->request))
        return link_errand(turns, errand);
    errand_free(errand);
    return NULL;
}

/* Tells the registry which minutes of loadavg5 are ours, before Mackerel shows them. */
static void note_load(const struct turns *turns, const struct errand *errand)
{
    struct range top = errand_top(errand);

    for (size_t i = top.first; i < top.first + top.count; i++) {
        const struct outbox_item *item = &errand->batch.items[i];

        if (item->native && slice_is(item->name, "loadavg5"))
            host_registry_posted_load(turns->loader->hosts, item->destination,
                                      item->minute_s);
    }
}

static void send_post(struct turns *turns, struct errand *errand, struct instant now)
{
    struct target *target = target_of(turns, errand);
    bool is_live = errand->lane == MACKEREL_LIVE;

    errand_write(errand);
    note_load(turns, errand);
    if (target)
        pace_note(&target->pace, now.mono_ms, is_live);
    if (!is_live)
        turns->backlog_flights++;
    if (errand->request.endpoint != API_HOST_TSDB)
        return;
    throttle_note(&turns->receipts->hosts, now.mono_ms);
    if (!is_live)
        turns->backlog_ms = now.mono_ms;
}

void turns_leave(struct turns *turns, struct errand *errand, struct instant now)
{
    if (errand->kind == ERRAND_POST)
        send_post(turns, errand, now);
    else if (errand->kind != ERRAND_GRAPHS)
        throttle_note(&turns->questions, now.mono_ms);
    errand->is_in_flight = true;
    errand->sent_ms = now.mono_ms;
}

void turns_return(struct turns *turns, struct errand *errand)
{
    errand->is_in_flight = false;
    if (errand->kind == ERRAND_POST && errand->lane == MACKEREL_BACKFILL)
        turns->backlog_flights--;
}

void turns_end(struct turns *turns, struct errand *errand)
{
    struct errand **link = &turns->errands;
    struct target *target = target_of(turns, errand);

    if (errand->kind == ERRAND_POST && target)
        target->is_busy[errand->lane] = false;
    while (*link != errand)
        link = &(*link)->next;
    *link = errand->next;
    errand_free(errand);
}
