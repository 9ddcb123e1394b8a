/*
 * What an answer means for the values of a post: delivered, back to the outbox, cut in two, given
 * up. Decides together with exporter/classify.h; settles in the outbox; tells the registries when
 * Mackerel does not know a host or a service.
 */
#ifndef EXPORTER_RECEIPT_H
#define EXPORTER_RECEIPT_H

#include "exporter/classify.h"
#include "exporter/loader.h"
#include "exporter/service_registry.h"
#include "exporter/status.h"

struct receipts {
    struct loader *loader;
    struct service_registry *services;
    uint64_t hosts_hold_ms;   /* no post of host values before; after 429 */
    struct throttle hosts;    /* posts of host values */
    struct portion nobodys;   /* of what has no portion: fresh values of services */
    uint64_t last_post_ns;    /* Unix time of the last 2xx */
    uint64_t last_hosts_ms;   /* of values of hosts; monotonic; 0: none */
    bool has_told_odd_answer; /* 2xx without Mackerel's JSON is said once */
    char last_rejected[TARGET_ERROR_MAX];
};

/*
 * Posts of host values: fresh ones go when they are due, backlog when all together stay below 100 a
 * minute, and fewer after 429; but even beside more fresh ones than that, one of backlog for every
 * few that would be allowed.
 */
enum {
    RECEIPT_HOSTS_GAP_MS = 600,
    RECEIPT_HOSTS_BURST = 3,
    RECEIPT_BACKLOG_LEAST = 5,
};

/* In words, never with a key: "tsdb answered 503: maintenance". */
void receipt_describe(const struct api_request *request, const struct api_answer *answer,
                      char text[static TARGET_ERROR_MAX]);

/* Monotonic time until which a 429 asks to wait: the next minute, or what Retry-After says. */
uint64_t receipt_hold_ms(const struct api_answer *answer, struct instant now);

/* Settles the values that were on their way, and all others too unless they can go on at once. */
void receipt_take(struct receipts *receipts, struct errand *errand,
                  struct judgement judgement, const struct api_answer *answer,
                  struct instant now);

#endif
