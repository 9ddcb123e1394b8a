/*
 * The outbound model: what the pipeline gives to the exporter, and the JSON of the Mackerel API.
 *
 * Sources: Mackerel API documentation, "Host metrics" (POST /api/v0/tsdb: hostId, name, time in
 * epoch seconds, value; POST /api/v0/graph-defs/create) and "Service metrics" (POST
 * /api/v0/services/<name>/tsdb: name, time, value).
 */
#ifndef PROTO_MACKEREL_H
#define PROTO_MACKEREL_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mackerel_kind {
    MACKEREL_HOST,
    MACKEREL_SERVICE
};

/*
 * Where values go. A service is `name`. A host is sought by `host_id` if that is given, else by
 * `custom_identifier`, else by `name` (exactly one host of that name in any status). Fields that
 * are not known are empty. The three together (or the service name) are the destination's identity.
 */
struct mackerel_destination {
    enum mackerel_kind kind;
    struct slice name;
    struct slice host_id;
    struct slice custom_identifier;
    struct slice roles; /* for hosts that are created: "service:role" list with commas */
    /* For hosts that are created: the members of their meta, as JSON without the braces. It comes with
     * every row and is kept in no file. */
    struct slice meta;
};

struct mackerel_value {
    struct slice name; /* full metric name as posted */
    double value;      /* finite */
    bool native;       /* a name of mackerel-agent's own set, not custom.* */
};

/* LIVE values are fresh; BACKFILL values are posted behind them (monitors judge the newest only). */
enum mackerel_lane {
    MACKEREL_LIVE,
    MACKEREL_BACKFILL
};

/* One line of a graph: its metric is the graph's name, a dot and this segment. */
struct mackerel_line {
    struct slice
        segment; /* or "*", for all segments, where the graph's name has one, too */
    struct slice display_name; /* %1, %2: what wildcards stand for; empty: the segment */
    bool is_stacked;
};

/*
 * How custom metrics of hosts look, for all hosts of the organisation. Names that are equal up to the
 * last dot share a graph; whole segments of its name may be wildcards (one "#" at most).
 */
struct mackerel_graph {
    struct slice name;         /* "custom.", and at least one segment */
    struct slice display_name; /* empty: left to Mackerel */
    /* float integer percentage seconds milliseconds bytes bytes/sec bits/sec iops; empty as long as it is
     * not posted: no say in it. */
    struct slice unit;
    const struct mackerel_line *lines;
    size_t count;
};

/* One destination's values of one minute. All memory is borrowed for the call that passes a row. */
struct mackerel_row {
    struct mackerel_destination destination;
    uint64_t minute_s; /* Unix seconds of the minute's start */
    enum mackerel_lane lane;
    const struct mackerel_value *values;
    size_t count;
    const struct mackerel_graph *graphs; /* of all rows of a tick, in the first */
    size_t graph_count;
};

bool mackerel_destination_equal(const struct mackerel_destination *a,
                                const struct mackerel_destination *b);

/* ---- requests, written by template ------------------------------------------------------- */

/* Appends {"hostId":...,"name":...,"time":...,"value":...}; without hostId when host_id is empty. */
void mackerel_write_value(struct buffer *out, struct slice host_id, struct slice name,
                          uint64_t time_s, double value);

/* {"name":...,"memo":""} for POST /api/v0/services. */
void mackerel_write_service(struct buffer *out, struct slice name);

/* Body of POST /api/v0/hosts. `roles` as in mackerel_destination. */
void mackerel_write_host(struct buffer *out, const struct mackerel_destination *host);

/* One element of the array for POST /api/v0/graph-defs/create. */
void mackerel_write_graph(struct buffer *out, const struct mackerel_graph *graph);

/* Does the API take a graph of that name, a line of that segment in it? ("Posting graph definitions") */
bool mackerel_is_graph_name(struct slice name);
bool mackerel_is_graph_segment(struct slice graph, struct slice segment);

/* A JSON string with quotes; control characters escaped, invalid UTF-8 becomes U+FFFD. */
void mackerel_write_string(struct buffer *out, struct slice text);

/* ---- answers, read by a bounded pull reader ---------------------------------------------- */

struct mackerel_host {
    char id[64];
    char name[256];
    char status[16];
    bool is_retired;
};

/* Reads {"hosts":[...]} or {"host":{...}}: at most `max` hosts are stored, *count says how many
 * there were. False (ERROR_INVALID) when the text is not such an answer. */
bool mackerel_read_hosts(struct slice json, struct mackerel_host *hosts, size_t max,
                         size_t *count, struct error *err) MUST_CHECK;

/* Calls `found` for each name in {"services":[{"name":...}]}. */
bool mackerel_read_services(struct slice json,
                            void (*found)(void *self, struct slice name), void *self,
                            struct error *err) MUST_CHECK;

/* The id in {"id":"..."}. */
bool mackerel_read_id(struct slice json, char *id, size_t size,
                      struct error *err) MUST_CHECK;

/* {"tsdbLatest":{host:{name:{time,value}}}}: time of the first value that is there; 0 if none. */
bool mackerel_read_latest_time(struct slice json, uint64_t *time_s,
                               struct error *err) MUST_CHECK;

/* The message in {"error":{"message":"..."}} or {"error":"..."}; false when the body is not that. */
bool mackerel_read_error(struct slice json, char *text, size_t size) MUST_CHECK;

#endif
