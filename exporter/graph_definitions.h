/*
 * The errand of graph definitions: wishes that come with values are gathered, and what is due goes to
 * Mackerel behind everything else, GRAPHS_AT_ONCE definitions a request, one request at a time with
 * pauses. Nothing waits for it. What fails is tried again after a minute, doubling to 10 min, whatever the
 * failure; a refused definition is found by halving, said in the log, and not posted again until it is
 * another one.
 *
 * Definitions are for all hosts of the organisation; they go only while values of hosts arrive.
 * exporter/graph_book.h says what is due. Pure but for a lock: graph_definitions_want() and _read() from
 * any thread, the rest from the delivery's.
 * Source: Mackerel API documentation, "Posting graph definitions".
 */
#ifndef EXPORTER_GRAPH_DEFINITIONS_H
#define EXPORTER_GRAPH_DEFINITIONS_H

#include "exporter/api.h"
#include "exporter/classify.h"
#include "exporter/graph_book.h"
#include "exporter/instant.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    /* No limit is documented: few and seldom. */
    GRAPHS_AT_ONCE = 20,
    GRAPHS_MAX_BYTES = 64 << 10,
    GRAPHS_GAP_MS = 10000,
};

struct graph_definitions;

struct graph_definitions *graph_definitions_new(void);
void graph_definitions_free(struct graph_definitions *definitions);

/* The definitions that come with these rows are wanted. */
void graph_definitions_want(struct graph_definitions *definitions,
                            const struct mackerel_row *rows, size_t count);

/* `arrive`: values of hosts reach Mackerel. Cheap when called too often. */
void graph_definitions_tend(struct graph_definitions *definitions, struct instant now,
                            bool arrive);

/* Writes the next request; false when there is none now. */
bool graph_definitions_next(struct graph_definitions *definitions, struct instant now,
                            struct api_request *request);

/* For a preview, instead: appends the next definition that is due; false when there is none. It is not
 * due again, but counts as posted for this process only. */
bool graph_definitions_show(struct graph_definitions *definitions, struct instant now,
                            struct buffer *out);

/* Its answer; `why` has a failure in words. Every verdict but VERDICT_RESEND_ONCE ends the request. */
void graph_definitions_answer(struct graph_definitions *definitions, enum verdict verdict,
                              const char *why, struct instant now);

/* What is known, to be stored and restored. */
struct graph_book *graph_definitions_book(struct graph_definitions *definitions);

struct graph_counts {
    size_t known;            /* Mackerel has them */
    size_t waiting;          /* to be posted */
    size_t refused;          /* by Mackerel */
    uint64_t posted, failed; /* requests' definitions since the start */
    uint64_t untaken;        /* wishes beyond the limits, or not to be named */
    char last_error[256];    /* empty: none since the last success */
};

void graph_definitions_read(struct graph_definitions *definitions,
                            struct graph_counts *counts);

#endif
