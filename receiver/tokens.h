/*
 * A token bucket: so many at once, so many a second from then on.
 */
#ifndef RECEIVER_TOKENS_H
#define RECEIVER_TOKENS_H

#include <stdbool.h>
#include <stdint.h>

struct tokens {
    uint64_t burst, per_s;
    uint64_t left_milli; /* thousandths, so that slow rates add up */
    uint64_t filled_ms;
};

static inline void tokens_init(struct tokens *tokens, uint64_t burst, uint64_t per_s,
                               uint64_t now_ms)
{
    *tokens = (struct tokens){burst, per_s, burst * 1000, now_ms};
}

static inline void tokens_give(struct tokens *tokens, uint64_t count)
{
    tokens->left_milli += count * 1000;
    if (tokens->left_milli > tokens->burst * 1000)
        tokens->left_milli = tokens->burst * 1000;
}

/* False when the bucket is empty. */
static inline bool tokens_take(struct tokens *tokens, uint64_t now_ms)
{
    uint64_t age_ms = now_ms - tokens->filled_ms;

    tokens->filled_ms = now_ms;
    /* A long silence fills the bucket; bounding it first keeps the product small. */
    if (age_ms > 1000000)
        age_ms = 1000000;
    tokens->left_milli += age_ms * tokens->per_s;
    tokens_give(tokens, 0);
    if (tokens->left_milli < 1000)
        return false;
    tokens->left_milli -= 1000;
    return true;
}

#endif
