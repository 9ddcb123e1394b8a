#include "exporter/pace.h"

uint64_t pace_next_ms(const struct pace *pace)
{
    uint64_t oldest = pace->posts_ms[pace->next];

    return oldest ? oldest + PACE_WINDOW_MS : 0;
}

uint64_t pace_gather_ms(const struct pace *pace)
{
    uint64_t last = pace->posts_ms[(pace->next + PACE_POSTS - 1) % PACE_POSTS];
    uint64_t gather = last ? last + PACE_GATHER_MS : 0, next = pace_next_ms(pace);

    return gather > next ? gather : next;
}

unsigned pace_left(const struct pace *pace, uint64_t now_ms)
{
    unsigned left = 0;

    for (unsigned i = 0; i < PACE_POSTS; i++)
        if (!pace->posts_ms[i] || pace->posts_ms[i] + PACE_WINDOW_MS <= now_ms)
            left++;
    return left;
}

void pace_note(struct pace *pace, uint64_t now_ms)
{
    pace->posts_ms[pace->next] = now_ms;
    pace->next = (pace->next + 1) % PACE_POSTS;
}

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
