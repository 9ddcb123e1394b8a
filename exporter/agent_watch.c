#include "exporter/agent_watch.h"

void agent_watch_init(struct agent_watch *watch, uint64_t now_ms)
{
    *watch = (struct agent_watch){.state = NATIVE_WAIT, .due_ms = now_ms};
}

uint64_t agent_watch_due_ms(const struct agent_watch *watch)
{
    uint64_t quiet_ms = watch->posted_ms ? watch->posted_ms + AGENT_WATCH_AGAIN_MS : 0;

    return quiet_ms > watch->due_ms ? quiet_ms : watch->due_ms;
}

static void decide(struct agent_watch *watch, enum native_state state, uint64_t now_ms)
{
    watch->state = state;
    watch->is_second = false;
    watch->due_ms = now_ms + AGENT_WATCH_AGAIN_MS;
}

void agent_watch_read(struct agent_watch *watch, uint64_t value_time_s, uint64_t now_ms)
{
    if (value_time_s == 0) {
        decide(watch, NATIVE_POST, now_ms);
        return;
    }
    if (!watch->is_second) {
        watch->is_second = true;
        watch->first_s = value_time_s;
        watch->first_ms = now_ms;
        watch->due_ms = now_ms + AGENT_WATCH_GAP_MS;
        return;
    }
    if (watch->posted_ms >= watch->first_ms && watch->posted_ms) {
        /* What advanced may be ours; another identity of this host posts already. */
        decide(watch, watch->state == NATIVE_WAIT ? NATIVE_POST : watch->state, now_ms);
        return;
    }
    decide(watch, value_time_s > watch->first_s ? NATIVE_AGENT_WRITES : NATIVE_POST,
           now_ms);
}

void agent_watch_posted(struct agent_watch *watch, uint64_t now_ms)
{
    watch->posted_ms = now_ms ? now_ms : 1;
}
