/*
 * The graph definitions of host metrics: what is wanted, what Mackerel knows, and what is therefore to
 * be posted. Pure; one owner.
 *
 * Telemetry brings definitions with its values, again and again; several metrics may share a graph, each
 * with lines of its own. A graph is the union of its lines: its unit is theirs where they agree, else
 * float (a line without one has no say); its title likewise, else none. A definition is posted when it is not what was posted last, and
 * again when Mackerel has forgotten it: wildcards go 6 to 8 h after the last metric that fits
 * (Mackerel API, "Posting graph definitions"). Nothing else is posted again, because people edit
 * definitions by hand and a post would undo that.
 *
 * Gateways, hosts and services may contradict each other about a line: the first opinion stays as long as
 * anybody holds it, another one counts once it was gone for GRAPH_CHANGE_S. So nothing flaps.
 *
 * Limits: GRAPHS_MAX graphs of GRAPH_LINES_MAX lines; what is beyond is not defined, and Mackerel draws
 * it with names only. Titles are cut to GRAPH_TITLE_MAX bytes. Times are Unix seconds.
 */
#ifndef EXPORTER_GRAPH_BOOK_H
#define EXPORTER_GRAPH_BOOK_H

#include "base/buffer.h"
#include "base/table.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GRAPHS_MAX = 2000,
    GRAPH_LINES_MAX = 100,
    GRAPH_TITLE_MAX = 120,
    /* All metrics of a graph close within two minutes: they share its first post. */
    GRAPH_GATHER_S = 60,
    /* Later ones are gathered longer: a post undoes what a person changed. */
    GRAPH_EXTEND_S = 5 * 60,
    GRAPH_CHANGE_S = 10 * 60,
    /* Wildcards are forgotten after 6 h at the earliest; what is on disk may be 30 min behind. */
    GRAPH_LIFE_S = 5 * 3600,
    GRAPH_STORE_S = 30 * 60,
    /* A graph that nobody wants for so long leaves the book. */
    GRAPH_FORGET_S = 7 * 24 * 3600,
};

struct graph_look {
    char *title, *unit, *label; /* never NULL, of printable text */
    bool is_stacked;
};

struct graph_line {
    char *segment;
    struct graph_look look,
        other;       /* `other`: a second opinion; its title is NULL if none */
    uint64_t held_s; /* when the look was last wanted */
    bool is_wanted;  /* since the last graph_book_tend() */
};

struct graph {
    char *name;
    struct graph_line *lines;
    size_t count, capacity;
    uint64_t posted;    /* hash of what Mackerel took; 0: nothing, or it forgot it */
    uint64_t refused;   /* hash of what it refused; 0: nothing */
    uint64_t posted_s;  /* when it took it */
    uint64_t used_s;    /* when a metric of it last arrived there */
    uint64_t wanted_s;  /* when it was last wanted */
    uint64_t changed_s; /* when it last became another one than posted */
    uint64_t hash;      /* of the definition as it is */
    bool is_wanted;     /* since the last graph_book_tend() */
    bool is_dirty;      /* differs from what is on disk */
    uint64_t stored_s;  /* used_s on disk */
};

struct graph_book {
    struct graph *graphs;
    size_t count, capacity;
    struct table index; /* by name */
    char **gone;        /* names that left since the book was stored */
    size_t gone_count, gone_capacity;
    uint64_t refused; /* graphs that did not fit the limits or the grammar */
};

void graph_book_release(struct graph_book *book);

/* Telemetry wants this definition. */
void graph_book_want(struct graph_book *book, const struct mackerel_graph *wanted);

/* Moves all wishes of another book here. */
void graph_book_move(struct graph_book *book, struct graph_book *from);

/*
 * Takes in what was wanted since the last call. `arrive`: values of hosts reach Mackerel now, so wanted
 * metrics count as seen there.
 */
void graph_book_tend(struct graph_book *book, uint64_t now_s, bool arrive);

/* The next graph at or behind `at` that is to be posted; NULL: none. */
struct graph *graph_book_due(const struct graph_book *book, size_t at, uint64_t now_s);

struct graph *graph_book_find(const struct graph_book *book, struct slice name);

/* Appends the definition as JSON and returns its hash. */
uint64_t graph_write(const struct graph *graph, struct buffer *out);

/* Mackerel took, or refused, the definition of that hash. */
void graph_posted(struct graph *graph, uint64_t hash, uint64_t now_s);
void graph_refused(struct graph *graph, uint64_t hash);

/* Something is to be stored: dirty graphs are written, those in `gone` removed; then it is stored. */
bool graph_book_is_dirty(const struct graph_book *book);
void graph_book_stored(struct graph_book *book);

/* What is on disk: lines as one text, which graph_restore() takes back. */
void graph_store(const struct graph *graph, struct buffer *out);
struct graph *graph_book_restore(struct graph_book *book, struct slice name,
                                 struct slice text);

#endif
