/*
 * The gateway as one process without threads: journal, fold, outbox and delivery's mind, put together
 * as app/ does it, on a disk that may die under them. Its threads are lanes here; each lane has a time
 * at which it goes on, and the world calls process_step() whenever one is due.
 *
 *   flush    group commit of the journal (JOURNAL_FSYNC)
 *   engine   applies records, appends ticks
 *   deliver  commits the outbox, tends and sends
 *   save     checkpoints, step by step, and forgetting of the journal
 *
 * When the disk is dead nothing that the process does counts any more: free it.
 */
#ifndef TESTS_SIM_PROCESS_H
#define TESTS_SIM_PROCESS_H

#include "app/fold.h"
#include "base/disk.h"
#include "base/journal.h"
#include "exporter/dispatch.h"
#include "tests/sim/history.h"
#include "tests/sim/puts.h"

#include <stdbool.h>
#include <stdint.h>

struct process;

struct process_options {
    uint64_t seed;
    const struct disk *disk; /* NULL: everything in memory */
    enum journal_durability durability;
    uint64_t journal_max_bytes, outbox_max_bytes;
    const struct pipeline_options *pipeline;
    struct history *history;
    struct puts *puts; /* NULL: nobody wants to know */
    health_random *random;
    /* A unique receive time, not before now. */
    uint64_t (*stamp)(void *self);
    /* The sender of the request is told. */
    void (*answer)(void *self, unsigned request, enum error_kind kind);
    /* A request to Mackerel sets off; process_answer() brings what comes back. */
    void (*send)(void *self, struct errand *errand);
    /* Does nothing that it does count any more? */
    bool (*is_dead)(void *self);
    void *self;
};

/* NULL when the disk died, or no start was possible. */
struct process *process_boot(const struct process_options *options, uint64_t now_ns);
void process_free(struct process *process);

void process_submit(struct process *process, const struct sim_request *request,
                    uint64_t now_ns);
void process_answer(struct process *process, struct errand *errand,
                    const struct api_answer *answer, uint64_t now_ns);

enum process_lane {
    LANE_FLUSH,
    LANE_ENGINE,
    LANE_DELIVER,
    LANE_SAVE /* a checkpoint is under way */
};

/* Would process_step() run it now? */
bool process_is_due(const struct process *process, enum process_lane lane,
                    uint64_t now_ns);

uint64_t process_next_ns(const struct process *process);
void process_step(struct process *process, uint64_t now_ns);

/* SIGTERM: what was accepted is applied, a last checkpoint is written; free it then. */
void process_stop(struct process *process, uint64_t now_ns);

const struct fold *process_fold(const struct process *process);
struct outbox *process_outbox(struct process *process);

/* What is wrong now; NULL: the books balance. */
const char *process_check(struct process *process);

struct process_stats {
    uint64_t replayed, checkpoints, failed_checkpoints, failed_commits, refused_ticks;
    uint64_t loaded; /* checkpoints that were read */
    uint64_t bad_files, lost_records, torn_bytes;
};

void process_read_stats(const struct process *process, struct process_stats *stats);
void process_add_stats(struct process_stats *sum, const struct process_stats *one);

#endif
