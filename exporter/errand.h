/*
 * One thing that the delivery thread has to send: values of a post, a question about a host or
 * a service, or definitions of graphs.
 *
 * The values of a post are sent in ranges, the top one of a stack first: what does not fit a body
 * is cut off and stays below; a refused range is cut in two until the value that Mackerel does not
 * like is alone. Every value of the batch belongs to exactly one range until it is settled.
 */
#ifndef EXPORTER_ERRAND_H
#define EXPORTER_ERRAND_H

#include "exporter/api.h"
#include "exporter/batch.h"
#include "exporter/outbox.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum errand_kind {
    ERRAND_POST,
    ERRAND_HOST,
    ERRAND_SERVICE,
    ERRAND_GRAPHS
};

struct range {
    size_t first, count;
};

/* Halving the largest batch takes 14 levels, each leaves one range below; the rest is slack. */
enum {
    ERRAND_RANGES_MAX = 40
};

struct errand {
    struct errand *next;
    struct api_request request;
    enum errand_kind kind;
    bool is_in_flight;
    bool is_resend;
    bool
        is_doubtful; /* was sent again at once: the first attempt may still take effect */
    uint64_t sent_ms; /* monotonic */
    /* posts only */
    enum mackerel_lane lane;
    struct outbox_batch batch;
    struct batch_entry
        *entries; /* one per item; host ids are borrowed from the registry */
    struct range ranges[ERRAND_RANGES_MAX];
    size_t range_count;
    struct batch_limits limits;
    bool is_written; /* the body holds the whole batch already */
};

struct errand *errand_new(enum errand_kind kind);
void errand_free(struct errand *errand);

/* Makes the whole batch one range; entries were filled by the caller. */
void errand_load(struct errand *errand, const struct batch_limits *limits);

/* Writes the body for the top range, cutting off below it what does not fit. */
void errand_write(struct errand *errand);

/* The values that are, or will be next, on their way. */
struct range errand_top(const struct errand *errand);
/* Forgets the top range, whose values the caller settled. */
void errand_pop(struct errand *errand);
/* Cuts the top range in two at `at`, an offset inside it; the first part is sent first. */
void errand_cut(struct errand *errand, size_t at);

#endif
