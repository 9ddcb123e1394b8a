/*
 * What every request on one worker shares: the options, the intake, the counters, the mailbox of
 * answers and the time of the current event. Belongs to the worker's thread.
 */
#ifndef RECEIVER_SERVICE_H
#define RECEIVER_SERVICE_H

#include "base/log.h"
#include "receiver/intake.h"
#include "receiver/mailbox.h"
#include "receiver/options.h"
#include "receiver/reply.h"
#include "receiver/stats.h"

#include <stdbool.h>
#include <stdint.h>

struct service {
    const struct receiver_options *options;
    const struct intake *intake;
    struct mailbox *mailbox;
    struct stats stats;
    struct reply reply; /* the answer being written; used again and again */
    uint64_t now_ms;    /* monotonic, of the current event */
    uint64_t random;    /* state for the jitter of retry delays */
    bool draining;
    /* What a sender's owner should know, said once a minute. */
    struct log_limit tls_note, signal_note;
};

void service_init(struct service *service);

/* Logs a mistake of a sender at most once a minute, with what it concerns. */
void service_note(struct log_limit *limit, const struct service *service,
                  const char *message, const char *what);

/* Seconds after which a refused sender should try again: 1 to 5, spread so that they do not return
 * together. */
unsigned service_retry_s(struct service *service);

#endif
