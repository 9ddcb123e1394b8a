/*
 * The world of one seed: one virtual clock, senders, the gateway's process on a disk, Mackerel, and
 * everything bad that happens to them. One loop lets what is due next happen; nothing else moves.
 *
 * At the end senders stop, Mackerel gets well, the disk works, the last process drains its outbox, and
 * the oracle judges. Everything follows from the seed: the trace's hash says whether two runs were
 * the same.
 */
#ifndef TESTS_SIM_WORLD_H
#define TESTS_SIM_WORLD_H

#include "tests/sim/fake_api.h"
#include "tests/sim/oracle.h"
#include "tests/sim/process.h"
#include "tests/sim/senders.h"

#include <stdbool.h>
#include <stdint.h>

enum world_store {
    WORLD_IN_MEMORY, /* no disk, no kills */
    WORLD_PROCESS,   /* kills; durability: process */
    WORLD_FSYNC,     /* kills and crashes of the machine; durability: fsync */
};

struct world_options {
    uint64_t seed;
    enum world_store store;
    uint64_t duration_s; /* of the senders' measuring */
    unsigned senders;
    unsigned kills;    /* planned; more happen while recovering */
    uint64_t outage_s; /* one long outage of Mackerel; 0: moods by the seed */
    bool disk_fails;   /* full and failing disks by the seed */
    bool dies_posting; /* every kill finds a post on its way, to a shaky Mackerel */
    bool is_diskless;  /* really WORLD_IN_MEMORY */
    bool
        loses_power; /* crashes although durability is `process`: judged by what survived */
    bool is_verbose;
};

struct world_result {
    struct oracle_verdict verdict;
    char problem[512]; /* empty: all is well */
    uint64_t trace;    /* hash of everything that happened */
    double simulated_h;
    uint64_t kills, crashes, recovery_kills, stops, boots;
    uint64_t
        lost_records; /* acknowledged ones that a power loss took; loses_power only */
    uint64_t acknowledged_points, posted_values, skipped, dropped, expired, rejected;
    uint64_t replaced_records;
    struct senders_stats senders;
    struct fake_api_stats api;
    struct process_stats process; /* sums over all processes */
    uint64_t reasons[REASON_LAST + 1];
    uint64_t disk_calls, lost_sectors, failed_calls;
    double drain_s; /* from the end of the outage until the backlog was gone */
};

void world_run(const struct world_options *options, struct world_result *result);

#endif
