#include "exporter/graph_definitions.h"

#include "base/log.h"
#include "base/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TEND_EVERY_MS = 1000,
    PAUSE_FIRST_MS = 60 * 1000,
    PAUSE_MAX_MS = 10 * 60 * 1000,
};

/* A definition on its way. */
struct flight {
    char *name;
    uint64_t hash;
};

struct graph_definitions {
    pthread_mutex_t lock; /* guards `inbox` and `shown` */
    struct graph_book inbox;
    struct graph_counts shown;
    /* Of the delivery's thread: */
    struct graph_book book;
    struct graph_counts counts;
    struct flight flights[GRAPHS_AT_ONCE];
    size_t flight_count; /* 0: no request is on its way */
    size_t portion;      /* definitions in the next request */
    bool arrive;
    unsigned failures; /* in a row */
    uint64_t due_ms, tended_ms;
};

struct graph_definitions *graph_definitions_new(void)
{
    struct graph_definitions *definitions = memory_new(1, sizeof(*definitions));

    pthread_mutex_init(&definitions->lock, NULL);
    definitions->portion = GRAPHS_AT_ONCE;
    return definitions;
}

static void end_flights(struct graph_definitions *definitions)
{
    for (size_t i = 0; i < definitions->flight_count; i++)
        free(definitions->flights[i].name);
    definitions->flight_count = 0;
}

void graph_definitions_free(struct graph_definitions *definitions)
{
    if (!definitions)
        return;
    end_flights(definitions);
    graph_book_release(&definitions->inbox);
    graph_book_release(&definitions->book);
    pthread_mutex_destroy(&definitions->lock);
    free(definitions);
}

struct graph_book *graph_definitions_book(struct graph_definitions *definitions)
{
    return &definitions->book;
}

/* ---- wishes ------------------------------------------------------------------------------ */

void graph_definitions_want(struct graph_definitions *definitions,
                            const struct mackerel_row *rows, size_t count)
{
    pthread_mutex_lock(&definitions->lock);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < rows[i].graph_count; k++)
            graph_book_want(&definitions->inbox, &rows[i].graphs[k]);
    pthread_mutex_unlock(&definitions->lock);
}

static void count(struct graph_definitions *definitions)
{
    struct graph_counts *counts = &definitions->counts;

    counts->known = counts->waiting = counts->refused = 0;
    for (size_t i = 0; i < definitions->book.count; i++) {
        const struct graph *graph = &definitions->book.graphs[i];

        counts->known += graph->posted != 0;
        counts->refused += graph->refused != 0 && graph->refused == graph->hash;
        counts->waiting += graph->hash != 0 && graph->hash != graph->posted &&
                           graph->hash != graph->refused;
    }
    counts->untaken = definitions->book.refused;
}

static void show(struct graph_definitions *definitions)
{
    count(definitions);
    pthread_mutex_lock(&definitions->lock);
    definitions->shown = definitions->counts;
    pthread_mutex_unlock(&definitions->lock);
}

void graph_definitions_tend(struct graph_definitions *definitions, struct instant now,
                            bool arrive)
{
    if (definitions->tended_ms && now.mono_ms < definitions->tended_ms + TEND_EVERY_MS)
        return;
    definitions->tended_ms = now.mono_ms;
    definitions->arrive = arrive;
    pthread_mutex_lock(&definitions->lock);
    graph_book_move(&definitions->book, &definitions->inbox);
    pthread_mutex_unlock(&definitions->lock);
    graph_book_tend(&definitions->book, instant_unix_s(now), arrive);
    show(definitions);
}

void graph_definitions_read(struct graph_definitions *definitions,
                            struct graph_counts *counts)
{
    pthread_mutex_lock(&definitions->lock);
    *counts = definitions->shown;
    pthread_mutex_unlock(&definitions->lock);
}

/* ---- posting ----------------------------------------------------------------------------- */

static bool take(struct graph_definitions *definitions, const struct graph *graph,
                 struct buffer *body)
{
    size_t before = body->len;

    buffer_append_char(body, before ? ',' : '[');
    uint64_t hash = graph_write(graph, body);

    if (before && body->len > GRAPHS_MAX_BYTES) {
        body->len = before;
        return false;
    }
    definitions->flights[definitions->flight_count++] = (struct flight){
        memory_copy(slice_of(graph->name)), hash};
    return true;
}

bool graph_definitions_next(struct graph_definitions *definitions, struct instant now,
                            struct api_request *request)
{
    const struct graph_book *book = &definitions->book;
    uint64_t now_s = instant_unix_s(now);

    if (definitions->flight_count || !definitions->arrive ||
        now.mono_ms < definitions->due_ms || !graph_book_due(book, 0, now_s))
        return false;
    api_request_reset(request, API_CREATE_GRAPHS, 0);
    buffer_append_text(&request->path, "/api/v0/graph-defs/create");

    const struct graph *graph = NULL;

    while (definitions->flight_count < definitions->portion) {
        graph = graph_book_due(book, graph ? (size_t)(graph - book->graphs) + 1 : 0,
                               now_s);
        if (!graph || !take(definitions, graph, &request->body))
            break;
    }
    buffer_append_char(&request->body, ']');
    return true;
}

bool graph_definitions_show(struct graph_definitions *definitions, struct instant now,
                            struct buffer *out)
{
    struct graph *graph = graph_book_due(&definitions->book, 0, instant_unix_s(now));

    if (graph)
        graph->posted = graph_write(graph, out);
    return graph != NULL;
}

/* ---- answers ----------------------------------------------------------------------------- */

static struct graph *graph_of(const struct graph_definitions *definitions, size_t flight)
{
    return graph_book_find(&definitions->book,
                           slice_of(definitions->flights[flight].name));
}

static void take_posted(struct graph_definitions *definitions, struct instant now)
{
    for (size_t i = 0; i < definitions->flight_count; i++) {
        struct graph *graph = graph_of(definitions, i);

        if (graph)
            graph_posted(graph, definitions->flights[i].hash, instant_unix_s(now));
    }
    definitions->counts.posted += definitions->flight_count;
    definitions->counts.last_error[0] = '\0';
    definitions->failures = 0;
    definitions->portion *= 2;
    if (definitions->portion > GRAPHS_AT_ONCE)
        definitions->portion = GRAPHS_AT_ONCE;
}

/* The order of what is due stays, so that halving comes to the bad one. */
static void take_refused(struct graph_definitions *definitions, const char *why)
{
    struct graph *graph = graph_of(definitions, 0);

    if (definitions->flight_count > 1) {
        definitions->portion = definitions->flight_count / 2;
        return;
    }
    definitions->counts.failed++;
    log_event(LOG_WARN,
              "Mackerel refused the definition of a graph, which keeps its look",
              LOG_TEXT("graph", definitions->flights[0].name), LOG_TEXT("error", why));
    if (graph)
        graph_refused(graph, definitions->flights[0].hash);
}

static void take_failed(struct graph_definitions *definitions, const char *why,
                        struct instant now)
{
    uint64_t pause_ms = PAUSE_MAX_MS;

    if (definitions->failures < 4)
        pause_ms = (uint64_t)PAUSE_FIRST_MS << definitions->failures;
    if (pause_ms > PAUSE_MAX_MS)
        pause_ms = PAUSE_MAX_MS;
    if (definitions->failures++ == 0)
        log_event(LOG_WARN, "graph definitions could not be posted; tried again",
                  LOG_TEXT("error", why));
    definitions->counts.failed += definitions->flight_count;
    definitions->due_ms = now.mono_ms + pause_ms;
}

void graph_definitions_answer(struct graph_definitions *definitions, enum verdict verdict,
                              const char *why, struct instant now)
{
    definitions->due_ms = now.mono_ms + GRAPHS_GAP_MS;
    if (verdict != VERDICT_DELIVERED)
        snprintf(definitions->counts.last_error, sizeof(definitions->counts.last_error),
                 "%.255s", why);
    switch (verdict) {
    case VERDICT_RESEND_ONCE: return;
    case VERDICT_DELIVERED: take_posted(definitions, now); break;
    case VERDICT_SPLIT:
    case VERDICT_BAD: take_refused(definitions, why); break;
    case VERDICT_RETRY:
    case VERDICT_RETRY_NEXT_MINUTE:
    case VERDICT_AUTH:
    case VERDICT_NOT_FOUND: take_failed(definitions, why, now); break;
    }
    end_flights(definitions);
    show(definitions);
}
