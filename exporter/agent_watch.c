#include "exporter/agent_watch.h"

enum {
    MINUTE_MS = 60000,
    /* After the beginning of a minute: the agent needs a moment to post. */
    PHASE_MS = 2000,
};

void agent_watch_init(struct agent_watch *watch, uint64_t now_ms)
{
    *watch = (struct agent_watch){.state = NATIVE_WAIT, .due_ms = now_ms};
}

/* The beginning of the first minute that starts `wait_ms` from now or later. */
static uint64_t beginning_of_minute(struct instant now, uint64_t wait_ms)
{
    uint64_t into_ms = (now.unix_ns / 1000000 + wait_ms) % MINUTE_MS;

    return now.mono_ms + wait_ms + (MINUTE_MS - into_ms) % MINUTE_MS + PHASE_MS;
}

static void wait_for(struct agent_watch *watch, uint64_t wait_ms, struct instant now)
{
    /* While we do not write there is nothing to mix up, and values wait for the answer. */
    bool is_ours = watch->state == NATIVE_POST;

    watch->tries = 0;
    watch->due_ms = is_ours ? beginning_of_minute(now, wait_ms) : now.mono_ms + wait_ms;
}

static void decide(struct agent_watch *watch, enum native_state state, struct instant now)
{
    watch->state = state;
    watch->is_second = false;
    wait_for(watch, AGENT_WATCH_AGAIN_MS, now);
}

/* Have we sent the minute before this one already? Then an agent need not be ahead of us. */
static bool may_be_level(const struct agent_watch *watch, struct instant now)
{
    uint64_t now_s = instant_unix_s(now);

    return watch->ours_s && watch->ours_s + 60 >= now_s - now_s % 60;
}

void agent_watch_read(struct agent_watch *watch, uint64_t value_time_s,
                      struct instant now)
{
    bool is_ours = value_time_s <= watch->ours_s;

    if (is_ours && may_be_level(watch, now) && ++watch->tries < AGENT_WATCH_TRIES) {
        watch->due_ms = beginning_of_minute(now, 0);
        return;
    }
    if (is_ours) {
        decide(watch, NATIVE_POST, now);
        return;
    }
    if (watch->is_second) {
        decide(watch, value_time_s > watch->first_s ? NATIVE_AGENT_WRITES : NATIVE_POST,
               now);
        return;
    }
    watch->is_second = true;
    watch->first_s = value_time_s;
    wait_for(watch, AGENT_WATCH_GAP_MS, now);
}

void agent_watch_posted(struct agent_watch *watch, uint64_t minute_s)
{
    if (minute_s > watch->ours_s)
        watch->ours_s = minute_s;
}
