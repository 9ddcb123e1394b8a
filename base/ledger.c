#include "base/ledger.h"

#include <assert.h>

struct reason_row {
    const char *name;
    enum ledger_class class;
    const char *help;
};

/* The one table of reasons: documentation, metrics, /status and partial success read it. */
static const struct reason_row reasons[] = {
    [REASON_BASELINE] =
        {"baseline", LEDGER_SKIPPED,
         "First point of a stream whose beginning is unknown; increases count "
         "from here."},
    [REASON_SINCE_BOOT] =
        {"since_boot", LEDGER_SKIPPED,
         "First total of a counter that is older than the start it claims; "
         "increases count from here."},
    [REASON_FELL] =
        {"fell", LEDGER_SKIPPED,
         "The total fell below the last one: the counter was reset; increases count "
         "from here."},
    [REASON_GAP] =
        {"gap", LEDGER_SKIPPED,
         "First point after a silence of over an hour and three intervals; increases "
         "count from here."},
    [REASON_DUPLICATE] =
        {"duplicate", LEDGER_SKIPPED,
         "A point of the same stream with this time and value is known."},
    [REASON_STALE_MARKER] =
        {"stale_marker", LEDGER_SKIPPED,
         "The sender says that the series ended (no recorded value)."},
    [REASON_PARTIAL] =
        {"partial", LEDGER_SKIPPED,
         "Part of the minute in which the gateway first met a running sender; "
         "whole minutes follow."},
    [REASON_REPEAT] = {"repeat", LEDGER_SKIPPED,
                       "The whole request was received before: the sender resent it."},
    [REASON_NATIVE_ALTERNATIVE] = {"native_alternative", LEDGER_SKIPPED,
                                   "The host's native metrics show this already."},
    [REASON_OUT_OF_ORDER] =
        {"out_of_order", LEDGER_DROPPED,
         "Older than the stream's last point, or another value for its time: "
         "two senders may share one identity; give each a "
         "service.instance.id."},
    [REASON_LATE] =
        {"late", LEDGER_DROPPED,
         "Its minute is final. Raise minutes.lateness or let the sender export "
         "sooner."},
    [REASON_TOO_OLD] =
        {"too_old", LEDGER_DROPPED,
         "Over 24 h older than its receive time, which Mackerel would not take."},
    [REASON_FUTURE] =
        {"future", LEDGER_DROPPED,
         "Over a minute ahead of its receive time: check the sender's clock."},
    [REASON_NO_TIME] = {"no_time", LEDGER_DROPPED,
                        "The point has no time (time_unix_nano is 0)."},
    [REASON_START_AFTER_TIME] = {"start_after_time", LEDGER_DROPPED,
                                 "start_time_unix_nano is later than time_unix_nano."},
    [REASON_NO_VALUE] = {"no_value", LEDGER_DROPPED,
                         "The point has neither as_double nor as_int."},
    [REASON_NOT_FINITE] = {"not_finite", LEDGER_DROPPED,
                           "NaN and infinity cannot be posted to Mackerel."},
    [REASON_NO_TEMPORALITY] = {"no_temporality", LEDGER_DROPPED,
                               "Aggregation temporality is unspecified or unknown."},
    [REASON_BAD_HISTOGRAM] =
        {"bad_histogram", LEDGER_DROPPED,
         "Bounds, buckets and count of the histogram contradict each "
         "other."},
    [REASON_BAD_SUMMARY] =
        {"bad_summary", LEDGER_DROPPED,
         "Quantiles of the summary do not rise within 0 to 1, or have negative values."},
    [REASON_NEGATIVE_DELTA] = {"negative_delta", LEDGER_DROPPED,
                               "A monotonic sum with a negative delta."},
    [REASON_NO_NAME] = {"no_name", LEDGER_DROPPED, "The metric has no name."},
    [REASON_TOO_DEEP] = {"too_deep", LEDGER_DROPPED,
                         "An attribute value is nested beyond the depth limit."},
    [REASON_NO_IDENTITY] =
        {"no_identity", LEDGER_DROPPED,
         "A host metric whose resource has neither a host identity nor a "
         "service; set host.id or host.name (resourcedetection)."},
    [REASON_NO_SERVICE] = {"no_service", LEDGER_DROPPED,
                           "The resource has no service.name; set OTEL_SERVICE_NAME or "
                           "services.default."},
    [REASON_NO_DEVICE] = {"no_device", LEDGER_DROPPED,
                          "A disk or network point without a device attribute."},
    [REASON_FILTERED_DEVICE] = {"filtered_device", LEDGER_SKIPPED,
                                "A device that mackerel-agent does not post either."},
    [REASON_OTHER_SOURCE] =
        {"other_source", LEDGER_SKIPPED,
         "Another source feeds this group of the host's native metrics."},
    [REASON_START_CHURN] =
        {"start_churn", LEDGER_DROPPED,
         "A ninth start time of one identity: many unlabelled replicas; give "
         "each a service.instance.id."},
    [REASON_TOO_MANY_STREAMS] =
        {"too_many_streams", LEDGER_DROPPED,
         "The budget of streams is full: attributes with too many "
         "values."},
    [REASON_NAME_COLLISION] =
        {"name_collision", LEDGER_DROPPED,
         "Another metric is posted under this name: rename one by a rule."},
    [REASON_OVER_BUDGET] =
        {"over_budget", LEDGER_DROPPED,
         "The destination has as many metric names as its budget allows (budgets.*), or it "
         "would be one host too many."},
    [REASON_FILTERED] = {"filtered", LEDGER_SKIPPED,
                         "A rule drops the metric, or leaves this series of it out."},
    [REASON_NO_RULE] =
        {"no_rule", LEDGER_DROPPED,
         "No rule matches the metric; write one or put generic into packs."},
    [REASON_SUPERSEDED] =
        {"superseded", LEDGER_SKIPPED,
         "The resource sends the same metric under its newer name, which is posted."},
};
static_assert(sizeof(reasons) / sizeof(reasons[0]) == REASON_LAST + 1,
              "one row per reason");

static const struct {
    const char *name, *help;
} withheld_rows[] = {
    [WITHHELD_AGENT_WRITES] =
        {"agent_writes",
         "mackerel-agent posts this host's native metrics; custom metrics "
         "go on."},
    [WITHHELD_NATIVE_OFF] = {"native_off", "hosts.native_metrics is off."},
    [WITHHELD_HOST_UNKNOWN] =
        {"host_unknown",
         "No single host of this identity was found in time; /status names "
         "the identity and the line that fixes it."},
    [WITHHELD_OTHER_IDENTITY] =
        {"other_identity", "Another identity of the same host owns this metric name."},
    [WITHHELD_UNREADABLE] = {"unreadable",
                             "Damaged in the outbox's file; the row is kept in its table "
                             "bad_rows."},
    [WITHHELD_OPERATOR] = {"operator", "Dropped by hand (outbox drop)."},
};

static_assert(sizeof(withheld_rows) / sizeof(withheld_rows[0]) == WITHHELD_LAST + 1,
              "one row per reason");

/* An example lives this long before a newer one replaces it. */
static const uint64_t EXAMPLE_NS = 1000000000;

const char *reason_name(enum reason reason)
{
    return reasons[reason].name;
}

enum ledger_class reason_class(enum reason reason)
{
    return reasons[reason].class;
}

const char *reason_help(enum reason reason)
{
    return reasons[reason].help;
}

const char *withheld_name(enum withheld withheld)
{
    return withheld_rows[withheld].name;
}

const char *withheld_help(enum withheld withheld)
{
    return withheld_rows[withheld].help;
}

bool ledger_wants_example(const struct ledger_reason *reason, uint64_t now_ns)
{
    return reason->example[0] == '\0' || now_ns >= reason->example_ns + EXAMPLE_NS;
}

/* Length of at most `max` bytes of text that does not end inside a UTF-8 sequence. */
static size_t cut(struct slice text, size_t max)
{
    if (text.len <= max)
        return text.len;
    while (max > 0 && ((unsigned char)text.ptr[max] & 0xC0) == 0x80)
        max--;
    return max;
}

void ledger_keep_example(struct ledger_reason *reason, uint64_t now_ns, struct slice text)
{
    size_t len = cut(text, LEDGER_EXAMPLE_MAX - 1);

    reason->example_ns = now_ns;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        reason->example[i] = text.ptr[i];
        if (c < 0x20 || c == 0x7F)
            reason->example[i] = '?';
    }
    reason->example[len] = '\0';
}

uint64_t point_ledger_total(const struct point_ledger *ledger, enum ledger_class class)
{
    uint64_t total = 0;

    for (size_t i = 0; i <= REASON_LAST; i++)
        if (reasons[i].class == class)
            total += ledger->reasons[i].count;
    return total;
}

bool point_ledger_balances(const struct point_ledger *ledger)
{
    return ledger->received == ledger->merged + ledger->pending +
                                   point_ledger_total(ledger, LEDGER_SKIPPED) +
                                   point_ledger_total(ledger, LEDGER_DROPPED);
}

bool value_ledger_balances(const struct value_ledger *ledger)
{
    uint64_t total = ledger->delivered + ledger->replaced + ledger->expired +
                     ledger->rejected + ledger->queued;

    for (size_t i = 0; i <= WITHHELD_LAST; i++)
        total += ledger->withheld[i].count;
    return ledger->closed == total;
}
