/*
 * What a process of the simulation has, and its half that touches the disk: opening and replaying what
 * is there, and checkpoints. Private to tests/sim/process.h.
 *
 * A checkpoint takes its steps one at a time, so that the process can die between any two: written,
 * synced, all its ticks committed by the outbox, renamed, the journal forgotten.
 */
#ifndef TESTS_SIM_PROCESS_STORE_H
#define TESTS_SIM_PROCESS_STORE_H

#include "app/checkpoint_file.h"
#include "tests/sim/chance.h"
#include "tests/sim/process.h"

/* A record on its way to the engine; what the journal gets as its context. */
struct submission {
    struct process *process;
    size_t index;                      /* in the history */
    const struct sim_request *request; /* NULL: a record of our own */
};

enum save_step {
    SAVE_BEGIN, /* none is under way */
    SAVE_SYNC,
    SAVE_COMMIT,
    SAVE_FORGET
};

struct process {
    struct process_options options;
    struct chance chance;
    uint64_t seed; /* of hashes */
    struct journal *journal;
    struct fold *fold;
    struct outbox *outbox;
    struct dispatch *dispatch;
    struct buffer config;            /* that should be in force */
    struct submission **submissions; /* all of this process */
    size_t submission_count, submission_room;
    bool tick_is_on_its_way, config_is_on_its_way;
    uint64_t refused_until_ns; /* own records wait after a refusal */
    uint64_t flush_ns, engine_ns, deliver_ns, save_ns, commit_hold_ns;
    enum save_step save_step;
    struct checkpoint_writer *writer;
    uint64_t saved_lsn, saved_tick_lsn; /* of the checkpoint under way */
    uint64_t saved_bytes, saved_at_ns;  /* when the last one began */
    const char *problem;
    struct process_stats stats;
};

/* Outbox, fold and journal, with everything replayed. */
bool process_store_open(struct process *process, uint64_t now_ns);
void process_store_close(struct process *process);

/* One record through the fold. */
void process_store_apply(struct process *process, const struct journal_record *record);

/* The next step of a checkpoint. */
void process_store_save(struct process *process, uint64_t now_ns);

/* A last checkpoint, all its steps. */
void process_store_finish(struct process *process, uint64_t now_ns);

/* Keeps the first thing that does not hold. */
void process_store_note(struct process *process, bool holds, const char *problem);

#endif
