/*
 * When the next request may go. Pure: the caller passes the time and the random number.
 *
 * struct pace keeps one service within its posts a minute. The API answers 429 to too many posts
 * of a service in a minute without saying how many are too many (Mackerel API, "Service metrics");
 * four in any 60 s is the agreed budget. struct throttle spaces requests of which there may be
 * many: backlog of hosts, questions. struct backoff spaces attempts during an outage. struct
 * pace_offset is this gateway's place in the minute among all others.
 * Times are milliseconds of a clock that never goes back, unless said otherwise.
 */
#ifndef EXPORTER_PACE_H
#define EXPORTER_PACE_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- posts of one service ---------------------------------------------------------------- */

enum {
    PACE_POSTS = 4,
    /* A second more than a minute: the API counts requests when they arrive, not when they left. */
    PACE_WINDOW_MS = 61000,
    /* Fresh minutes wait this long after the last post of a fresh one, so that all cells of a
     * minute, which close one after the other, share few posts. */
    PACE_GATHER_MS = 15000,
};

struct pace {
    uint64_t posts_ms[PACE_POSTS]; /* last posts, the oldest at `next`; 0: none */
    unsigned next;
    uint64_t live_ms; /* last post of fresh values; 0: none */
};

/* Earliest time of the next post; 0 when it may go at once. */
uint64_t pace_next_ms(const struct pace *pace);
/* As pace_next_ms(), for fresh values, which can wait and gather. */
uint64_t pace_gather_ms(const struct pace *pace);
/* As pace_next_ms(), for backlog, which leaves a gap after every post and the last post of the
 * budget to fresh values; UINT64_MAX while there is but one left. */
uint64_t pace_backlog_ms(const struct pace *pace, uint64_t now_ms);
/* How many posts are left at `now_ms`. */
unsigned pace_left(const struct pace *pace, uint64_t now_ms);
void pace_note(struct pace *pace, uint64_t now_ms, bool is_live);

/* ---- many requests ----------------------------------------------------------------------- */

/* At most one request every `gap_ms` in the long run, `burst` at once after a pause. */
struct throttle {
    uint64_t gap_ms, least_gap_ms;
    unsigned burst;
    uint64_t due_ms; /* when the budget would be whole again */
};

struct throttle throttle_of(uint64_t gap_ms, unsigned burst);
bool throttle_is_open(const struct throttle *throttle, uint64_t now_ms);
void throttle_note(struct throttle *throttle, uint64_t now_ms);
/* Too many: twice the gap, up to THROTTLE_GAP_MAX_MS. Each success takes a little of it back. */
void throttle_slow_down(struct throttle *throttle);
void throttle_speed_up(struct throttle *throttle);

enum {
    THROTTLE_GAP_MAX_MS = 16000,
    /* Requests that did not ask may overdraw the budget, but no more than a minute of it. */
    THROTTLE_DEBT_MAX_MS = 60000,
};

/* ---- the place in the minute ------------------------------------------------------------- */

/*
 * Gateways all over the world close the same minute in the same second. As mackerel-agent does with
 * its hosts, each waits for a place of its own in the minute before it posts what has just closed:
 * fresh values stay behind from `after_ms` past the minute, when minutes close, for `length_ms`.
 * Values that close at another time go at once.
 */
struct pace_offset {
    uint64_t after_ms;
    uint64_t length_ms; /* 0: everything goes at once */
};

enum {
    /* Closing at 15 s, 30 s of offset and 15 s of gathering end at the next minute's second 0:
     * 15 s before its values are due, so a fresh minute is never late for it. */
    PACE_OFFSET_MAX_MS = 30000
};

/* The place of a gateway that is known by this text, somewhere below `spread_ms`: always the same. */
uint64_t pace_offset_draw(struct slice identity, uint64_t spread_ms);

/* `unix_ms` is the wall clock. */
bool pace_offset_is_over(const struct pace_offset *offset, uint64_t unix_ms);

/* ---- an outage --------------------------------------------------------------------------- */

enum {
    BACKOFF_FIRST_MS = 1000,
    BACKOFF_MAX_MS = 60000,
    BACKOFF_LEAST_MS = 100, /* full jitter may draw zero; an outage deserves a pause */
};

struct backoff {
    unsigned failures;
    uint64_t until_ms;
};

/* One more failure: the pause is random between 0 and 1 s, 2 s, 4 s, ... 60 s (full jitter). */
void backoff_fail(struct backoff *backoff, uint64_t now_ms, uint64_t random);
void backoff_reset(struct backoff *backoff);

#endif
