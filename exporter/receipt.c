#include "exporter/receipt.h"

#include "base/log.h"

#include <stdio.h>

/* What to think of an answer that does not explain itself. */
static const char *guess(const struct api_answer *answer)
{
    if (answer->status / 100 == 2)
        return "not Mackerel's JSON: does a proxy or a log-in page answer?";
    if (answer->status / 100 == 3)
        return "a redirect, which is not followed: check mackerel.apibase and proxies";
    if (answer->status == 407)
        return "the proxy wants a name and a password (https_proxy)";
    return "no reason given";
}

/* libcurl says well what is wrong; here is what it cannot know. */
static const char *advise(const char *error)
{
    /* OpenSSL: "unable to get local issuer certificate", "self-signed certificate in ...". */
    if (error && (strstr(error, "issuer certificate") || strstr(error, "self-signed") ||
                  strstr(error, "self signed")))
        return "; mackerel.ca_file names authorities to trust";
    return "";
}

void receipt_describe(const struct api_request *request, const struct api_answer *answer,
                      char text[static TARGET_ERROR_MAX])
{
    char why[160];

    if (answer->status == 0) {
        snprintf(text, TARGET_ERROR_MAX, "%s failed: %.150s%s",
                 api_name(request->endpoint), answer->error ? answer->error : "no answer",
                 advise(answer->error));
        return;
    }
    if (answer->status / 100 == 3 || !mackerel_read_error(answer->body, why, sizeof(why)))
        snprintf(why, sizeof(why), "%s", guess(answer));
    snprintf(text, TARGET_ERROR_MAX, "%s answered %d: %s", api_name(request->endpoint),
             answer->status, why);
}

uint64_t receipt_hold_ms(const struct api_answer *answer, struct instant now)
{
    uint64_t wait_s = retry_after_s(answer->retry_after, instant_unix_s(now));

    if (wait_s == 0)
        wait_s = 60 - instant_unix_s(now) % 60;
    return now.mono_ms + wait_s * 1000;
}

static struct target *target_of(const struct receipts *receipts,
                                const struct errand *errand)
{
    return target_find(&receipts->loader->targets, errand->request.destination);
}

static void settle_top(const struct receipts *receipts, struct errand *errand,
                       enum outbox_end end, struct instant now)
{
    struct range top = errand_top(errand);

    if (end == OUTBOX_DELIVERED)
        now = loader_time(receipts->loader, now);
    outbox_settle(receipts->loader->outbox, errand->batch.items + top.first, top.count,
                  &(struct outbox_verdict){
                      .end = end,
                      .now_ns = now.unix_ns,
                      .is_doubtful = errand->is_doubtful,
                  });
    errand_pop(errand);
}

/* Gives all values back; the top range, which was on its way, as `end` says. */
static void give_back(const struct receipts *receipts, struct errand *errand,
                      enum outbox_end end, struct instant now)
{
    for (; errand->range_count; end = OUTBOX_RETURNED)
        settle_top(receipts, errand, end, now);
}

/* Calls for each destination of the top range, once where its items lie together. */
static void for_each_target(const struct receipts *receipts, const struct errand *errand,
                            void (*note)(struct target *target, struct instant now,
                                         const char *text),
                            struct instant now, const char *text)
{
    struct range top = errand_top(errand);
    uint64_t last = 0;

    for (size_t i = top.first; i < top.first + top.count; i++) {
        uint64_t id = errand->batch.items[i].destination;
        struct target *target = id == last ? NULL
                                           : target_find(&receipts->loader->targets, id);

        last = id;
        if (target)
            note(target, now, text);
    }
}

static void note_post(struct target *target, struct instant now, const char *text)
{
    (void)text;
    target->last_post_ns = now.unix_ns;
    target->failed_ms = 0;
}

static void note_error(struct target *target, struct instant now, const char *text)
{
    target_note_error(target, now.unix_ns, text);
}

static void note_failure(struct target *target, struct instant now, const char *text)
{
    (void)text;
    target->failed_ms = now.mono_ms ? now.mono_ms : 1;
}

/* The size of requests that this one teaches something about. */
static struct portion *portion_for(struct receipts *receipts, const struct errand *errand)
{
    struct target *target = target_of(receipts, errand);

    if (errand->request.endpoint == API_HOST_TSDB)
        return errand->lane == MACKEREL_LIVE ? &receipts->loader->live
                                             : &receipts->loader->backlog;
    if (target && errand->lane == MACKEREL_BACKFILL)
        return &target->backlog;
    return &receipts->nobodys;
}

static void tell_odd_answer(struct receipts *receipts, const struct errand *errand,
                            const struct api_answer *answer)
{
    char text[TARGET_ERROR_MAX];

    if (receipts->has_told_odd_answer || api_is_json(answer))
        return;
    receipts->has_told_odd_answer = true;
    receipt_describe(&errand->request, answer, text);
    log_event(LOG_WARN, "values count as delivered, but the answer is odd",
              LOG_TEXT("answer", text));
}

static void take_delivered(struct receipts *receipts, struct errand *errand,
                           const struct api_answer *answer, struct instant now)
{
    struct portion *portion = portion_for(receipts, errand);

    receipts->last_post_ns = now.unix_ns;
    if (errand->request.endpoint == API_HOST_TSDB)
        receipts->last_hosts_ms = now.mono_ms ? now.mono_ms : 1;
    tell_odd_answer(receipts, errand, answer);
    for_each_target(receipts, errand, note_post, now, NULL);
    if (errand->lane == MACKEREL_BACKFILL)
        portion_accepted(portion, errand_top(errand).count,
                         now.mono_ms - errand->sent_ms);
    if (errand->request.endpoint == API_HOST_TSDB && errand->lane == MACKEREL_BACKFILL)
        throttle_speed_up(&receipts->hosts);
    settle_top(receipts, errand, OUTBOX_DELIVERED, now);
}

static void reject(struct receipts *receipts, struct errand *errand, const char *why,
                   struct instant now)
{
    const struct outbox_item *item = &errand->batch.items[errand_top(errand).first];
    int name_len = item->name.len > 90 ? 90 : (int)item->name.len;

    snprintf(receipts->last_rejected, sizeof(receipts->last_rejected), "%.*s: %.150s",
             name_len, item->name.ptr, why);
    log_event(LOG_WARN, "value given up", LOG_TEXT("metric", item->name),
              LOG_TEXT("error", why));

    bool is_barred = poison_strike(&receipts->loader->poisons, item->destination,
                                   item->name, now.mono_ms);

    if (is_barred)
        log_event(LOG_WARN, "refused again: the metric is given up for an hour",
                  LOG_TEXT("metric", item->name));
    settle_top(receipts, errand, OUTBOX_REJECTED, now);
    /* There may be more values of it in what is left: take that anew without them. */
    if (is_barred)
        give_back(receipts, errand, OUTBOX_RETURNED, now);
}

static void take_not_found(const struct receipts *receipts, struct errand *errand,
                           struct instant now)
{
    struct range top = errand_top(errand);
    uint64_t id = errand->batch.items[top.first].destination;

    if (errand->request.endpoint == API_SERVICE_TSDB) {
        service_registry_lost(receipts->services, id, now.mono_ms);
        give_back(receipts, errand, OUTBOX_RETURNED, now);
        return;
    }

    size_t cut = batch_host_cut(errand->entries + top.first, top.count);

    if (cut) {
        errand_cut(errand, cut);
        return;
    }
    host_registry_lost(receipts->loader->hosts, id, now.mono_ms);
    settle_top(receipts, errand, OUTBOX_RETURNED, now);
}

/* 413: smaller bodies from here on. */
static void shrink(struct receipts *receipts, struct errand *errand, struct instant now)
{
    struct target *target = target_of(receipts, errand);
    struct portion *portion = portion_for(receipts, errand);

    portion_refused(portion, errand_top(errand).count, now.mono_ms);
    errand->limits.max_bytes = errand->request.body.len / 2;
    if (!target)
        return;
    target->max_bytes = errand->limits.max_bytes;
    target->small_until_ms = now.mono_ms + PORTION_MEMORY_MS;
}

/* A host whose values are all refused may be retired: then they wait, and none is given up. */
static bool is_doubtful(const struct receipts *receipts, const struct errand *errand,
                        struct instant now)
{
    uint64_t id = errand->batch.items[errand_top(errand).first].destination;

    return errand->request.endpoint == API_HOST_TSDB &&
           host_registry_doubt(receipts->loader->hosts, id, now.mono_ms);
}

static void take_bad(struct receipts *receipts, struct errand *errand, const char *why,
                     struct instant now)
{
    struct range top = errand_top(errand);
    size_t cut = batch_host_cut(errand->entries + top.first, top.count);

    if (cut)
        errand_cut(errand, cut);
    else if (is_doubtful(receipts, errand, now))
        settle_top(receipts, errand, OUTBOX_RETURNED, now);
    else if (top.count > 1)
        errand_cut(errand, batch_halve(top.count));
    else
        reject(receipts, errand, why, now);
}

static void take_too_large(struct receipts *receipts, struct errand *errand,
                           const char *why, struct instant now)
{
    struct range top = errand_top(errand);

    if (top.count == 1) {
        reject(receipts, errand, why, now);
        return;
    }
    shrink(receipts, errand, now);
    errand_cut(errand, batch_halve(top.count));
}

static void hold_hosts(struct receipts *receipts, const struct errand *errand,
                       const struct api_answer *answer, struct instant now)
{
    /* Requests that were on their way together are refused together: that is one refusal. */
    bool is_news = errand->sent_ms >= receipts->hosts_hold_ms;

    receipts->hosts_hold_ms = receipt_hold_ms(answer, now);
    if (!is_news)
        return;
    throttle_slow_down(&receipts->hosts);
    if (errand->lane == MACKEREL_LIVE)
        portion_pressed(&receipts->loader->live, now.mono_ms);
}

static void take_too_many(struct receipts *receipts, struct errand *errand,
                          const struct api_answer *answer, struct instant now)
{
    struct target *target = target_of(receipts, errand);

    if (target) {
        target->hold_ms = receipt_hold_ms(answer, now);
    } else {
        hold_hosts(receipts, errand, answer, now);
    }
    give_back(receipts, errand, OUTBOX_RETURNED, now);
}

static void take_failed(struct receipts *receipts, struct errand *errand,
                        bool is_ambiguous, struct instant now)
{
    struct portion *portion = portion_for(receipts, errand);

    portion_failed(portion);
    for_each_target(receipts, errand, note_failure, now, NULL);
    give_back(receipts, errand, is_ambiguous ? OUTBOX_AMBIGUOUS : OUTBOX_RETURNED, now);
}

void receipt_take(struct receipts *receipts, struct errand *errand,
                  struct judgement judgement, const struct api_answer *answer,
                  struct instant now)
{
    char why[TARGET_ERROR_MAX];

    if (judgement.verdict == VERDICT_DELIVERED) {
        take_delivered(receipts, errand, answer, now);
        return;
    }
    receipt_describe(&errand->request, answer, why);
    for_each_target(receipts, errand, note_error, now, why);
    switch (judgement.verdict) {
    case VERDICT_DELIVERED:
    case VERDICT_RESEND_ONCE: return;
    case VERDICT_RETRY:
        take_failed(receipts, errand, judgement.is_ambiguous, now);
        return;
    case VERDICT_AUTH: give_back(receipts, errand, OUTBOX_RETURNED, now); return;
    case VERDICT_RETRY_NEXT_MINUTE: take_too_many(receipts, errand, answer, now); return;
    case VERDICT_NOT_FOUND: take_not_found(receipts, errand, now); return;
    case VERDICT_SPLIT: take_too_large(receipts, errand, why, now); return;
    case VERDICT_BAD: take_bad(receipts, errand, why, now); return;
    }
}
