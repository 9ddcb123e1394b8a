/*
 * The books. Every point that was acknowledged is in exactly one place, and so is every value
 * that left the pipeline:
 *
 *   points:  received = merged + skipped{reason} + dropped{reason} + pending
 *   values:  closed   = delivered + replaced + expired + rejected + withheld{reason} + queued
 *
 * Skipped points carry no value of their own (a baseline, a repeat); dropped points are a loss.
 * Reasons live in the one table of ledger.c. Each reason keeps one example, the newest at most once
 * a second, so that a user sees which metric it concerns.
 *
 * A ledger belongs to one thread (points: engine; values: delivery). Another thread sees copies.
 */
#ifndef BASE_LEDGER_H
#define BASE_LEDGER_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum ledger_class {
    LEDGER_SKIPPED,
    LEDGER_DROPPED
};

/* Why a point is not part of a posted value. */
enum reason {
    REASON_BASELINE,     /* first point of a stream whose beginning is unknown */
    REASON_SINCE_BOOT,   /* first total of an old counter that claims a fresh start */
    REASON_FELL,         /* cumulative value below the last: a new baseline */
    REASON_GAP,          /* over an hour and three intervals since the last point */
    REASON_DUPLICATE,    /* same stream, time and value */
    REASON_STALE_MARKER, /* NoRecordedValue */
    REASON_PARTIAL,      /* minute in which the gateway first met a running sender */
    REASON_REPEAT,       /* whole request received before */
    REASON_NATIVE_ALTERNATIVE, /* the native table uses or could use it */
    REASON_OUT_OF_ORDER, /* older than the stream's last point, or another value for its time */
    REASON_LATE,         /* its minute is final */
    REASON_TOO_OLD,          /* over 24 h old */
    REASON_FUTURE,           /* over a minute ahead of the receive time */
    REASON_NO_TIME,          /* time 0 */
    REASON_START_AFTER_TIME, /* start later than time */
    REASON_NO_VALUE,         /* neither double nor int */
    REASON_NOT_FINITE,       /* NaN or infinite */
    REASON_NO_TEMPORALITY,   /* aggregation temporality unspecified or unknown */
    REASON_BAD_HISTOGRAM,    /* bounds, buckets and count contradict each other */
    REASON_BAD_SUMMARY,      /* quantiles out of order or negative */
    REASON_NEGATIVE_DELTA,   /* monotonic sum with a negative delta */
    REASON_NO_NAME,          /* empty metric name */
    REASON_TOO_DEEP,         /* attribute nested beyond the depth limit */
    REASON_NO_IDENTITY,      /* host metric without host identity or service */
    REASON_NO_SERVICE,       /* no service name and no default */
    REASON_NO_DEVICE,        /* disk or network point without a device */
    REASON_FILTERED_DEVICE,  /* device that mackerel-agent does not post either */
    REASON_OTHER_SOURCE,     /* another source feeds this native group */
    REASON_START_CHURN,      /* a ninth start time of one identity */
    REASON_TOO_MANY_STREAMS, /* the stream budget is full */
    REASON_NAME_COLLISION,   /* another metric is posted under this name */
    REASON_OVER_BUDGET,      /* the destination has as many names as it may have */
    REASON_FILTERED,         /* a rule drops the metric or leaves the series out */
    REASON_NO_RULE,          /* no rule matches and the generic pack is off */
    REASON_SUPERSEDED,       /* the resource sends the metric under its newer name too */
    REASON_LAST = REASON_SUPERSEDED,
};

/* Why a closed value is held back for good. */
enum withheld {
    WITHHELD_AGENT_WRITES,   /* mackerel-agent posts this host's native metrics */
    WITHHELD_NATIVE_OFF,     /* hosts.native_metrics: off */
    WITHHELD_HOST_UNKNOWN,   /* the host was not found in time or the wait was full */
    WITHHELD_OTHER_IDENTITY, /* another identity of the same host owns this name */
    WITHHELD_UNREADABLE,     /* damaged in the outbox's file */
    WITHHELD_OPERATOR,       /* dropped by hand */
    WITHHELD_LAST = WITHHELD_OPERATOR,
};

enum {
    LEDGER_EXAMPLE_MAX = 256
};

struct ledger_reason {
    uint64_t count;
    uint64_t example_ns; /* receive time of the example */
    char example
        [LEDGER_EXAMPLE_MAX]; /* printable text, NUL-terminated; empty before the first */
};

struct point_ledger {
    uint64_t received, merged, pending;
    struct ledger_reason reasons[REASON_LAST + 1];
};

struct value_ledger {
    uint64_t closed, delivered, replaced, expired, rejected, queued;
    struct ledger_reason withheld[WITHHELD_LAST + 1];
};

const char *reason_name(enum reason reason);
enum ledger_class reason_class(enum reason reason);
/* One line for people: what it means and what to do. */
const char *reason_help(enum reason reason);
const char *withheld_name(enum withheld withheld);
const char *withheld_help(enum withheld withheld);

/* True when an example is wanted now: none yet, or the kept one is a second old. */
bool ledger_wants_example(const struct ledger_reason *reason, uint64_t now_ns);
/* Keeps `text` (cut to fit, control characters replaced) as the example. */
void ledger_keep_example(struct ledger_reason *reason, uint64_t now_ns,
                         struct slice text);

/* Sum over all reasons of one class. */
uint64_t point_ledger_total(const struct point_ledger *ledger, enum ledger_class class);
/* Do the books balance? */
bool point_ledger_balances(const struct point_ledger *ledger);
bool value_ledger_balances(const struct value_ledger *ledger);

#endif
