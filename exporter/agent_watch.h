/*
 * Does mackerel-agent write on this host? (hosts.native_metrics: auto.) Mackerel overwrites by
 * minute, so a host has one writer of native metrics, and where the agent runs it stays that one.
 *
 * The host's newest loadavg5 is read twice, two minutes apart; the agent posts it every minute, so
 * if its time advanced, the agent writes. Until the second reading native values wait. A host that
 * never had a value is free at once. An hour later it is looked at again, but not while we post
 * loadavg5 ourselves: we would see our own values.
 * Pure: the caller reads, this decides when and what it means. Times: monotonic milliseconds.
 */
#ifndef EXPORTER_AGENT_WATCH_H
#define EXPORTER_AGENT_WATCH_H

#include <stdbool.h>
#include <stdint.h>

enum {
    AGENT_WATCH_GAP_MS = 2 * 60 * 1000,
    AGENT_WATCH_AGAIN_MS = 60 * 60 * 1000,
};

enum native_state {
    NATIVE_WAIT,         /* not known yet: native values stay in the outbox */
    NATIVE_POST,         /* nobody else writes */
    NATIVE_AGENT_WRITES, /* withhold them */
    NATIVE_OFF,          /* withhold them: hosts.native_metrics is off */
};

struct agent_watch {
    enum native_state state;
    bool is_second;     /* the next reading is the second one */
    uint64_t due_ms;    /* when to read next */
    uint64_t first_ms;  /* when the first reading was made */
    uint64_t first_s;   /* the value's time that it found */
    uint64_t posted_ms; /* when we last posted loadavg5 ourselves; 0: never */
};

void agent_watch_init(struct agent_watch *watch, uint64_t now_ms);

/* When to read next. */
uint64_t agent_watch_due_ms(const struct agent_watch *watch);

/* A reading: the time of the newest loadavg5, 0 when there is none. */
void agent_watch_read(struct agent_watch *watch, uint64_t value_time_s, uint64_t now_ms);

/* We posted loadavg5 of this host. */
void agent_watch_posted(struct agent_watch *watch, uint64_t now_ms);

#endif
