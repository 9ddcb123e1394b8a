#include "exporter/dispatch.h"

#include "base/log.h"
#include "base/memory.h"
#include "exporter/classify.h"
#include "exporter/host_text.h"
#include "exporter/keeper.h"
#include "exporter/pace.h"
#include "exporter/receipt.h"
#include "exporter/report.h"
#include "exporter/service_registry.h"

#include <stdlib.h>

struct dispatch {
    struct dispatch_options options;
    struct loader loader;
    struct service_registry *services;
    struct keeper keeper;
    struct errand *errands; /* in flight, or to be sent again */
    unsigned flights, backlog_flights;
    bool backlog_turn; /* services come first in the backlog */
    bool is_draining;
    uint64_t questions_hold_ms; /* after 429; monotonic */
    struct health health;
    struct receipts receipts;
};

struct dispatch *dispatch_new(const struct dispatch_options *options)
{
    struct dispatch *dispatch = memory_new(1, sizeof(*dispatch));

    dispatch->options = *options;
    dispatch->loader.outbox = options->outbox;
    dispatch->loader.hosts = host_registry_new(&options->hosts);
    dispatch->services = service_registry_new(options->create_services);
    dispatch->keeper = (struct keeper){
        .loader = &dispatch->loader,
        .services = dispatch->services,
        .unknown_max_bytes = options->outbox_max_bytes / DISPATCH_UNKNOWN_SHARE,
    };
    dispatch->health.random = options->random;
    dispatch->receipts = (struct receipts){
        .loader = &dispatch->loader,
        .services = dispatch->services,
    };
    return dispatch;
}

void dispatch_free(struct dispatch *dispatch)
{
    if (!dispatch)
        return;
    for (struct errand *errand = dispatch->errands, *next; errand; errand = next) {
        next = errand->next;
        errand_free(errand);
    }
    host_registry_free(dispatch->loader.hosts);
    service_registry_free(dispatch->services);
    owner_table_release(&dispatch->loader.owners);
    target_table_release(&dispatch->loader.targets);
    health_release(&dispatch->health);
    free(dispatch);
}

void dispatch_tend(struct dispatch *dispatch, struct instant now)
{
    keeper_tend(&dispatch->keeper, now);
}

/* ---- what to send next ------------------------------------------------------------------- */

static struct target *target_of(const struct dispatch *dispatch,
                                const struct errand *errand)
{
    return target_find(&dispatch->loader.targets, errand->request.destination);
}

/* An errand whose turn was cut off, or that goes out a second time. */
static struct errand *find_waiting(const struct dispatch *dispatch, struct instant now)
{
    for (struct errand *errand = dispatch->errands; errand; errand = errand->next) {
        const struct target *target = target_of(dispatch, errand);

        if (errand->is_in_flight)
            continue;
        if (errand->request.endpoint == API_HOST_TSDB &&
            now.mono_ms < dispatch->receipts.hosts_hold_ms)
            continue;
        if (errand->kind == ERRAND_POST && target &&
            (now.mono_ms < target->hold_ms || now.mono_ms < pace_next_ms(&target->pace)))
            continue;
        return errand;
    }
    return NULL;
}

static bool may_post(const struct dispatch *dispatch, const struct target *target,
                     enum mackerel_lane lane, struct instant now)
{
    uint64_t id = target->stored.id;

    if (target->stored.destination.kind != MACKEREL_SERVICE ||
        target->stored.values == 0 || target->is_busy || now.mono_ms < target->hold_ms)
        return false;
    if (!service_registry_exists(dispatch->services, id))
        return false;
    if (dispatch->is_draining)
        return now.mono_ms >= pace_next_ms(&target->pace);
    /* Backlog leaves room for the minutes that are fresh. */
    if (lane == MACKEREL_BACKFILL && pace_left(&target->pace, now.mono_ms) < 2)
        return false;
    return now.mono_ms >= pace_gather_ms(&target->pace);
}

static struct errand *load_service(struct dispatch *dispatch, enum mackerel_lane lane,
                                   struct instant now)
{
    for (size_t i = 0; i < dispatch->loader.targets.count; i++) {
        struct target *target = &dispatch->loader.targets.targets[i];
        struct errand *errand = NULL;

        if (may_post(dispatch, target, lane, now))
            errand = loader_take_service(&dispatch->loader, target, lane, now);
        if (errand)
            return errand;
    }
    return NULL;
}

static struct errand *load_hosts(struct dispatch *dispatch, enum mackerel_lane lane,
                                 struct instant now)
{
    if (now.mono_ms < dispatch->receipts.hosts_hold_ms)
        return NULL;
    return loader_take_hosts(&dispatch->loader, lane, now);
}

static struct errand *load_question(struct dispatch *dispatch, struct instant now)
{
    struct errand *errand = errand_new(ERRAND_HOST);

    if (now.mono_ms >= dispatch->questions_hold_ms) {
        if (host_registry_next(dispatch->loader.hosts, now.mono_ms, &errand->request))
            return errand;
        errand->kind = ERRAND_SERVICE;
        if (service_registry_next(dispatch->services, now.mono_ms, &errand->request))
            return errand;
    }
    errand_free(errand);
    return NULL;
}

static struct errand *load_backlog(struct dispatch *dispatch, struct instant now)
{
    struct errand *errand = NULL;

    if (dispatch->backlog_flights)
        return NULL;
    dispatch->backlog_turn = !dispatch->backlog_turn;
    if (dispatch->backlog_turn)
        errand = load_service(dispatch, MACKEREL_BACKFILL, now);
    if (!errand)
        errand = load_hosts(dispatch, MACKEREL_BACKFILL, now);
    if (!errand && !dispatch->backlog_turn)
        errand = load_service(dispatch, MACKEREL_BACKFILL, now);
    if (errand)
        dispatch->backlog_flights++;
    return errand;
}

static struct errand *load(struct dispatch *dispatch, struct instant now)
{
    struct errand *errand = load_hosts(dispatch, MACKEREL_LIVE, now);

    if (!errand)
        errand = load_service(dispatch, MACKEREL_LIVE, now);
    if (!errand)
        errand = load_question(dispatch, now);
    if (!errand)
        errand = load_backlog(dispatch, now);
    if (!errand)
        return NULL;
    errand->next = dispatch->errands;
    dispatch->errands = errand;
    return errand;
}

struct errand *dispatch_next(struct dispatch *dispatch, struct instant now)
{
    struct errand *errand;

    if (!health_may_send(&dispatch->health, dispatch->flights, now))
        return NULL;
    errand = find_waiting(dispatch, now);
    if (!errand)
        errand = load(dispatch, now);
    if (!errand)
        return NULL;
    if (errand->kind == ERRAND_POST) {
        struct target *target = target_of(dispatch, errand);

        errand_write(errand);
        if (target)
            pace_note(&target->pace, now.mono_ms);
    }
    errand->is_in_flight = true;
    errand->sent_ms = now.mono_ms;
    dispatch->flights++;
    return errand;
}

/* ---- answers ----------------------------------------------------------------------------- */

static void unlink_errand(struct dispatch *dispatch, struct errand *errand)
{
    struct errand **link = &dispatch->errands;

    while (*link != errand)
        link = &(*link)->next;
    *link = errand->next;
}

static void end_post(struct dispatch *dispatch, struct errand *errand)
{
    struct target *target = target_of(dispatch, errand);

    if (target)
        target->is_busy = false;
    if (errand->lane == MACKEREL_BACKFILL)
        dispatch->backlog_flights--;
}

static void log_unknown(const struct dispatch *dispatch, uint64_t id)
{
    struct host_unknown unknown;

    if (host_registry_explain(dispatch->loader.hosts, id, &unknown))
        log_event(LOG_WARN, "host unknown, its values wait",
                  LOG_TEXT("sought", unknown.sought),
                  LOG_TEXT("problem", unknown.problem), LOG_TEXT("hint", unknown.hint));
}

static void log_host(const struct dispatch *dispatch, uint64_t id, enum host_event event)
{
    const struct target *target = target_find(&dispatch->loader.targets, id);
    const char *host_id = host_registry_id(dispatch->loader.hosts, id);
    char sought[HOST_TEXT_MAX];

    if (!target)
        return;
    host_text_sought(&target->stored.destination, sought, sizeof(sought));

    const struct log_field fields[] = {LOG_TEXT("host", host_id),
                                       LOG_TEXT("sought", sought)};

    switch (event) {
    case HOST_EVENT_NONE:
    case HOST_EVENT_STILL_UNKNOWN: return;
    case HOST_EVENT_FOUND: log_write(LOG_INFO, "host found", fields, 2); return;
    case HOST_EVENT_CREATED: log_write(LOG_INFO, "host created", fields, 2); return;
    case HOST_EVENT_UNKNOWN: log_unknown(dispatch, id); return;
    case HOST_EVENT_AGENT_WRITES:
        log_write(
            LOG_WARN,
            "mackerel-agent posts on this host: its native metrics are withheld, custom "
            "metrics go on (hosts.native_metrics: on would post both)",
            fields, 2);
        return;
    case HOST_EVENT_AGENT_SILENT:
        log_write(LOG_INFO,
                  "no mackerel-agent posts on this host: its native metrics go there",
                  fields, 2);
        return;
    }
}

static void log_service(const struct dispatch *dispatch,
                        const struct api_request *request, bool was_created)
{
    const struct target *target = target_find(&dispatch->loader.targets,
                                              request->destination);

    if (was_created && target)
        log_event(LOG_INFO, "service created",
                  LOG_TEXT("service", target->stored.destination.name));
}

static void end_question(struct dispatch *dispatch, const struct errand *errand,
                         enum verdict verdict, const struct api_answer *answer,
                         struct instant now)
{
    const struct api_request *request = &errand->request;
    struct host_registry *hosts = dispatch->loader.hosts;
    bool is_final = verdict != VERDICT_RETRY && verdict != VERDICT_RETRY_NEXT_MINUTE &&
                    verdict != VERDICT_AUTH;

    if (verdict == VERDICT_RETRY_NEXT_MINUTE)
        dispatch->questions_hold_ms = receipt_hold_ms(answer, now);
    if (errand->kind == ERRAND_HOST && is_final)
        log_host(dispatch, request->destination,
                 host_registry_answer(hosts, request, answer, now.mono_ms));
    else if (errand->kind == ERRAND_HOST)
        host_registry_failed(hosts, request);
    else if (is_final)
        log_service(
            dispatch, request,
            service_registry_answer(dispatch->services, request, answer, now.mono_ms));
    else
        service_registry_failed(dispatch->services, request);
}

void dispatch_answer(struct dispatch *dispatch, struct errand *errand,
                     const struct api_answer *answer, struct instant now)
{
    const struct outcome outcome = {
        .curl = answer->curl,
        .status = answer->status,
        .had_bytes = answer->had_bytes,
        .was_reused = answer->was_reused,
        .is_resend = errand->is_resend,
    };
    struct judgement judgement = classify(&outcome);
    char why[TARGET_ERROR_MAX];

    receipt_describe(&errand->request, answer, why);
    errand->is_in_flight = false;
    dispatch->flights--;
    health_count(&dispatch->health, errand->request.endpoint, answer->status);
    health_note(&dispatch->health, judgement.verdict, errand->sent_ms, why, now);
    errand->is_resend = judgement.verdict == VERDICT_RESEND_ONCE;
    if (errand->is_resend)
        return;
    if (errand->kind == ERRAND_POST)
        receipt_take(&dispatch->receipts, errand, judgement, answer, now);
    else
        end_question(dispatch, errand, judgement.verdict, answer, now);
    if (errand->range_count)
        return; /* the rest goes on */
    if (errand->kind == ERRAND_POST)
        end_post(dispatch, errand);
    unlink_errand(dispatch, errand);
    errand_free(errand);
}

bool dispatch_is_paused(const struct dispatch *dispatch)
{
    return dispatch->health.is_paused;
}

void dispatch_drain(struct dispatch *dispatch)
{
    dispatch->is_draining = true;
}

/* Would waiting bring this destination's values out? */
static bool is_hopeful(const struct dispatch *dispatch, const struct target *target,
                       struct instant now)
{
    uint64_t id = target->stored.id;
    char text[TARGET_ERROR_MAX];
    struct host_unknown unknown;

    if (target->stored.values == 0)
        return false;
    if (service_registry_exists(dispatch->services, id))
        return target->is_busy || now.mono_ms < target->hold_ms ||
               now.mono_ms < pace_next_ms(&target->pace);
    if (target->stored.destination.kind == MACKEREL_SERVICE)
        return !service_registry_explain(dispatch->services, id, text, sizeof(text));
    if (host_registry_id(dispatch->loader.hosts, id))
        return now.mono_ms < dispatch->receipts.hosts_hold_ms ||
               now.mono_ms < target->hold_ms;
    return !host_registry_explain(dispatch->loader.hosts, id, &unknown);
}

bool dispatch_is_drained(const struct dispatch *dispatch, struct instant now)
{
    if (dispatch->flights)
        return false;
    if (dispatch->health.is_paused)
        return true;
    for (size_t i = 0; i < dispatch->loader.targets.count; i++)
        if (is_hopeful(dispatch, &dispatch->loader.targets.targets[i], now))
            return false;
    return dispatch->health.circuit.failures == 0;
}

void dispatch_read_status(const struct dispatch *dispatch, struct delivery_status *status,
                          struct instant now)
{
    report_write(
        &(struct report_sources){
            .loader = &dispatch->loader,
            .services = dispatch->services,
            .health = &dispatch->health,
            .receipts = &dispatch->receipts,
        },
        status, now);
}
