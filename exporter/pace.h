/*
 * When the next request may go. Pure: the caller passes the time and the random number.
 *
 * struct pace keeps one service within its posts a minute. The API answers 429 to too many posts
 * of a service in a minute without saying how many are too many (Mackerel API, "Service metrics");
 * four in any 60 s is the agreed budget. struct backoff spaces attempts during an outage.
 * Times are milliseconds of a clock that never goes back.
 */
#ifndef EXPORTER_PACE_H
#define EXPORTER_PACE_H

#include <stdint.h>

enum {
    PACE_POSTS = 4,
    PACE_WINDOW_MS = 60000,
    /* Fresh minutes wait this long after the last post, so that all cells of a minute, which close
     * one after the other, share few posts. */
    PACE_GATHER_MS = 15000,
};

struct pace {
    uint64_t posts_ms[PACE_POSTS]; /* last posts, the oldest at `next`; 0: none */
    unsigned next;
};

/* Earliest time of the next post; 0 when it may go at once. */
uint64_t pace_next_ms(const struct pace *pace);
/* As pace_next_ms(), for values that can wait and gather. */
uint64_t pace_gather_ms(const struct pace *pace);
/* How many posts are left at `now_ms`. */
unsigned pace_left(const struct pace *pace, uint64_t now_ms);
void pace_note(struct pace *pace, uint64_t now_ms);

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
