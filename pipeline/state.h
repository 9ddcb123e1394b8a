/*
 * The pipeline's state: plain records in pools, named by index, found by hash. It is a value: no
 * pointer in a record leads to another record, so that it can be written to bytes and read back.
 *
 *   resource -> source (resource + scope) -> family (source + metric) -> stream (family + attributes,
 *   for cumulative data one per start time) -> cell (destination + name) -> minute
 *
 * Records are freed bottom up when nothing uses them. The one time that enters is the `now` of
 * the record being applied.
 */
#ifndef PIPELINE_STATE_H
#define PIPELINE_STATE_H

#include "base/hash.h"
#include "base/ledger.h"
#include "base/pool.h"
#include "base/table.h"
#include "pipeline/cadence.h"
#include "pipeline/drawn.h"
#include "pipeline/due.h"
#include "pipeline/emitted.h"
#include "pipeline/identity.h"
#include "pipeline/machine.h"
#include "pipeline/minute_time.h"
#include "pipeline/name_book.h"
#include "pipeline/native.h"
#include "pipeline/options.h"
#include "pipeline/plan.h"
#include "pipeline/said.h"
#include "proto/mackerel.h"

#include <stdbool.h>
#include <stdint.h>

struct resource {
    struct hash128 hash;
    struct identity identity;
    uint32_t sources;       /* users */
    uint32_t host, service; /* destinations, POOL_NONE where there is none */
};

/* Resource and scope: what one exporter reports together. */
struct source {
    struct hash128 hash;
    uint64_t first_ns, last_ns; /* times of its first and last report */
    uint64_t before_ns;         /* of the report before that; 0: none */
    uint64_t heard_ns;          /* when its last report was received */
    uint64_t unbroken_ns; /* since when two successive reports were never too far apart */
    struct cadence cadence;
    uint32_t resource;
    uint32_t families; /* users */
};

/* One metric of one source, and where it goes. */
struct family {
    struct hash128 hash;
    uint32_t source;
    uint32_t streams;            /* users */
    uint32_t destination;        /* POOL_NONE when refused */
    uint32_t plan;               /* of its cell */
    uint32_t drawing;            /* of its cell; POOL_NONE: not a host's */
    uint32_t rule, generation;   /* that routed it, among the rules of that time */
    uint32_t former_destination; /* before the last change of the configuration */
    uint32_t former_plan;
    char *former_name; /* owned */
    uint32_t former_name_len;
    uint64_t changed_minute; /* the first minute after it; 0: never */
    struct hash128 own_name; /* its metric's name in its resource */
    uint32_t successor;      /* that it refreshes; POOL_NONE for none */
    uint32_t hint_stream;    /* stream that tells the swap cell that swap is looked at */
    uint8_t refusal;         /* enum reason + 1; 0 when routed */
    uint8_t shape;           /* enum stream_shape */
    bool wants_host;         /* goes to the host where there is one */
    bool follows_service;    /* goes to the service that its resource leads to */
    bool is_native;          /* each stream is classified by its attributes */
    bool may_be_young;       /* made by an SDK and not a since-boot family */
    bool is_since_boot;
    bool is_delta, is_monotonic;
    bool saw_eviction;
    bool hints_swap;   /* system.paging.*: swap is looked at */
    bool is_container; /* feeds a container's cells; `name` is how their names begin */
    bool reads_labels; /* that container follows from each point's labels */
    uint64_t instance; /* which container, else */
    uint32_t node;     /* that it tells about or asks for; POOL_NONE for none */
    uint8_t tells;     /* enum node_fact */
    uint8_t kind;      /* enum cell_kind of its cell */
    char *name;        /* base name of its cell; owned */
    uint32_t name_len;
};

enum stream_shape {
    SHAPE_CUMULATIVE, /* totals */
    SHAPE_DELTA,      /* increases */
    SHAPE_VALUE,      /* gauges and up-down counters */
};

/* Which number the last point had; also says how its difference is taken. */
enum number_type {
    NUMBER_INT,
    NUMBER_DOUBLE
};

union number {
    int64_t as_int;
    double as_double;
    uint64_t as_count;
};

/* Exports of one family under one start time: when was the start last reported? */
struct start {
    struct hash128 hash;
    uint64_t last_ns, previous_ns;
    uint32_t times;   /* distinct report times */
    uint32_t streams; /* users */
};

struct stream {
    struct hash128 identity; /* without the start time */
    uint64_t start_ns;       /* 0 unless cumulative */
    uint64_t first_ns, last_ns;
    uint64_t
        covered_ns; /* everything since then is known; 0 when its beginning is known */
    uint64_t
        fed_ns; /* the earliest time from which it fed its cell; UINT64_MAX: nothing yet */
    uint64_t rank; /* native: see struct native_input; of a container: which one */
    union number last;
    struct cadence cadence;
    uint32_t family, cell;
    uint32_t next_start;                     /* next stream of the same identity */
    uint32_t next_in_cell, previous_in_cell; /* streams of the same cell */
    uint32_t move;   /* newest struct move, by time; POOL_NONE for none */
    uint32_t start;  /* struct start; POOL_NONE for none */
    uint32_t detail; /* newest struct history, or what its distribution remembers */
    uint32_t owner;  /* struct owner of the host's native streams; POOL_NONE for none */
    uint8_t shape, number_type, component;
    uint8_t refusal;      /* enum reason + 1: every point is counted under it */
    uint8_t labels;       /* of the plan's breakdown: bit 0 is the first label */
    uint8_t source_rank;  /* native: enum native_rank_of_source */
    bool is_histogram;    /* a distribution: */
    bool is_share;        /* native: NATIVE_SHARE */
    bool has_twin;        /* native: another stream of its cell says the same thing */
    uint8_t distribution; /* enum distribution_kind */
    uint16_t generation;  /* of the rules that it follows; low bits */
    uint64_t
        ended_ns; /* NoRecordedValue, or shut out by another source: next is a baseline */
};

/* A newer name of a metric of a resource; the hash is of the older one (pipeline/supersede.h). */
struct successor {
    struct hash128 hash;
    uint64_t heard_ns; /* when the newer one was received last */
    uint32_t families; /* users */
};

/* Which source feeds a native group of a host. */
struct owner {
    struct hash128 hash;
    uint32_t source, before; /* now, and before the last change; POOL_NONE for none */
    uint32_t rank;           /* enum native_rank_of_source: of its metrics */
    uint64_t since_ns;       /* when that took over */
    uint64_t
        mount; /* of a device that is named by its mountpoint: rank of that; else 0 */
    uint64_t last_ns, before_last_ns;
    struct cadence cadence;
};

struct destination {
    struct hash128 hash;
    char *text; /* owns the slices */
    struct mackerel_destination target;
    uint32_t names; /* of its cells that have streams (pipeline/names.h) */
};

enum cell_kind {
    CELL_RATE,      /* increases -> .rate */
    CELL_HISTOGRAM, /* distributions of all kinds -> .rate .avg .p90 .p95 .p99 */
    CELL_MEAN,      /* gauges */
    CELL_SUM,       /* up-down counters */
    CELL_TOTALS, /* native cpu, disk, network, containers' cpu and network: increases per
                       component */
    CELL_INSTANTS, /* native load, memory, swap, filesystem: values at the minute's start;
                      containers' memory */
};

struct cell {
    struct hash128 hash;
    uint32_t destination;
    uint32_t plan;    /* POOL_NONE for native kinds */
    uint32_t drawing; /* POOL_NONE for native kinds and services */
    uint32_t first_stream;
    uint32_t first_move;    /* of streams that left it */
    uint32_t newest_minute; /* list in falling order of minutes */
    uint32_t newest_run;    /* of posted minutes that are final; falling order */
    uint8_t kind;           /* enum cell_kind */
    uint8_t group;          /* enum native_group for native kinds */
    char *name;             /* base name, or the native device; owned */
    uint32_t name_len;
    struct kept_value *kept; /* owned; its place among the values of kept attributes */
    uint32_t kept_count;
    uint32_t generation; /* of the rules by which a stream last joined it */
};

/* What some plans ask of a minute beside the increase. */
enum minute_part {
    MINUTE_PART_WHOLE, /* increase in whole numbers (pipeline/whole.h) */
    MINUTE_PART_LABELS, /* increase of the first label of the breakdown; the others follow */
};

/*
 * One minute of one cell. Totals keep increases; values are looked up in the streams' histories
 * when the minute closes.
 */
struct minute {
    uint64_t number; /* Unix minutes */
    uint64_t due_ns; /* earliest time to close it: end + grace, later when it came late */
    uint64_t posted_ns; /* when it was last posted (or decided); 0 is open */
    uint64_t first_posted_ns;
    double increase;      /* rate: increase; histogram: count */
    double sum, bucketed; /* histogram: sum, observations in buckets */
    double *component;    /* buckets, or native components */
    double *part;         /* enum minute_part; only where the plan asks for one of them */
    double min, max; /* delta distributions: if has_extremes and not extremes_missing */
    uint32_t older;
    uint32_t room; /* of component */
    uint32_t part_count;
    uint32_t layout;      /* histogram; POOL_NONE is none yet */
    uint32_t exponential; /* exponential histograms; POOL_NONE is none yet */
    uint32_t quantiles;   /* summaries; POOL_NONE is none yet */
    uint32_t pending;     /* points to book when it is posted */
    bool fed;             /* something covers part of it */
    bool unknown_beginning;
    bool sum_missing, layout_mix;
    bool has_extremes, extremes_missing;
    bool posted;
    bool changed; /* since it was posted */
    bool late;    /* was already due when something came: closes in the backfill */
};

/* Minutes of a cell without a gap that were posted and are final. */
struct run {
    uint64_t first, last;
    uint32_t older;
};

/* A stream left its cell when it was routed anew (pipeline/members.h). */
struct move {
    uint64_t until; /* minutes before it belong to the cell that it left */
    uint32_t stream;
    uint32_t cell;  /* that it left; POOL_NONE: its points were refused */
    uint32_t older; /* of the stream */
    uint32_t next_in_cell, previous_in_cell;
};

/* A body that was received within the last minutes, in a list by time (pipeline/repeats.h). */
struct repeat {
    struct hash128 hash;
    uint64_t last_ns;
    uint32_t older, newer;
};

struct rules;

struct pipeline {
    struct pipeline_options options; /* with these texts: */
    char *default_service, *native_metrics, *native_policy, *rules;
    struct native_policy policy; /* from the options */
    struct rules *compiled;      /* the rules in force; NULL until they are asked */
    uint32_t generation;         /* of the rules in force */
    uint64_t changed_minute;     /* the first minute of that generation */
    struct pool resources, nodes, sources, families, starts, streams, buckets,
        exponentials, quantiles, histories, history_points, layouts, owners, destinations,
        plans, successors, drawings, cells, minutes, runs, moves, repeats;
    struct table resource_table, node_table, source_table, family_table, start_table,
        stream_table, layout_table, owner_table, destination_table, plan_table,
        successor_table, drawing_table, cell_table, repeat_table;
    struct due_queue due;
    struct names names;
    uint64_t names_freed_ns; /* when names were last given back */
    struct point_ledger ledger;
    struct pipeline_counts counts;
    uint64_t now_ns;    /* of the record being applied */
    uint64_t newest_ns; /* newest point time seen, for idleness */
    uint32_t sweep;     /* next stream to look at for idleness */
    uint32_t oldest_repeat, newest_repeat;
    struct buffer text;                 /* scratch for names */
    struct container_reading *readings; /* scratch: a container cell's minute */
    size_t reading_room;
    double *increases; /* scratch for bucket increases */
    size_t increase_room;
    struct exponential now, rise, other; /* scratch for exponential buckets */
    uint32_t *open;                      /* scratch: minutes that may close */
    size_t open_room;
    struct emission *emissions; /* values closed by the current tick */
    size_t emission_count, emission_room;
    struct buffer emission_text;
    struct drawing_list drawing_list; /* scratch: definitions of the current tick */
    struct mackerel_value *values;
    size_t value_room;
    struct mackerel_row *rows;
    size_t row_room;
};

static inline struct drawing *state_drawing(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->drawings, index);
}

static inline struct resource *state_resource(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->resources, index);
}

static inline struct node *state_node(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->nodes, index);
}

static inline struct source *state_source(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->sources, index);
}

static inline struct family *state_family(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->families, index);
}

static inline struct stream *state_stream(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->streams, index);
}

static inline struct cell *state_cell(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->cells, index);
}

static inline struct minute *state_minute(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->minutes, index);
}

static inline struct layout *state_layout(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->layouts, index);
}

static inline struct buckets *state_buckets(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->buckets, index);
}

static inline struct exponential *state_exponential(const struct pipeline *p,
                                                    uint32_t index)
{
    return pool_at(&p->exponentials, index);
}

static inline struct quantiles *state_quantiles(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->quantiles, index);
}

static inline struct history *state_history(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->histories, index);
}

static inline struct history_points *state_history_points(const struct pipeline *p,
                                                          uint32_t index)
{
    return pool_at(&p->history_points, index);
}

static inline struct run *state_run(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->runs, index);
}

static inline struct move *state_move(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->moves, index);
}

static inline struct repeat *state_repeat(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->repeats, index);
}

static inline struct owner *state_owner(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->owners, index);
}

static inline struct start *state_start(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->starts, index);
}

static inline struct plan *state_plan(const struct pipeline *p, uint32_t index)
{
    return pool_at(&p->plans, index);
}

static inline struct destination *state_destination(const struct pipeline *p,
                                                    uint32_t index)
{
    return pool_at(&p->destinations, index);
}

#endif
