/*
 * Does mackerel-agent write on this host? (hosts.native_metrics: auto.) Mackerel overwrites by
 * minute, so a host has one writer of native metrics, and where the agent runs it stays that one.
 *
 * The host's newest loadavg5 is read twice, two minutes apart; the agent posts it every minute, so
 * if its time advanced, the agent writes. Until the second reading native values wait. A host that
 * never had a value is free at once. Every hour it is looked at again, whoever writes by then.
 *
 * While we post loadavg5 ourselves, what is read may be ours: a value counts as another's only if it
 * is of a later minute than any that we sent. The agent posts minute M during M, we post M when it
 * is over; so at the beginning of a minute, before we post, an agent is always a minute ahead, and
 * there a reading that finds our own newest value proves that nobody else writes. Later in the
 * minute the two may be level: then the next minute's beginning is waited for, a few times.
 *
 * Pure: the caller reads, this decides when and what it means. Times: monotonic milliseconds, unless
 * said otherwise.
 */
#ifndef EXPORTER_AGENT_WATCH_H
#define EXPORTER_AGENT_WATCH_H

#include "exporter/instant.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    AGENT_WATCH_GAP_MS = 2 * 60 * 1000,
    AGENT_WATCH_AGAIN_MS = 60 * 60 * 1000,
    /* Readings that prove nothing, in a row, before ours is believed to be ours. */
    AGENT_WATCH_TRIES = 5,
};

enum native_state {
    NATIVE_WAIT,         /* not known yet: native values stay in the outbox */
    NATIVE_POST,         /* nobody else writes */
    NATIVE_AGENT_WRITES, /* withhold them */
    NATIVE_OFF,          /* withhold them: hosts.native_metrics is off */
};

struct agent_watch {
    enum native_state state;
    bool is_second;   /* the next reading is the second one */
    unsigned tries;   /* readings that proved nothing */
    uint64_t due_ms;  /* when to read next */
    uint64_t first_s; /* Unix time of the value that the first reading found */
    uint64_t ours_s;  /* newest minute of loadavg5 that we sent ourselves; 0: never */
};

void agent_watch_init(struct agent_watch *watch, uint64_t now_ms);

/* A reading: the time of the newest loadavg5, 0 when there is none. */
void agent_watch_read(struct agent_watch *watch, uint64_t value_time_s,
                      struct instant now);

/* We send loadavg5 of that minute of this host; to be told before the request leaves. */
void agent_watch_posted(struct agent_watch *watch, uint64_t minute_s);

#endif
