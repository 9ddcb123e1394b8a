/*
 * Whose turn it is: the next request that pace, offset and limits allow. Fresh values, then
 * questions on which values wait, then backlog, then definitions of graphs; exporter/dispatch.h has the policy in words.
 *
 *   turns_choose()  an errand that may go now; it stays linked here until turns_end()
 *   turns_leave()   it goes: its body is written, its pace noted
 *   turns_return()  an answer came; turns_end() if nothing of it is left to send
 *
 * Pure. Owner: exporter/dispatch.c.
 */
#ifndef EXPORTER_TURNS_H
#define EXPORTER_TURNS_H

#include "exporter/loader.h"
#include "exporter/receipt.h"
#include "exporter/service_registry.h"

struct turns {
    struct loader *loader;
    struct service_registry *services;
    struct graph_definitions *graphs;
    struct receipts *receipts;
    struct pace_offset offset;
    struct errand *errands; /* in flight, or to be sent again */
    unsigned backlog_flights;
    uint64_t backlog_ms; /* when backlog of hosts was last sent; monotonic */
    bool backlog_turn;   /* services come first in the backlog */
    bool is_draining;
    struct throttle questions;
    uint64_t questions_hold_ms; /* after 429; monotonic */
};

/* All are borrowed. */
void turns_init(struct turns *turns, struct loader *loader,
                struct service_registry *services, struct receipts *receipts);
/* Frees errands that were not ended. */
void turns_release(struct turns *turns);

/* From now on values do not wait and gather. */
void turns_drain(struct turns *turns);

/* False while values of hosts must wait for their turn, whatever there is of them. */
bool turns_may_post_hosts(const struct turns *turns, struct instant now);

/* NULL when nothing may go now. */
struct errand *turns_choose(struct turns *turns, struct instant now);
/* Definitions of graphs, behind all else; NULL when none are due. */
struct errand *turns_choose_graphs(struct turns *turns, struct instant now);
void turns_leave(struct turns *turns, struct errand *errand, struct instant now);
void turns_return(struct turns *turns, struct errand *errand);
void turns_end(struct turns *turns, struct errand *errand);

#endif
