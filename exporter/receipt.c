#include "exporter/receipt.h"

#include "base/log.h"

#include <stdio.h>

void receipt_describe(const struct api_request *request, const struct api_answer *answer,
                      char text[static TARGET_ERROR_MAX])
{
    char why[160];

    if (answer->status == 0) {
        snprintf(text, TARGET_ERROR_MAX, "%s failed: %.150s", api_name(request->endpoint),
                 answer->error ? answer->error : "no answer");
        return;
    }
    if (!mackerel_read_error(answer->body, why, sizeof(why)))
        snprintf(why, sizeof(why), "no reason given");
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

    outbox_settle(receipts->loader->outbox, errand->batch.items + top.first, top.count,
                  &(struct outbox_verdict){.end = end, .now_ns = now.unix_ns});
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
                            void (*note)(struct target *target, uint64_t now_ns,
                                         const char *text),
                            uint64_t now_ns, const char *text)
{
    struct range top = errand_top(errand);
    uint64_t last = 0;

    for (size_t i = top.first; i < top.first + top.count; i++) {
        uint64_t id = errand->batch.items[i].destination;
        struct target *target = id == last ? NULL
                                           : target_find(&receipts->loader->targets, id);

        last = id;
        if (target)
            note(target, now_ns, text);
    }
}

static void note_post(struct target *target, uint64_t now_ns, const char *text)
{
    (void)text;
    target->last_post_ns = now_ns;
}

static void take_delivered(struct receipts *receipts, struct errand *errand,
                           struct instant now)
{
    struct range top = errand_top(errand);

    receipts->last_post_ns = now.unix_ns;
    for_each_target(receipts, errand, note_post, now.unix_ns, NULL);
    for (size_t i = top.first; i < top.first + top.count; i++) {
        const struct outbox_item *item = &errand->batch.items[i];

        if (item->native && slice_is(item->name, "loadavg5"))
            host_registry_posted_load(receipts->loader->hosts, item->destination,
                                      now.mono_ms);
    }
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
    settle_top(receipts, errand, OUTBOX_REJECTED, now);
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
static void shrink(const struct receipts *receipts, struct errand *errand)
{
    struct target *target = target_of(receipts, errand);

    errand->limits.max_bytes = errand->request.body.len / 2;
    if (target)
        target->max_bytes = errand->limits.max_bytes;
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
    shrink(receipts, errand);
    errand_cut(errand, batch_halve(top.count));
}

static void take_too_many(struct receipts *receipts, struct errand *errand,
                          const struct api_answer *answer, struct instant now)
{
    struct target *target = target_of(receipts, errand);

    if (target)
        target->hold_ms = receipt_hold_ms(answer, now);
    else
        receipts->hosts_hold_ms = receipt_hold_ms(answer, now);
    give_back(receipts, errand, OUTBOX_RETURNED, now);
}

void receipt_take(struct receipts *receipts, struct errand *errand,
                  struct judgement judgement, const struct api_answer *answer,
                  struct instant now)
{
    char why[TARGET_ERROR_MAX];

    if (judgement.verdict == VERDICT_DELIVERED) {
        take_delivered(receipts, errand, now);
        return;
    }
    receipt_describe(&errand->request, answer, why);
    for_each_target(receipts, errand, target_note_error, now.unix_ns, why);
    switch (judgement.verdict) {
    case VERDICT_DELIVERED:
    case VERDICT_RESEND_ONCE: return;
    case VERDICT_RETRY:
        give_back(receipts, errand,
                  judgement.is_ambiguous ? OUTBOX_AMBIGUOUS : OUTBOX_RETURNED, now);
        return;
    case VERDICT_AUTH: give_back(receipts, errand, OUTBOX_RETURNED, now); return;
    case VERDICT_RETRY_NEXT_MINUTE: take_too_many(receipts, errand, answer, now); return;
    case VERDICT_NOT_FOUND: take_not_found(receipts, errand, now); return;
    case VERDICT_SPLIT: take_too_large(receipts, errand, why, now); return;
    case VERDICT_BAD: take_bad(receipts, errand, why, now); return;
    }
}
