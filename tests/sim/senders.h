/*
 * The senders: what they measure, how they send it, and what is true about it.
 *
 * Each is drawn from the seed: its metrics (counters with restarts, deltas, histograms, gauges,
 * up-down counters), interval, clock error, and its habits. A body that was not acknowledged is sent
 * again byte for byte, until it is, or until its sender gives up; what was measured meanwhile waits
 * behind it in a queue. Some are cut off from the gateway, for minutes or hours, and replay their
 * queues. Some
 * keep up to four requests on their way at a time, so that their points arrive out of order.
 *
 * Some have no instance id, like SDKs that send none: only their start times tell them apart.
 *
 * Bodies that hold deltas are given up after 9 minutes: the gateway recognises a repeat for 10.
 */
#ifndef TESTS_SIM_SENDERS_H
#define TESTS_SIM_SENDERS_H

#include "base/buffer.h"
#include "tests/pipeline/scene_body.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SENDER_TEXT_MAX = 64,
    SENDER_BOUNDS = 3
};

/* One time series as its sender knows it. All start times of it are one of these. */
struct sim_stream {
    unsigned sender;
    enum scene_kind kind;
    char destination[SENDER_TEXT_MAX]; /* as value_map_name() writes it */
    char name[SENDER_TEXT_MAX];        /* in Mackerel, without a statistic */
    bool is_orderly;                   /* its sender sends one request at a time */
};

struct sim_point {
    unsigned stream;
    uint64_t start_ns, time_ns; /* Unix time by the sender's clock; start 0: none */
    double value;               /* histogram: sum */
    uint64_t count;             /* histogram */
};

struct sim_request {
    unsigned id, sender;
    struct buffer body;
    struct sim_point *points;
    size_t count, room;
};

struct senders;

struct senders_options {
    uint64_t seed;
    uint64_t from_ns, until_ns; /* Unix time: when they measure */
    unsigned count;
    bool shares_service; /* all are one service */
    bool has_poison;     /* some send a metric that Mackerel refuses */
};

struct senders *senders_new(const struct senders_options *options);
void senders_free(struct senders *senders);

/* Hosts and services that they send for, each once. */
void senders_list_destinations(const struct senders *senders,
                               void (*found)(void *self, bool is_host, const char *name),
                               void *self);

/* When the next of them does something; UINT64_MAX: all are done. */
uint64_t senders_next_ns(const struct senders *senders);

/* Does what is due; hands out the requests that set off now. */
typedef void senders_send(void *self, const struct sim_request *request);
void senders_step(struct senders *senders, uint64_t now_ns, senders_send *send,
                  void *self);

enum sender_answer {
    SENDER_ACKNOWLEDGED,
    SENDER_REFUSED, /* busy, or nobody there */
    SENDER_UNHEARD, /* the connection ended without an answer */
};

/* Exactly once for each request that was handed out. */
void senders_answer(struct senders *senders, unsigned request, enum sender_answer answer,
                    uint64_t now_ns);

/* ---- the truth --------------------------------------------------------------------------- */

size_t senders_stream_count(const struct senders *senders);
const struct sim_stream *senders_stream(const struct senders *senders, size_t index);
const struct sim_request *senders_request(const struct senders *senders, unsigned id);

struct senders_stats {
    uint64_t requests, points; /* made */
    uint64_t attempts, refused, unheard, acknowledged, given_up;
};

const struct senders_stats *senders_stats(const struct senders *senders);

#endif
