/*
 * One host that is sought: how far the search is, and the question that comes next. The turn-taking
 * between hosts, and what answers mean, is in exporter/host_registry.c, which owns these.
 */
#ifndef EXPORTER_HOST_H
#define EXPORTER_HOST_H

#include "exporter/agent_watch.h"
#include "exporter/api.h"
#include "exporter/host_event.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HOST_SEEK_FIRST_MS = 60 * 1000,
    HOST_SEEK_MAX_MS = 10 * 60 * 1000,
    /* A host that was found is looked up again about this often, spread so that hosts which were
     * found together are not looked up together: it may have been retired or replaced. */
    HOST_VERIFY_MS = 60 * 60 * 1000,
    HOST_VERIFY_SPREAD_MS = 10 * 60 * 1000,
};

enum host_step {
    HOST_STEP_ID,
    HOST_STEP_IDENTIFIER,
    HOST_STEP_NAME,
    HOST_STEP_CREATE,
    HOST_STEP_KNOWN, /* what is asked now is who writes its native metrics */
};

struct host {
    uint64_t id;
    struct mackerel_destination destination; /* borrowed */
    enum host_step step;
    bool is_known;      /* host_id may be posted to, also while it is looked up again */
    bool is_asked;      /* a question is on its way */
    bool was_refused;   /* creation was answered with a refusal in this round */
    bool is_unknown;    /* sought at least once in vain */
    uint64_t due_ms;    /* when to ask the next question */
    uint64_t verify_ms; /* when to look a known host up again */
    uint64_t since_ms;  /* when the search began */
    uint64_t doubt_ms;  /* when it was last looked up for a refusal; 0: never */
    uint64_t lost_ms;   /* when Mackerel last did not know it; 0: never */
    uint64_t creations; /* of the registry when this round of look-ups began */
    unsigned rounds;    /* look-ups in vain, in a row */
    char host_id[64];
    char problem[HOST_TEXT_MAX];
    struct agent_watch watch;
};

/* Begins the look-ups of the identity anew; `creations` is the registry's count by now. */
void host_start_round(struct host *host, uint64_t creations, uint64_t due_ms);

/* The host is `host->host_id` (again): what comes next is looking after it. */
void host_settle(struct host *host, uint64_t now_ms);

/* The look-ups were in vain: the next round comes later, and later each time. */
enum host_event host_give_up_round(struct host *host, uint64_t creations,
                                   uint64_t now_ms);

/* The call that the current step makes, and the request for it. */
enum api_endpoint host_endpoint(const struct host *host);
void host_write_question(const struct host *host, struct api_request *request);

#endif
