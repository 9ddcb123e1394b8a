#include "exporter/health.h"

#include "base/log.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>

void health_release(struct health *health)
{
    free(health->counts);
    *health = (struct health){0};
}

bool health_may_send(const struct health *health, unsigned flights, struct instant now)
{
    bool is_probing = health->is_paused || health->circuit.failures;

    if (flights >= (is_probing ? 1 : HEALTH_FLIGHTS_MAX))
        return false;
    if (health->is_paused && now.mono_ms < health->paused_until_ms)
        return false;
    return now.mono_ms >= health->circuit.until_ms;
}

static void wait_longer(struct health *health, uint64_t retry_after_s, struct instant now)
{
    uint64_t until_ms;

    if (retry_after_s > RETRY_AFTER_OUTAGE_MAX_S)
        retry_after_s = RETRY_AFTER_OUTAGE_MAX_S;
    until_ms = now.mono_ms + retry_after_s * 1000;
    if (until_ms > health->circuit.until_ms)
        health->circuit.until_ms = until_ms;
}

static void note_outage(struct health *health, const struct health_news *news,
                        struct instant now)
{
    snprintf(health->message, sizeof(health->message), "%s", news->why);
    /* Requests that were on their way together fail together: that is one failure. */
    if (health->circuit.failures && news->sent_ms < health->circuit.until_ms) {
        wait_longer(health, news->retry_after_s, now);
        return;
    }
    if (health->circuit.failures == 0)
        log_event(LOG_WARN, "Mackerel API fails, values are kept",
                  LOG_TEXT("error", news->why));
    backoff_fail(&health->circuit, now.mono_ms, health->random());
    wait_longer(health, news->retry_after_s, now);
}

static void note_refusal(struct health *health, const char *why, struct instant now)
{
    snprintf(health->message, sizeof(health->message), "%s", why);
    health->is_paused = true;
    health->paused_until_ms = now.mono_ms + HEALTH_AUTH_PAUSE_MS;
    log_event(
        LOG_ERROR,
        "Mackerel refuses the API key or this address: nothing is posted, values are kept for "
        "24 h, tried again every minute; the key needs read and write permission",
        LOG_TEXT("error", why));
}

static void note_answer(struct health *health, uint64_t sent_ms)
{
    if (health->is_paused && sent_ms >= health->paused_until_ms) {
        health->is_paused = false;
        log_message(LOG_INFO, "Mackerel accepts the API key again");
    }
    if (health->circuit.failures) {
        backoff_reset(&health->circuit);
        log_message(LOG_INFO, "Mackerel API works again");
    }
}

void health_note(struct health *health, const struct health_news *news,
                 struct instant now)
{
    switch (news->verdict) {
    case VERDICT_RESEND_ONCE: return;
    case VERDICT_RETRY: note_outage(health, news, now); return;
    case VERDICT_AUTH:
        backoff_reset(&health->circuit);
        note_refusal(health, news->why, now);
        return;
    case VERDICT_DELIVERED:
    case VERDICT_RETRY_NEXT_MINUTE:
    case VERDICT_NOT_FOUND:
    case VERDICT_SPLIT:
    case VERDICT_BAD: note_answer(health, news->sent_ms); return;
    }
}

void health_renew_key(struct health *health, struct instant now)
{
    if (health->is_paused && health->paused_until_ms > now.mono_ms)
        health->paused_until_ms = now.mono_ms;
}

void health_count(struct health *health, enum api_endpoint endpoint, int status)
{
    for (size_t i = 0; i < health->count; i++)
        if (health->counts[i].endpoint == endpoint &&
            health->counts[i].status == status) {
            health->counts[i].count++;
            return;
        }
    health->counts = memory_grow(health->counts, health->count + 1, &health->capacity,
                                 sizeof(health->counts[0]));
    health->counts[health->count++] = (struct api_count){endpoint, status, 1};
}

enum delivery_state health_state(const struct health *health)
{
    if (health->is_paused)
        return DELIVERY_PAUSED;
    return health->circuit.failures ? DELIVERY_DEGRADED : DELIVERY_OK;
}
