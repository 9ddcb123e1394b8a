#include "exporter/pace.h"

#include "base/hash.h"

uint64_t pace_next_ms(const struct pace *pace)
{
    uint64_t oldest = pace->posts_ms[pace->next];

    return oldest ? oldest + PACE_WINDOW_MS : 0;
}

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

uint64_t pace_gather_ms(const struct pace *pace)
{
    uint64_t gather = pace->live_ms ? pace->live_ms + PACE_GATHER_MS : 0;

    return later(gather, pace_next_ms(pace));
}

uint64_t pace_backlog_ms(const struct pace *pace, uint64_t now_ms)
{
    uint64_t last = pace->posts_ms[(pace->next + PACE_POSTS - 1) % PACE_POSTS];

    if (pace_left(pace, now_ms) < 2)
        return UINT64_MAX;
    return last ? last + PACE_GATHER_MS : 0;
}

unsigned pace_left(const struct pace *pace, uint64_t now_ms)
{
    unsigned left = 0;

    for (unsigned i = 0; i < PACE_POSTS; i++)
        if (!pace->posts_ms[i] || pace->posts_ms[i] + PACE_WINDOW_MS <= now_ms)
            left++;
    return left;
}

void pace_note(struct pace *pace, uint64_t now_ms, bool is_live)
{
    pace->posts_ms[pace->next] = now_ms;
    pace->next = (pace->next + 1) % PACE_POSTS;
    if (is_live)
        pace->live_ms = now_ms;
}

/* ---- many requests ----------------------------------------------------------------------- */

struct throttle throttle_of(uint64_t gap_ms, unsigned burst)
{
    return (struct throttle){.gap_ms = gap_ms, .least_gap_ms = gap_ms, .burst = burst};
}

bool throttle_is_open(const struct throttle *throttle, uint64_t now_ms)
{
    return throttle->due_ms <= now_ms + throttle->gap_ms * (throttle->burst - 1);
}

void throttle_note(struct throttle *throttle, uint64_t now_ms)
{
    throttle->due_ms = later(throttle->due_ms, now_ms) + throttle->gap_ms;
    if (throttle->due_ms > now_ms + THROTTLE_DEBT_MAX_MS)
        throttle->due_ms = now_ms + THROTTLE_DEBT_MAX_MS;
}

void throttle_slow_down(struct throttle *throttle)
{
    throttle->gap_ms *= 2;
    if (throttle->gap_ms > THROTTLE_GAP_MAX_MS)
        throttle->gap_ms = THROTTLE_GAP_MAX_MS;
}

void throttle_speed_up(struct throttle *throttle)
{
    throttle->gap_ms = later(throttle->gap_ms - throttle->gap_ms / 32,
                             throttle->least_gap_ms);
}

/* ---- the place in the minute ------------------------------------------------------------- */

uint64_t pace_offset_draw(struct slice identity, uint64_t spread_ms)
{
    return spread_ms ? hash_bytes(identity, 0).low % spread_ms : 0;
}

bool pace_offset_is_over(const struct pace_offset *offset, uint64_t unix_ms)
{
    uint64_t after_ms = offset->after_ms % 60000;

    return (unix_ms + 60000 - after_ms) % 60000 >= offset->length_ms;
}

/* ---- an outage --------------------------------------------------------------------------- */

void backoff_fail(struct backoff *backoff, uint64_t now_ms, uint64_t random)
{
    uint64_t ceiling = BACKOFF_MAX_MS;

    if (backoff->failures < 6)
        ceiling = (uint64_t)BACKOFF_FIRST_MS << backoff->failures;
    if (ceiling > BACKOFF_MAX_MS)
        ceiling = BACKOFF_MAX_MS;
    backoff->failures++;

    uint64_t pause = random % (ceiling + 1);

    backoff->until_ms = now_ms + (pause < BACKOFF_LEAST_MS ? BACKOFF_LEAST_MS : pause);
}

void backoff_reset(struct backoff *backoff)
{
    *backoff = (struct backoff){0};
}
