/*
 * `explain`: what a configuration makes of requests, as text for people. For each stream the rule that
 * decided, where its values go and under which names, or why they go nowhere; then what that costs.
 *
 * The request goes through a rehearsal (app/rehearsal.h): the answer is the pipeline's own.
 */
#ifndef APP_EXPLAIN_H
#define APP_EXPLAIN_H

#include "app/rehearsal.h"
#include "base/buffer.h"

/* What became of the request taken last. Streams that share names are listed together. */
void explain_request(struct rehearsal *rehearsal, struct buffer *out);

/* What all that a pipeline knows costs: hosts, services and names, against budgets and what Mackerel
 * includes. */
void explain_cost(const struct pipeline *p, struct buffer *out);

/* What a running pipeline posts where, of how many streams each, and the cost. */
void explain_state(const struct pipeline *p, struct buffer *out);

#endif
