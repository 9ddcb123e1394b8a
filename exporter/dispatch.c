#include "exporter/dispatch.h"

#include "base/memory.h"
#include "exporter/classify.h"
#include "exporter/keeper.h"
#include "exporter/notice.h"
#include "exporter/receipt.h"
#include "exporter/report.h"
#include "exporter/service_registry.h"
#include "exporter/turns.h"

#include <stdlib.h>

enum {
    HOSTS_ARRIVE_MS = 10 * 60 * 1000
};

struct dispatch {
    struct dispatch_options options;
    struct loader loader;
    struct service_registry *services;
    struct keeper keeper;
    struct turns turns;
    struct receipts receipts;
    struct health health;
    unsigned flights;
};

struct dispatch *dispatch_new(const struct dispatch_options *options)
{
    struct dispatch *dispatch = memory_new(1, sizeof(*dispatch));

    dispatch->options = *options;
    loader_init(&dispatch->loader, options->outbox, host_registry_new(&options->hosts));
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
        .hosts = throttle_of(RECEIPT_HOSTS_GAP_MS, RECEIPT_HOSTS_BURST),
    };
    turns_init(&dispatch->turns, &dispatch->loader, dispatch->services,
               &dispatch->receipts);
    dispatch->turns.offset = options->offset;
    dispatch->turns.graphs = outbox_graphs(options->outbox);
    return dispatch;
}

void dispatch_free(struct dispatch *dispatch)
{
    if (!dispatch)
        return;
    turns_release(&dispatch->turns);
    host_registry_free(dispatch->loader.hosts);
    service_registry_free(dispatch->services);
    loader_release(&dispatch->loader);
    health_release(&dispatch->health);
    free(dispatch);
}

/* Have values of hosts reached Mackerel lately? Every minute should bring some. */
static bool do_hosts_arrive(const struct dispatch *dispatch, struct instant now)
{
    uint64_t last_ms = dispatch->receipts.last_hosts_ms;

    return last_ms && now.mono_ms < last_ms + HOSTS_ARRIVE_MS;
}

void dispatch_tend(struct dispatch *dispatch, struct instant now)
{
    keeper_tend(&dispatch->keeper, now);
    graph_definitions_tend(dispatch->turns.graphs, now, do_hosts_arrive(dispatch, now));
}

static struct errand *choose(struct dispatch *dispatch, struct instant now)
{
    struct errand *errand = turns_choose(&dispatch->turns, now);

    if (errand || dispatch->health.is_paused || dispatch->health.circuit.failures)
        return errand;
    return turns_choose_graphs(&dispatch->turns, now);
}

struct errand *dispatch_next(struct dispatch *dispatch, struct instant now)
{
    struct errand *errand;

    if (!health_may_send(&dispatch->health, dispatch->flights, now))
        return NULL;
    errand = choose(dispatch, now);
    if (!errand)
        return NULL;
    turns_leave(&dispatch->turns, errand, now);
    dispatch->flights++;
    return errand;
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
        dispatch->turns.questions_hold_ms = receipt_hold_ms(answer, now);
    if (errand->kind == ERRAND_HOST && is_final)
        notice_host(&dispatch->loader, request->destination,
                    host_registry_answer(hosts, request, answer, now));
    else if (errand->kind == ERRAND_HOST)
        host_registry_failed(hosts, request);
    else if (!is_final)
        service_registry_failed(dispatch->services, request);
    else if (service_registry_answer(dispatch->services, request, answer, now.mono_ms))
        notice_service_created(&dispatch->loader, request->destination);
}

static struct judgement judge(const struct errand *errand,
                              const struct api_answer *answer)
{
    return classify(&(struct outcome){
        .curl = answer->curl,
        .status = answer->status,
        .had_bytes = answer->had_bytes,
        .was_reused = answer->was_reused,
        .is_resend = errand->is_resend,
        .is_question = errand->kind != ERRAND_POST,
        .is_json = api_is_json(answer),
    });
}

void dispatch_answer(struct dispatch *dispatch, struct errand *errand,
                     const struct api_answer *answer, struct instant now)
{
    struct judgement judgement = judge(errand, answer);
    char why[TARGET_ERROR_MAX];

    receipt_describe(&errand->request, answer, why);
    turns_return(&dispatch->turns, errand);
    dispatch->flights--;
    health_count(&dispatch->health, errand->request.endpoint, answer->status);
    if (errand->kind != ERRAND_GRAPHS) /* a failure of theirs must not hold values back */
        health_note(
            &dispatch->health,
            &(struct health_news){
                .verdict = judgement.verdict,
                .sent_ms = errand->sent_ms,
                .retry_after_s = retry_after_s(answer->retry_after, instant_unix_s(now)),
                .why = why,
            },
            now);
    errand->is_resend = judgement.verdict == VERDICT_RESEND_ONCE;
    errand->is_doubtful |= errand->is_resend;
    if (errand->is_resend)
        return;
    if (errand->kind == ERRAND_POST)
        receipt_take(&dispatch->receipts, errand, judgement, answer, now);
    else if (errand->kind == ERRAND_GRAPHS)
        graph_definitions_answer(dispatch->turns.graphs, judgement.verdict, why, now);
    else
        end_question(dispatch, errand, judgement.verdict, answer, now);
    if (errand->range_count == 0) /* else the rest goes on */
        turns_end(&dispatch->turns, errand);
}

bool dispatch_is_paused(const struct dispatch *dispatch)
{
    return dispatch->health.is_paused;
}

void dispatch_renew_key(struct dispatch *dispatch, struct instant now)
{
    health_renew_key(&dispatch->health, now);
}

void dispatch_drain(struct dispatch *dispatch)
{
    turns_drain(&dispatch->turns);
    dispatch->keeper.swept_ms = 0; /* what is not to be posted goes now */
    dispatch->loader.confirms_at_once = !dispatch->options.is_durable;
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
        return target->is_busy[MACKEREL_LIVE] || target->is_busy[MACKEREL_BACKFILL] ||
               now.mono_ms < target->hold_ms || now.mono_ms < pace_next_ms(&target->pace);
    if (target->stored.destination.kind == MACKEREL_SERVICE)
        return !service_registry_explain(dispatch->services, id, text, sizeof(text));
    if (host_registry_id(dispatch->loader.hosts, id))
        return now.mono_ms < target->hold_ms ||
               !turns_may_post_hosts(&dispatch->turns, now);
    return !host_registry_explain(dispatch->loader.hosts, id, &unknown);
}

static bool has_values(const struct dispatch *dispatch)
{
    for (size_t i = 0; i < dispatch->loader.targets.count; i++)
        if (dispatch->loader.targets.targets[i].stored.values)
            return true;
    return false;
}

bool dispatch_is_drained(const struct dispatch *dispatch, struct instant now)
{
    if (dispatch->flights)
        return false;
    if (dispatch->health.is_paused)
        return true;
    /* In an outage the rest of the time is for trying, where values would be lost. */
    if (dispatch->health.circuit.failures)
        return dispatch->options.is_durable || !has_values(dispatch);
    for (size_t i = 0; i < dispatch->loader.targets.count; i++)
        if (is_hopeful(dispatch, &dispatch->loader.targets.targets[i], now))
            return false;
    return true;
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
