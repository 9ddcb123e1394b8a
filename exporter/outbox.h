/*
 * The outbox: closed minutes on their way to Mackerel. One row per (destination, minute) holds all
 * values of that minute; putting a row again merges into it (same name: the newer value replaces
 * the older) and raises its revision. A value in flight that is changed stays and is sent again.
 *
 * take copies values out and marks them in flight; settle ends or returns exactly that revision of
 * them. Nothing that take returns points into the store. Every value is at any moment either queued
 * (waiting or in flight) or ended under one heading of the value ledger, which therefore always
 * balances.
 *
 * After an ambiguous attempt (the request may or may not have arrived, and may arrive late) a value
 * that is accepted less than OUTBOX_CONFIRM_S later is posted once more at the end of that time, so
 * that the newest revision is the last one that Mackerel sees.
 *
 * Two stores stand behind the functions. Memory: put merges at once and there is nothing to commit.
 * Disk: put only queues copies; outbox_commit() merges them and writes what changed since the last
 * commit (rows, books, newest tick, known hosts and services) as one transaction, and only then may
 * they be taken. A settlement becomes durable with the next commit; when the process dies in
 * between, the same values are posted again, which changes nothing in Mackerel. What was in flight
 * when it died counts as an ambiguous attempt. A failed commit loses nothing: what it should have
 * written stays in memory, the committed LSN stays where it is, and the next commit tries again.
 *
 * The file never stops a start: a damaged one is set aside as NAME.bad (see outbox_open()), one
 * damaged row goes into the table bad_rows and its values are withheld as `unreadable`.
 *
 * Limits: max_bytes of rows, above it the oldest minutes of all destinations expire, because the
 * newest are what monitors judge; 24 h of age, because Mackerel answers 200 to older values and
 * ignores them (Mackerel API, "Host metrics"). On disk, rows that are committed and not in flight
 * leave the memory above loaded_max_bytes and are read again when they are needed.
 * Threads: put from the engine; read_counts, read_ledger and committed_lsn from any and without
 * waiting for a disk; drop and what is for people from any; everything else from the delivery
 * thread. The texts of destinations belong to the outbox until outbox_prune().
 */
#ifndef EXPORTER_OUTBOX_H
#define EXPORTER_OUTBOX_H

#include "base/compiler.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/ledger.h"
#include "exporter/graph_definitions.h"
#include "exporter/outbox_item.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outbox;

struct outbox_options {
    size_t max_bytes; /* oldest rows give way (expired) above it; 0 means no limit */
    const char *path; /* of the SQLite database; NULL or "": memory */
    const char *vfs;  /* SQLite VFS; NULL: the default */
    const struct disk
        *disk;           /* the directory of `path`, to rename files in; NULL: opened */
    bool without_graphs; /* definitions of graphs that come with rows are not wanted */
    size_t loaded_max_bytes; /* of rows in memory, with a path; 0: 32 MiB */
};

/* A store in memory; the path is not looked at. */
struct outbox *outbox_new(const struct outbox_options *options);

/*
 * The store that options->path names. What is not an outbox's database, or a damaged one, is renamed
 * to the first free of NAME.bad, NAME.1.bad, ... (its -wal to the same name with -wal), logged and
 * counted, and a new one begins. NULL only when none can be opened or made there: ERROR_BUSY when
 * the disk is full, ERROR_INVALID when another process has it open, else ERROR_INTERNAL.
 */
struct outbox *outbox_open(const struct outbox_options *options,
                           struct error *err) MUST_CHECK;

/* Commits nothing: what was not committed is put again by whoever replays the journal. */
void outbox_free(struct outbox *outbox);

/*
 * Takes copies of the rows, all or none, as closed by the tick with that LSN: one call holds all
 * rows of a tick. What a tick closed that was committed before the outbox was opened is ignored.
 */
void outbox_put(struct outbox *outbox, const struct mackerel_row *rows, size_t count,
                uint64_t tick_lsn);

/*
 * Makes durable what changed, in one transaction; cheap when nothing did. False when the disk is
 * full (ERROR_BUSY: giving up a reserve may help) or failed: nothing is lost, call it again later.
 */
bool outbox_commit(struct outbox *outbox, struct error *err) MUST_CHECK;

/* The newest tick that is durable, 0: none. In memory: the newest that was put. */
uint64_t outbox_committed_lsn(struct outbox *outbox);

/* ---- destinations ------------------------------------------------------------------------ */

/* Writes up to `max` destinations with an id above `after_id`, in the order of ids. */
size_t outbox_list(struct outbox *outbox, uint64_t after_id,
                   struct outbox_destination *list, size_t max);

/* Forgets destinations that have no rows and got none since the Unix time `since_s`; calls gone()
 * with each id before its texts are freed. */
void outbox_prune(struct outbox *outbox, uint64_t since_s,
                  void (*gone)(void *self, uint64_t id), void *self);

/*
 * What was found in Mackerel for a destination: kept with it, so that a restart need not ask. A host
 * that is not known has an empty host_id. Unchanged facts cost nothing.
 */
void outbox_keep_host(struct outbox *outbox, uint64_t id, const struct outbox_host *host);
bool outbox_find_host(struct outbox *outbox, uint64_t id, struct outbox_host *host);
void outbox_keep_service(struct outbox *outbox, uint64_t id, bool exists);
bool outbox_has_service(struct outbox *outbox, uint64_t id);

/* The definitions of graphs that come with rows; on disk what Mackerel took is kept with the rest. */
struct graph_definitions *outbox_graphs(struct outbox *outbox);

/* ---- sending ----------------------------------------------------------------------------- */

void outbox_batch_release(struct outbox_batch *batch);

/* Appends values that are due, oldest minute first, and marks them in flight. Returns how many. */
size_t outbox_take(struct outbox *outbox, const struct outbox_query *query,
                   struct outbox_batch *batch);

/* Ends the flight of items that were taken. Each item is settled exactly once. */
void outbox_settle(struct outbox *outbox, const struct outbox_item *items, size_t count,
                   const struct outbox_verdict *verdict);

/* Ends what is queued and not in flight, without sending. Returns how many values. */
size_t outbox_drop(struct outbox *outbox, const struct outbox_selection *selection,
                   const struct outbox_verdict *verdict);

/* ---- for people (these from any thread; they may wait for a commit) ------------------------ */

/* Rows behind (destination, minute), in that order. Returns how many of at most `max`. */
size_t outbox_list_rows(struct outbox *outbox, uint64_t after_destination,
                        uint64_t after_minute_s, struct outbox_row_view *list,
                        size_t max);

/* Calls for each value of a row. False when there is no such row. */
bool outbox_show_row(struct outbox *outbox, uint64_t destination, uint64_t minute_s,
                     void (*print)(void *self, const struct outbox_value_view *value),
                     void *self);

/* Makes due what waits for its confirmation. Returns how many values are queued there. To drop by
 * hand, call outbox_drop() with OUTBOX_WITHHELD and WITHHELD_OPERATOR. */
size_t outbox_retry(struct outbox *outbox, const struct outbox_selection *selection,
                    uint64_t now_s);

/* ---- books ------------------------------------------------------------------------------- */

struct outbox_counts {
    size_t destinations, rows;
    size_t values, bytes;     /* what was put and not merged yet is among the values */
    uint64_t oldest_minute_s; /* 0 when empty */
    uint64_t last_lsn;        /* of the last put */
    uint64_t committed_lsn;
    bool is_on_disk;
    size_t loaded_bytes; /* of rows in memory */
    uint64_t commits, failed_commits;
    uint64_t bad_files, bad_rows; /* set aside since the start */
    char
        last_error[OUTBOX_ERROR_MAX]; /* of the file; empty when the last commit worked */
    char last_bad[OUTBOX_ERROR_MAX];  /* what was set aside last, and why; may be empty */
};

void outbox_read_counts(struct outbox *outbox, struct outbox_counts *counts);
void outbox_read_ledger(struct outbox *outbox, struct value_ledger *ledger);

#endif
