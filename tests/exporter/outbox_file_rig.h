/*
 * Databases of outboxes in a directory of the test, for tests of the store on disk.
 */
#ifndef TESTS_EXPORTER_OUTBOX_FILE_RIG_H
#define TESTS_EXPORTER_OUTBOX_FILE_RIG_H

#include "exporter/outbox.h"

enum {
    /* 2026-11-24T11:00:00Z */
    MINUTE_S = 1795518000
};

extern const struct mackerel_destination shop, web;

/* A new empty directory under the test's own; gives the path of outbox.db in it. */
const char *rig_new_path(void);
/* Removes everything. */
void rig_clean_up(void);

/* Overwrites bytes of the file. */
void rig_overwrite(const char *path, long offset, int byte, size_t len);

struct outbox *rig_open(const char *path);
struct outbox *rig_open_with(const struct outbox_options *options);

/* Nothing happens when there is none. */
void rig_copy_file(const char *from, const char *to);
/* Copies database and log as they are now, as after kill -9; gives the path of the copy. */
const char *rig_copy(const char *path);

/* The next tick closes one value; committed. */
void rig_put(struct outbox *outbox, const struct mackerel_destination *to,
             uint64_t minute_s, const char *name, double value);
/* The same, not committed. */
void rig_queue(struct outbox *outbox, const struct mackerel_destination *to,
               uint64_t minute_s, const char *name, double value);
void rig_commit(struct outbox *outbox);
size_t rig_take(struct outbox *outbox, uint64_t id, uint64_t now_s,
                struct outbox_batch *batch);
void rig_settle(struct outbox *outbox, struct outbox_batch *batch, enum outbox_end end,
                uint64_t now_s);
/* They balance. */
struct value_ledger rig_books(struct outbox *outbox);
struct outbox_counts rig_counts(struct outbox *outbox);

#endif
