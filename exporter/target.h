/*
 * What delivery knows about each destination of the outbox: how much waits for it, when it was last
 * posted to, what went wrong last, and until when it is left alone. Keyed by the outbox's ids.
 */
#ifndef EXPORTER_TARGET_H
#define EXPORTER_TARGET_H

#include "exporter/agent_watch.h"
#include "exporter/outbox.h"
#include "exporter/pace.h"
#include "exporter/portion.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TARGET_ERROR_MAX = 256
};

struct target {
    struct outbox_destination stored; /* as of the last refresh */
    struct pace pace;                 /* services only */
    struct portion backlog;           /* services only */
    uint64_t hold_ms;                 /* monotonic; no post before */
    uint64_t failed_ms;   /* monotonic; a post failed and none succeeded since; 0: no */
    size_t tended_values; /* as the keeper last saw it, and so the next */
    enum native_state tended_native;
    size_t max_bytes;        /* learned from 413, */
    uint64_t small_until_ms; /* and forgotten then; monotonic */
    bool is_busy[2]; /* by lane: a service has one post of each on its way at a time */
    uint64_t last_post_ns;  /* Unix time of the last 2xx; 0: never */
    uint64_t last_error_ns; /* 0: never */
    char last_error[TARGET_ERROR_MAX];
};

struct target_table {
    struct target *targets; /* in the order of ids */
    size_t count, capacity;
};

/* Takes over the outbox's destinations; new ones are appended. Pointers to targets may move. */
void target_table_refresh(struct target_table *table, struct outbox *outbox);
struct target *target_find(const struct target_table *table, uint64_t id);
void target_remove(struct target_table *table, uint64_t id);
void target_table_release(struct target_table *table);

void target_note_error(struct target *target, uint64_t now_ns, const char *text);

#endif
