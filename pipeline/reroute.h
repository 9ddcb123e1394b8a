/*
 * A changed configuration routes families anew. Minutes that have begun finish where they began: a
 * stream belongs to its new cell from a minute boundary on (pipeline/members.h). It stays the same
 * stream, so a total that straddles the boundary is split there and loses nothing, the first minute in
 * the new place is posted because it was watched, and gauges carry on.
 *
 * What changes a route today is the default service: it decides about the resources that name no
 * service themselves. Such families lead to a service or nowhere, never to a host, and their names
 * stay. A family that led nowhere left nothing behind and is routed when it is seen again.
 */
#ifndef PIPELINE_REROUTE_H
#define PIPELINE_REROUTE_H

#include "pipeline/state.h"

/* Routes everything by the options in force, from that minute on. */
void reroute_all(struct pipeline *p, uint64_t from_minute);

/* What is set about native metrics changed: native streams are
 * forgotten and begin anew, with a baseline, when they are seen next. */
void reroute_native(struct pipeline *p);

#endif
