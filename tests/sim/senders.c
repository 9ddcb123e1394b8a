#include "tests/sim/senders.h"

#include "base/memory.h"
#include "tests/sim/chance.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STREAMS_MAX = 12,  /* of a sender */
    FLIGHTS_MAX = 4,   /* requests of a sender on their way at a time */
    QUEUE_MAX = 10000, /* requests of a sender that wait */
};

static const uint64_t S_NS = 1000000000, MS_NS = 1000000;
static const double bounds[SENDER_BOUNDS] = {10, 100, 1000};

/* What a stream measures. */
struct gauge {
    unsigned stream; /* index in senders.streams */
    enum scene_kind kind;
    char metric[SENDER_TEXT_MAX];
    const char *attribute;
    double value, sum;
    uint64_t buckets[SENDER_BOUNDS + 1];
};

struct flight {
    unsigned request;
    uint64_t first_ns; /* of its first attempt; 0: none yet */
    uint64_t next_ns;  /* of the next attempt; UINT64_MAX: on its way */
    unsigned attempts;
};

struct sender {
    struct chance chance;
    char service[SENDER_TEXT_MAX], instance[SENDER_TEXT_MAX], host[SENDER_TEXT_MAX];
    struct scene_resource resource;
    struct gauge gauges[STREAMS_MAX];
    size_t gauge_count;
    uint64_t interval_ns, next_export_ns, last_export_ns;
    int64_t clock_error_ns;
    uint64_t start_ns; /* of the process that is measured, by the sender's clock */
    unsigned restarts_one_in, silent_one_in, hiccups_one_in;
    uint64_t silent_until_ns;          /* measures nothing until then */
    uint64_t cut_off_ns, cut_until_ns; /* does not reach the gateway in between */
    uint64_t gives_up_ns;              /* after the first attempt */
    unsigned max_flights;
    struct flight *queue; /* in the order of measuring */
    size_t queued, queue_room;
};

/* Where requests that set off go. */
struct outlet {
    senders_send *send;
    void *self;
};

struct senders {
    struct senders_options options;
    struct sender *senders;
    struct sim_stream *streams;
    size_t stream_count, stream_room;
    struct sim_request **requests;
    size_t request_count, request_room;
    struct senders_stats stats;
};

/* ---- drawing a sender -------------------------------------------------------------------- */

static void add_stream(struct senders *senders, unsigned index, const char *metric,
                       enum scene_kind kind, const char *attribute)
{
    struct sender *sender = &senders->senders[index];
    struct gauge *gauge = &sender->gauges[sender->gauge_count++];
    bool is_host = sender->host[0] && strncmp(metric, "system.", 7) == 0;
    struct sim_stream *stream;

    senders->streams = memory_grow(senders->streams, senders->stream_count + 1,
                                   &senders->stream_room, sizeof(*senders->streams));
    stream = &senders->streams[senders->stream_count];
    *stream = (struct sim_stream){
        .sender = index,
        .kind = kind,
        /* Deltas of nameless senders are one stream. */
        .is_orderly = sender->max_flights == 1 &&
                      (sender->resource.instance ||
                       (kind != SCENE_DELTA && kind != SCENE_DELTA_HISTOGRAM)),
    };
    snprintf(stream->destination, sizeof(stream->destination), "%s %.40s",
             is_host ? "host" : "service", is_host ? sender->host : sender->service);
    snprintf(stream->name, sizeof(stream->name), "%s%.40s", is_host ? "custom." : "",
             metric);
    *gauge = (struct gauge){
        .stream = (unsigned)senders->stream_count++,
        .kind = kind,
        .attribute = attribute,
    };
    snprintf(gauge->metric, sizeof(gauge->metric), "%s", metric);
}

static const char *metric_name(enum scene_kind kind)
{
    static const char *const names[] = {
        [SCENE_GAUGE] = "level",        [SCENE_UPDOWN] = "active",
        [SCENE_COUNTER] = "requests",   [SCENE_DELTA] = "events",
        [SCENE_HISTOGRAM] = "duration", [SCENE_DELTA_HISTOGRAM] = "size",
    };

    return names[kind];
}

/* Totals of a service are shared by its instances; values are each instance's own. */
static void add_metric(struct senders *senders, unsigned index, enum scene_kind kind)
{
    struct sender *sender = &senders->senders[index];
    bool is_total = kind != SCENE_GAUGE && kind != SCENE_UPDOWN;
    char metric[SENDER_TEXT_MAX];

    if (is_total)
        snprintf(metric, sizeof(metric), "%s", metric_name(kind));
    else
        snprintf(metric, sizeof(metric), "%s.%u", metric_name(kind), index);
    if (is_total && chance_one_in(&sender->chance, 2)) {
        add_stream(senders, index, metric, kind, "a");
        add_stream(senders, index, metric, kind, "b");
    } else {
        add_stream(senders, index, metric, kind, NULL);
    }
}

static void draw_metrics(struct senders *senders, unsigned index)
{
    struct sender *sender = &senders->senders[index];
    char metric[SENDER_TEXT_MAX];

    for (int kind = SCENE_GAUGE; kind <= SCENE_DELTA_HISTOGRAM; kind++)
        if (chance_one_in(&sender->chance, 2))
            add_metric(senders, index, (enum scene_kind)kind);
    if (sender->gauge_count == 0)
        add_metric(senders, index, SCENE_COUNTER);
    if (sender->host[0]) {
        snprintf(metric, sizeof(metric), "system.sim.%u", index);
        add_stream(senders, index, metric, SCENE_GAUGE, NULL);
    }
    if (chance_one_in(&sender->chance, 6) && senders->options.has_poison)
        add_stream(senders, index, "poison", SCENE_GAUGE, NULL);
}

static bool has_deltas(const struct sender *sender)
{
    for (size_t i = 0; i < sender->gauge_count; i++)
        if (sender->gauges[i].kind == SCENE_DELTA ||
            sender->gauges[i].kind == SCENE_DELTA_HISTOGRAM)
            return true;
    return false;
}

static void draw_habits(const struct senders *senders, struct sender *sender)
{
    struct chance *chance = &sender->chance;
    uint64_t most_s = has_deltas(sender) ? 9 * 60 : 3600;

    sender->interval_ns = (chance_one_in(chance, 2) ? 10 : 60) * S_NS;
    sender->clock_error_ns = (int64_t)(chance_below(chance, 4000) * MS_NS) -
                             (int64_t)(2000 * MS_NS);
    sender->restarts_one_in = chance_one_in(chance, 2) ? 60 : 0;
    sender->silent_one_in = chance_one_in(chance, 3) ? 50 : 0;
    sender->hiccups_one_in = chance_one_in(chance, 3) ? 10 : 0;
    if (chance_one_in(chance, 3)) {
        /* After an hour of silence a stream is forgotten. */
        uint64_t most_cut_s = chance_one_in(chance, 6) ? 2 * 3600 : 50 * 60;
        uint64_t measuring_s = (senders->options.until_ns - senders->options.from_ns) /
                               S_NS;

        sender->cut_off_ns = senders->options.from_ns +
                             chance_below(chance, measuring_s) * S_NS;
        sender->cut_until_ns = sender->cut_off_ns +
                               chance_between(chance, 60, most_cut_s) * S_NS;
    }
    sender->gives_up_ns = chance_one_in(chance, 4)
                              ? 1 /* one attempt only */
                              : chance_between(chance, 60, most_s) * S_NS;
}

static void draw(struct senders *senders, unsigned index)
{
    struct sender *sender = &senders->senders[index];
    struct chance all = chance_of(senders->options.seed);
    struct chance *chance = &sender->chance;

    sender->chance = chance_split(&all, index);
    snprintf(sender->service, sizeof(sender->service), "svc-%u",
             (unsigned)chance_below(
                 chance, senders->options.shares_service ? 1 : senders->options.count));
    snprintf(sender->instance, sizeof(sender->instance), "instance-%u", index);
    if (chance_one_in(chance, 3))
        snprintf(sender->host, sizeof(sender->host), "host-%u", index);
    sender->resource = (struct scene_resource){
        .service = sender->service,
        .instance = chance_one_in(chance, 4) ? NULL : sender->instance,
        .host = sender->host[0] ? sender->host : NULL,
        .is_sdk = true,
    };
    sender->max_flights = chance_one_in(chance, 4)
                              ? (unsigned)chance_between(chance, 2, FLIGHTS_MAX)
                              : 1;
    draw_metrics(senders, index);
    draw_habits(senders, sender);
    sender->start_ns = senders->options.from_ns + chance_below(chance, 120) * S_NS;
    sender->next_export_ns = sender->start_ns +
                             chance_between(chance, 2000, 60000) * MS_NS;
    sender->last_export_ns = sender->start_ns;
}

struct senders *senders_new(const struct senders_options *options)
{
    struct senders *senders = memory_new(1, sizeof(*senders));

    senders->options = *options;
    senders->senders = memory_new(options->count, sizeof(*senders->senders));
    for (unsigned i = 0; i < options->count; i++)
        draw(senders, i);
    return senders;
}

void senders_free(struct senders *senders)
{
    if (!senders)
        return;
    for (size_t i = 0; i < senders->request_count; i++) {
        buffer_release(&senders->requests[i]->body);
        free(senders->requests[i]->points);
        free(senders->requests[i]);
    }
    for (unsigned i = 0; i < senders->options.count; i++)
        free(senders->senders[i].queue);
    free(senders->requests);
    free(senders->senders);
    free(senders->streams);
    free(senders);
}

void senders_list_destinations(const struct senders *senders,
                               void (*found)(void *self, bool is_host, const char *name),
                               void *self)
{
    for (unsigned i = 0; i < senders->options.count; i++) {
        char name[SENDER_TEXT_MAX];

        snprintf(name, sizeof(name), "svc-%u", i);
        found(self, false, name);
        if (senders->senders[i].host[0])
            found(self, true, senders->senders[i].host);
    }
}

/* ---- measuring --------------------------------------------------------------------------- */

/* The process that is measured begins anew: totals are zero again. */
static void restart(struct sender *sender, uint64_t start_ns)
{
    sender->start_ns = start_ns;
    for (size_t i = 0; i < sender->gauge_count; i++) {
        struct gauge *gauge = &sender->gauges[i];

        if (gauge->kind == SCENE_GAUGE || gauge->kind == SCENE_UPDOWN)
            continue;
        gauge->value = gauge->sum = 0;
        memset(gauge->buckets, 0, sizeof(gauge->buckets));
    }
}

static void move_histogram(struct gauge *gauge, struct chance *chance)
{
    uint64_t count = chance_one_in(chance, 5) ? 0 : chance_below(chance, 30);

    for (uint64_t i = 0; i < count; i++) {
        size_t bucket = chance_below(chance, SENDER_BOUNDS + 1);

        gauge->buckets[bucket]++;
        gauge->sum += bucket ? bounds[bucket - 1] + 1 : 1;
    }
}

/* What happened since the last export. */
static void move(struct gauge *gauge, struct chance *chance)
{
    switch (gauge->kind) {
    case SCENE_GAUGE: gauge->value = (double)chance_below(chance, 1000) / 8; return;
    case SCENE_UPDOWN: gauge->value = (double)chance_below(chance, 200); return;
    case SCENE_DELTA: gauge->value = (double)chance_below(chance, 100); return;
    case SCENE_COUNTER:
        if (!chance_one_in(chance, 5))
            gauge->value += (double)chance_below(chance, 100);
        return;
    case SCENE_DELTA_HISTOGRAM:
        gauge->sum = 0;
        memset(gauge->buckets, 0, sizeof(gauge->buckets));
        move_histogram(gauge, chance);
        return;
    case SCENE_HISTOGRAM: move_histogram(gauge, chance); return;
    case SCENE_EXPONENTIAL:
    case SCENE_DELTA_EXPONENTIAL:
    case SCENE_SUMMARY: return; /* no sender has these */
    }
}

static double scene_s(uint64_t unix_ns)
{
    return (double)(unix_ns - SCENE_MIDNIGHT_S * S_NS) / 1e9;
}

static struct sim_point make_point(const struct sender *sender, const struct gauge *gauge,
                                   uint64_t time_ns)
{
    struct sim_point point = {
        .stream = gauge->stream,
        .time_ns = time_ns,
        .value = gauge->value,
    };

    switch (gauge->kind) {
    case SCENE_GAUGE:
    case SCENE_UPDOWN:
    case SCENE_EXPONENTIAL:
    case SCENE_DELTA_EXPONENTIAL:
    case SCENE_SUMMARY: break;
    case SCENE_DELTA:
    case SCENE_DELTA_HISTOGRAM: point.start_ns = sender->last_export_ns; break;
    case SCENE_COUNTER:
    case SCENE_HISTOGRAM: point.start_ns = sender->start_ns; break;
    }
    if (gauge->kind == SCENE_HISTOGRAM || gauge->kind == SCENE_DELTA_HISTOGRAM) {
        point.value = gauge->sum;
        for (size_t i = 0; i <= SENDER_BOUNDS; i++)
            point.count += gauge->buckets[i];
    }
    return point;
}

static void write_point(struct sim_request *request, const struct sender *sender,
                        const struct gauge *gauge, const struct sim_point *point)
{
    struct scene_point written = {
        .start_s = point->start_ns ? scene_s(point->start_ns) : 0,
        .time_s = scene_s(point->time_ns),
        .value = point->value,
        .key = gauge->attribute ? "k" : NULL,
        .attribute = gauge->attribute,
        .count = point->count,
        .buckets = gauge->buckets,
        .bounds = bounds,
        .bound_count = SENDER_BOUNDS,
    };

    scene_body_append(
        &request->body,
        &(struct scene_metric){&sender->resource, gauge->kind, gauge->metric}, &written,
        1);
    request->points = memory_grow(request->points, request->count + 1, &request->room,
                                  sizeof(*request->points));
    request->points[request->count++] = *point;
}

static struct sim_request *new_request(struct senders *senders, unsigned index)
{
    struct sim_request *request = memory_new(1, sizeof(*request));

    senders->requests = memory_grow(senders->requests, senders->request_count + 1,
                                    &senders->request_room, sizeof(*senders->requests));
    request->id = (unsigned)senders->request_count;
    request->sender = index;
    senders->requests[senders->request_count++] = request;
    return request;
}

static void enqueue(struct sender *sender, unsigned request, uint64_t now_ns)
{
    if (sender->queued == QUEUE_MAX)
        return;
    sender->queue = memory_grow(sender->queue, sender->queued + 1, &sender->queue_room,
                                sizeof(*sender->queue));
    sender->queue[sender->queued++] = (struct flight){request, 0, now_ns, 0};
}

static void export(struct senders *senders, unsigned index, uint64_t now_ns)
{
    struct sender *sender = &senders->senders[index];
    struct chance *chance = &sender->chance;
    uint64_t time_ns = (uint64_t)((int64_t)now_ns + sender->clock_error_ns);
    struct sim_request *request;

    sender->next_export_ns += sender->interval_ns;
    if (now_ns < sender->silent_until_ns)
        return;
    if (chance_one_in(chance, sender->restarts_one_in))
        restart(sender, time_ns - chance_between(chance, 1100, 5000) * MS_NS);
    if (chance_one_in(chance, sender->silent_one_in))
        sender->silent_until_ns = now_ns + chance_between(chance, 60, 1800) * S_NS;
    if (now_ns >= sender->cut_until_ns && chance_one_in(chance, sender->hiccups_one_in)) {
        sender->cut_off_ns = now_ns;
        sender->cut_until_ns = now_ns + chance_between(chance, 20, 240) * S_NS;
    }
    request = new_request(senders, index);
    for (size_t i = 0; i < sender->gauge_count; i++) {
        struct gauge *gauge = &sender->gauges[i];
        struct sim_point point;

        move(gauge, chance);
        point = make_point(sender, gauge, time_ns);
        write_point(request, sender, gauge, &point);
    }
    sender->last_export_ns = time_ns;
    senders->stats.requests++;
    senders->stats.points += request->count;
    enqueue(sender, request->id, now_ns);
}

/* ---- sending ----------------------------------------------------------------------------- */

static void drop_flight(struct sender *sender, size_t at)
{
    sender->queued--;
    memmove(&sender->queue[at], &sender->queue[at + 1],
            (sender->queued - at) * sizeof(*sender->queue));
}

static size_t flights_of(const struct sender *sender)
{
    return sender->queued < sender->max_flights ? sender->queued : sender->max_flights;
}

uint64_t senders_next_ns(const struct senders *senders)
{
    uint64_t next_ns = UINT64_MAX;

    for (unsigned i = 0; i < senders->options.count; i++) {
        const struct sender *sender = &senders->senders[i];

        if (sender->next_export_ns < senders->options.until_ns &&
            sender->next_export_ns < next_ns)
            next_ns = sender->next_export_ns;
        for (size_t j = 0; j < flights_of(sender); j++)
            if (sender->queue[j].next_ns < next_ns)
                next_ns = sender->queue[j].next_ns;
    }
    return next_ns;
}

/* True when the flight is gone. */
static bool give_up_if_due(struct senders *senders, struct sender *sender, size_t at,
                           uint64_t now_ns)
{
    const struct flight *flight = &sender->queue[at];

    if (flight->first_ns == 0 || now_ns - flight->first_ns < sender->gives_up_ns)
        return false;
    senders->stats.given_up++;
    drop_flight(sender, at);
    return true;
}

static void attempt(struct senders *senders, struct flight *flight, uint64_t now_ns)
{
    if (flight->first_ns == 0)
        flight->first_ns = now_ns;
    flight->next_ns = UINT64_MAX;
    flight->attempts++;
    senders->stats.attempts++;
}

static void send_due(struct senders *senders, struct sender *sender, uint64_t now_ns,
                     const struct outlet *outlet)
{
    for (size_t i = 0; i < flights_of(sender);) {
        struct flight *flight = &sender->queue[i];
        unsigned request = flight->request;

        if (flight->next_ns > now_ns) {
            i++;
        } else if (now_ns >= sender->cut_off_ns && now_ns < sender->cut_until_ns) {
            flight->next_ns = sender->cut_until_ns;
            i++;
        } else if (!give_up_if_due(senders, sender, i, now_ns)) {
            attempt(senders, flight, now_ns);
            outlet->send(outlet->self, senders->requests[request]);
            i++;
        }
    }
}

void senders_step(struct senders *senders, uint64_t now_ns, senders_send *send,
                  void *self)
{
    const struct outlet outlet = {send, self};

    for (unsigned i = 0; i < senders->options.count; i++) {
        struct sender *sender = &senders->senders[i];

        if (sender->next_export_ns < senders->options.until_ns &&
            sender->next_export_ns <= now_ns)
            export(senders, i, now_ns);
        send_due(senders, sender, now_ns, &outlet);
    }
}

/* 1 s, 2 s, 4 s, ... 30 s, as collectors do it. */
static uint64_t pause_ns(struct sender *sender, unsigned attempts)
{
    uint64_t most_ms = attempts < 5 ? (uint64_t)1000 << attempts : 30000;

    return chance_between(&sender->chance, most_ms / 2, most_ms) * MS_NS;
}

void senders_answer(struct senders *senders, unsigned request, enum sender_answer answer,
                    uint64_t now_ns)
{
    struct sender *sender = &senders->senders[senders->requests[request]->sender];
    size_t at = 0;

    while (sender->queue[at].request != request)
        at++;
    senders->stats.acknowledged += answer == SENDER_ACKNOWLEDGED;
    senders->stats.refused += answer == SENDER_REFUSED;
    senders->stats.unheard += answer == SENDER_UNHEARD;
    if (answer == SENDER_ACKNOWLEDGED) {
        drop_flight(sender, at);
        return;
    }
    if (give_up_if_due(senders, sender, at, now_ns))
        return;
    sender->queue[at].next_ns = now_ns + pause_ns(sender, sender->queue[at].attempts);
}

/* ---- the truth --------------------------------------------------------------------------- */

size_t senders_stream_count(const struct senders *senders)
{
    return senders->stream_count;
}

const struct sim_stream *senders_stream(const struct senders *senders, size_t index)
{
    return &senders->streams[index];
}

const struct sim_request *senders_request(const struct senders *senders, unsigned id)
{
    return senders->requests[id];
}

const struct senders_stats *senders_stats(const struct senders *senders)
{
    return &senders->stats;
}
