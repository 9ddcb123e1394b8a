/*
 * Mackerel, as far as the gateway knows it: a map from (host or service, metric, minute) to a value
 * in which the last writer wins, hosts that are found by name, and a list of services. Values older
 * than 24 h are answered 200 and ignored.
 *
 * It fails as the seed says. Moods follow each other; a mood decides how each request of its time is
 * answered, and, apart from the answer, when it takes effect: never, at once, or up to 30 s after
 * the client gave up. A request whose client died takes effect all the same.
 *
 * Nothing happens by itself: fake_api_settle() lets everything take effect that is due.
 */
#ifndef TESTS_SIM_FAKE_API_H
#define TESTS_SIM_FAKE_API_H

#include "exporter/api.h"
#include "tests/sim/value_map.h"

#include <stdbool.h>
#include <stdint.h>

enum api_mood {
    API_WELL,        /* 2xx within half a second */
    API_SHAKY,       /* all kinds of failures, at random */
    API_UNREACHABLE, /* connections are refused */
    API_SILENT,      /* no answer within 30 s; some requests take effect late */
    API_DOWN,        /* 503 */
    API_KEYLESS,     /* 401 */
    API_BUSY,        /* 429 */
    API_LOST,        /* 404 */
    API_NARROW,      /* 413 above 2,000 bytes */
};

struct fake_api;

struct fake_api_options {
    uint64_t seed;
    bool takes_in_part; /* a body with a poisoned value: what stands before it is taken */
};

struct fake_api *fake_api_new(const struct fake_api_options *options);
void fake_api_free(struct fake_api *api);

void fake_api_add_host(struct fake_api *api, const char *name);
void fake_api_add_service(struct fake_api *api, const char *name);

/* From `from_ns` (Unix time) on; moods are set in the order of time. */
void fake_api_plan(struct fake_api *api, uint64_t from_ns, enum api_mood mood);

/* What the client will see, and when. */
struct fake_reply {
    uint64_t at_ns;
    struct api_answer answer; /* its texts point into `body` or are constant */
    struct buffer body;
};

void fake_api_take(struct fake_api *api, const struct api_request *request,
                   uint64_t now_ns, struct fake_reply *reply);
/* The clients of everything that is on its way are gone: some of it takes effect late, up to 30 s on. */
void fake_api_cut(struct fake_api *api, uint64_t now_ns);
void fake_reply_release(struct fake_reply *reply);

/* When something takes effect next; UINT64_MAX: nothing waits. */
uint64_t fake_api_next_ns(const struct fake_api *api);
void fake_api_settle(struct fake_api *api, uint64_t now_ns);

const struct value_map *fake_api_values(const struct fake_api *api);

struct fake_api_stats {
    uint64_t requests, posts, values; /* values that were taken, each time */
    uint64_t ignored;                 /* older than 24 h */
    uint64_t late;         /* requests that took effect after the client gave up */
    uint64_t refused[600]; /* by status */
    uint64_t silent;       /* no answer */
    uint64_t poisoned;     /* bodies */
    uint64_t malformed;    /* must be 0 */
};

const struct fake_api_stats *fake_api_stats(const struct fake_api *api);

#endif
