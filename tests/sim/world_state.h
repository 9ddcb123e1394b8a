/*
 * What the parts of the world share: its state, and how they note what happens. Private to
 * tests/sim/world.h.
 *
 *   world_plan.c   what is to happen, drawn from the seed before anything begins
 *   world_mail.c   requests and answers on their way
 *   world_fate.c   processes begin, stop and die; the disk has its troubles
 *   world.c        the loop, and the judgement
 */
#ifndef TESTS_SIM_WORLD_STATE_H
#define TESTS_SIM_WORLD_STATE_H

#include "tests/sim/chance.h"
#include "tests/sim/fake_disk.h"
#include "tests/sim/sim_vfs.h"
#include "tests/sim/world.h"

enum world_tag { /* of the streams of chance */
    TAG_WORLD,
    TAG_SENDERS,
    TAG_API,
    TAG_DISK,
    TAG_PROCESS
};

enum {
    WORLD_KILLS_MAX = 64,
    WORLD_TROUBLES_MAX = 64,
    WORLD_DISK_BYTES = 64 << 20,
};

#define WORLD_S_NS  UINT64_C(1000000000)
#define WORLD_MS_NS UINT64_C(1000000)

/* Something on its way between a sender and the gateway. */
struct parcel {
    uint64_t at_ns;
    const struct sim_request *request;
    bool is_answer;
    enum sender_answer answer;
};

enum trouble_kind {
    TROUBLE_NONE,
    TROUBLE_FULL,
    TROUBLE_WRITES,
    TROUBLE_SYNCS
};

/* Where a process dies. */
enum aim {
    AIM_FLUSH = LANE_FLUSH,
    AIM_ENGINE = LANE_ENGINE,
    AIM_DELIVER = LANE_DELIVER,
    AIM_SAVE = LANE_SAVE,
    AIM_APPEND, /* of a request */
    AIM_FLIGHT, /* while a post is on its way */
    AIM_NOW,    /* between two steps */
    AIM_ANYWHERE,
    AIM_STOP, /* it is asked to stop, and may die of that as well */
};

/* The disk has it from then on. */
struct trouble {
    uint64_t from_ns;
    enum trouble_kind kind;
};

/* A request to Mackerel whose client waits. */
struct flight {
    struct errand *errand;
    struct fake_reply reply;
};

struct world {
    struct world_options options;
    struct world_result *result;
    uint64_t now_ns, start_ns, last_stamp_ns, end_ns;
    uint64_t arrived_ns; /* when the last request reached the gateway */
    uint64_t outage_from_ns, outage_until_ns; /* 0: no long one */
    struct chance chance;
    uint64_t journal_max_bytes;
    struct pipeline_options pipeline;
    struct fake_disk *disk;
    struct sim_vfs *vfs;
    uint64_t kills[WORLD_KILLS_MAX]; /* when; in order */
    size_t kill_count, next_kill;
    struct trouble troubles[WORLD_TROUBLES_MAX];
    size_t trouble_count, next_trouble;
    bool crashes;  /* the machine, now and then */
    bool is_armed; /* the process is to die where `aim` says */
    enum aim aim;
    uint64_t boot_ns; /* when the next process starts; UINT64_MAX: one runs */
    struct fake_api *api;
    struct senders *senders;
    struct process *process; /* NULL: none runs */
    struct history history;
    struct puts puts; /* where power is lost */
    struct parcel *parcels;
    size_t parcel_count, parcel_room;
    unsigned *unanswered; /* requests that the process has */
    size_t unanswered_count, unanswered_room;
    struct flight *flights;
    size_t flight_count, flight_room;
};

/* The jitter of the delivery's pauses comes without a context. */

/* The first problem is kept. */
void world_fail(struct world *world, const char *format, ...) PRINTF_LIKE(2, 3);
void world_trace(struct world *world, const char *what, uint64_t detail);
/* Takes the world: a callback of the process. */
bool world_is_dead(void *self);
/* Do the books balance, and did the journal keep its word? */
void world_check(struct world *world);

/* ---- world_plan.c ------------------------------------------------------------------------ */

void world_plan(struct world *world);
void world_plan_release(struct world *world);

/* ---- world_mail.c ------------------------------------------------------------------------ */

/* A request sets off from its sender; a senders_send. */
void world_mail_send(void *self, const struct sim_request *request);
/* What the process says about a request, and a request of its to Mackerel: its callbacks. */
void world_mail_answer(void *self, unsigned id, enum error_kind kind);
void world_mail_post(void *self, struct errand *errand);

/* When something arrives next. */
uint64_t world_mail_next_ns(const struct world *world);
/* Delivers the next thing that is due; false when there is none. */
bool world_mail_deliver(struct world *world);
/* The process is gone: nobody gets what it waited for, nor what it had. */
void world_mail_cut(struct world *world);
void world_mail_release(struct world *world);

/* ---- world_fate.c ------------------------------------------------------------------------ */

/* Kills, starts and troubles that are due. */
void world_fate_act(struct world *world);
uint64_t world_fate_next_ns(const struct world *world);
/* Before the process goes on: does a shot wait for that? */
void world_fate_aim(struct world *world);
/* Before a request is appended. */
void world_fate_aim_append(struct world *world);
/* After a request to Mackerel set off. */
void world_fate_aim_flight(struct world *world);
/* To be called after everything that the process did. */
void world_fate_bury_if_dead(struct world *world);
void world_fate_add_stats(struct world *world);

#endif
