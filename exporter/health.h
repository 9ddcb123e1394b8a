/*
 * How the Mackerel API as a whole is doing, and what that allows. Pure.
 *
 * An outage opens a circuit for all requests: pauses grow from 1 s to 60 s with full jitter, or are
 * as long as Retry-After says (at most 10 min), and while it is open one request goes at a time. A
 * refused key (401, 403) pauses everything for a minute, again and again, or until there is another one:
 * who owns the key says so with health_renew_key(). Changes are said once.
 * Every request that was answered, or failed, is counted by call and status.
 */
#ifndef EXPORTER_HEALTH_H
#define EXPORTER_HEALTH_H

#include "exporter/classify.h"
#include "exporter/instant.h"
#include "exporter/pace.h"
#include "exporter/status.h"

enum {
    HEALTH_FLIGHTS_MAX = 4, /* requests at a time; the API asks senders to be gentle */
    HEALTH_AUTH_PAUSE_MS = 60000,
};

/* A random number for the jitter: a hook, so that tests can choose it. */
typedef uint64_t health_random(void);

struct health {
    health_random *random;
    struct backoff circuit;
    bool is_paused;
    uint64_t paused_until_ms;
    char message[TARGET_ERROR_MAX]; /* of the last failure */
    struct api_count *counts;
    size_t count, capacity;
};

void health_release(struct health *health);

/* May one more request go, when `flights` are on their way? */
bool health_may_send(const struct health *health, unsigned flights, struct instant now);

struct health_news {
    enum verdict verdict;
    uint64_t sent_ms;       /* monotonic; when the request was sent */
    uint64_t retry_after_s; /* what the answer asks for; 0: nothing */
    const char *why;        /* a failure in words */
};

/* Takes note of a verdict on a request. */
void health_note(struct health *health, const struct health_news *news,
                 struct instant now);

/* There is another key: no reason to wait with the next attempt. */
void health_renew_key(struct health *health, struct instant now);

void health_count(struct health *health, enum api_endpoint endpoint, int status);

enum delivery_state health_state(const struct health *health);

#endif
