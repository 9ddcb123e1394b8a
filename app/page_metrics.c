#include "app/page.h"

#include <inttypes.h>

/* Metric names are frozen: dashboards and alerts stand on them. */
static void head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_printf(out, "# HELP mackerel_gateway_%s %s\n# TYPE mackerel_gateway_%s %s\n",
                  name, help, name, type);
}

static void line(struct buffer *out, const char *name, const char *labels, uint64_t value)
{
    buffer_printf(out, "mackerel_gateway_%s%s %" PRIu64 "\n", name, labels, value);
}

static void single(struct buffer *out, const char *name, const char *type,
                   const char *help, uint64_t value)
{
    head(out, name, type, help);
    line(out, name, "", value);
}

static void labelled(struct buffer *out, const char *name, const char *label,
                     const char *value, uint64_t count)
{
    buffer_printf(out, "mackerel_gateway_%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value,
                  count);
}

static void put_points(struct buffer *out, const struct point_ledger *ledger)
{
    static const struct {
        const char *name, *help;
    } classes[] = {
        [LEDGER_SKIPPED] = {"points_skipped_total",
                            "Points that carry no value of their own."},
        [LEDGER_DROPPED] = {"points_dropped_total", "Points that were lost, by reason."},
    };

    single(out, "points_received_total", "counter", "Points in accepted requests.",
           ledger->received);
    single(out, "points_merged_total", "counter",
           "Points that are part of a closed value.", ledger->merged);
    single(out, "points_pending", "gauge", "Points whose minute is not closed yet.",
           ledger->pending);
    for (int class = LEDGER_SKIPPED; class <= LEDGER_DROPPED; class ++) {
        head(out, classes[class].name, "counter", classes[class].help);
        for (int reason = 0; reason <= REASON_LAST; reason++)
            if ((int)reason_class((enum reason)reason) == class)
                labelled(out, classes[class].name, "reason",
                         reason_name((enum reason)reason), ledger->reasons[reason].count);
    }
}

static void put_values(struct buffer *out, const struct value_ledger *ledger)
{
    single(out, "values_closed_total", "counter", "Values of closed minutes.",
           ledger->closed);
    single(out, "values_delivered_total", "counter", "Values that Mackerel accepted.",
           ledger->delivered);
    single(out, "values_replaced_total", "counter",
           "Values that a correction replaced unsent.", ledger->replaced);
    single(out, "values_expired_total", "counter",
           "Values too old to post, or without room.", ledger->expired);
    single(out, "values_rejected_total", "counter", "Values that Mackerel refused.",
           ledger->rejected);
    single(out, "values_queued", "gauge", "Values that wait to be posted.",
           ledger->queued);
    head(out, "values_withheld_total", "counter",
         "Values held back for good, by reason.");
    for (int reason = 0; reason <= WITHHELD_LAST; reason++)
        labelled(out, "values_withheld_total", "reason",
                 withheld_name((enum withheld)reason), ledger->withheld[reason].count);
}

static void put_receiver(struct buffer *out, const struct receiver_stats *stats)
{
    static const char *const transports[] = {
        [RECEIVER_GRPC] = "grpc", [RECEIVER_HTTP] = "http"};

    head(out, "requests_total", "counter", "Answered requests by transport and outcome.");
    for (int transport = 0; transport < RECEIVER_TRANSPORTS; transport++)
        for (int kind = 0; kind < RECEIVER_OUTCOMES; kind++)
            buffer_printf(
                out,
                "mackerel_gateway_requests_total{transport=\"%s\",outcome=\"%s\"} %" PRIu64
                "\n",
                transports[transport],
                kind == ERROR_NONE ? "ok" : error_name((enum error_kind)kind),
                stats->requests[transport][kind]);
    single(out, "partial_successes_total", "counter",
           "Requests of which some points were refused.", stats->partial_successes);
    single(out, "requests_cancelled_total", "counter",
           "Requests whose sender left before the answer.", stats->cancelled);
    single(out, "request_bytes_total", "counter", "Body bytes as received.",
           stats->body_bytes);
    single(out, "request_inflated_bytes_total", "counter",
           "Body bytes after decompression.", stats->inflated_bytes);
    single(out, "connections", "gauge", "Open connections.", stats->connections_open);
    single(out, "connections_total", "counter", "Accepted connections.",
           stats->connections_total);
    single(out, "connections_refused_total", "counter",
           "Connections closed for lack of room.", stats->connections_refused);
    single(out, "protocol_errors_total", "counter",
           "Connections closed for malformed bytes.", stats->protocol_errors);
    single(out, "timeouts_total", "counter",
           "Connections and requests ended by a deadline.", stats->timeouts);
    single(out, "other_signal_requests_total", "counter",
           "Traces, logs and profiles sent here.", stats->other_signals);
}

static uint64_t count_unknown(const struct delivery_status *delivery,
                              enum mackerel_kind kind)
{
    uint64_t count = 0;

    for (size_t i = 0; i < delivery->unknown_count; i++)
        count += delivery->unknown[i].kind == kind;
    return count;
}

static void put_delivery(struct buffer *out, const struct delivery_status *delivery)
{
    single(out, "last_post_timestamp_seconds", "gauge",
           "Unix time of the last accepted post.", delivery->last_post_ns / 1000000000);
    single(out, "delivery_ok", "gauge", "1 while the Mackerel API accepts posts.",
           delivery->state == DELIVERY_OK);
    single(out, "unknown_hosts", "gauge", "Hosts that were not found in Mackerel.",
           count_unknown(delivery, MACKEREL_HOST));
    single(out, "unknown_services", "gauge", "Services that are missing in Mackerel.",
           count_unknown(delivery, MACKEREL_SERVICE));
    head(out, "api_requests_total", "counter",
         "Requests to Mackerel by endpoint and status; 0: no answer.");
    for (size_t i = 0; i < delivery->api_count; i++)
        buffer_printf(
            out,
            "mackerel_gateway_api_requests_total{endpoint=\"%s\",status=\"%d\"} %" PRIu64
            "\n",
            api_name(delivery->api[i].endpoint), delivery->api[i].status,
            delivery->api[i].count);
}

static void put_graphs(struct buffer *out, const struct graph_counts *graphs)
{
    single(out, "graph_definitions", "gauge",
           "Graph definitions that Mackerel has of us.", graphs->known);
    single(out, "graph_definitions_waiting", "gauge", "Graph definitions to be posted.",
           graphs->waiting);
    single(out, "graph_definitions_refused", "gauge",
           "Graph definitions that Mackerel refused.", graphs->refused);
    single(out, "graph_definitions_posted_total", "counter",
           "Graph definitions that Mackerel took.", graphs->posted);
    single(out, "graph_definitions_failed_total", "counter",
           "Attempts to post a graph definition that failed.", graphs->failed);
}

static void put_engine(struct buffer *out, const struct engine_picture *engine)
{
    single(out, "hosts", "gauge", "Hosts that have metrics.", engine->budget_use.hosts);
    single(out, "service_names", "gauge", "Names of metrics of all services.",
           engine->budget_use.service_names);
    single(out, "budgets_near", "gauge",
           "Destinations at 80 % of their budget of names or above.",
           engine->budget_use.near_count);
    single(out, "streams_collapsed_total", "counter",
           "Streams of which a kept value became `other`.", engine->counts.collapsed);
    single(out, "streams", "gauge", "OTLP time series that are followed.",
           engine->counts.streams);
    single(out, "streams_evicted_total", "counter",
           "Streams forgotten because they were idle.", engine->counts.evicted);
    single(out, "cells", "gauge", "Mackerel series families that are fed.",
           engine->counts.cells);
    single(out, "open_minutes", "gauge", "Minutes that are open or may be corrected.",
           engine->counts.open_minutes);
    single(out, "inflight_bytes", "gauge", "Bytes received and not yet applied.",
           engine->inflight_bytes);
    single(out, "inflight_limit_bytes", "gauge",
           "Bytes in flight above which senders are refused.",
           engine->max_inflight_bytes);
    single(out, "journal_lsn", "gauge", "Journal record that was applied last.",
           engine->lsn);
}

static void put_refused(struct buffer *out, const struct engine_picture *engine)
{
    static const char name[] = "requests_refused_total";

    head(out, name, "counter",
         "Requests whose sender was asked to try again, by reason.");
    labelled(out, name, "reason", "no_room_in_flight", engine->refused_room);
    labelled(out, name, "reason", "journal", engine->refused_journal);
    labelled(out, name, "reason", "not_accepting", engine->refused_closed);
}

static void put_journal(struct buffer *out, const struct journal_stats *journal)
{
    single(out, "journal_refusing", "gauge",
           "1 while the journal takes no requests: full, or its disk is.",
           journal->is_refusing);
    single(out, "journal_bytes", "gauge", "Bytes of the journal's files.",
           journal->bytes);
    single(out, "journal_limit_bytes", "gauge", "Bytes above which senders are refused.",
           journal->max_bytes);
    single(out, "journal_records_total", "counter", "Records appended.",
           journal->appended);
    single(out, "journal_appended_bytes_total", "counter", "Bytes appended.",
           journal->appended_bytes);
    single(out, "journal_syncs_total", "counter", "Times the disk was waited for.",
           journal->syncs);
    single(out, "journal_sync_failures_total", "counter",
           "Times the disk failed to keep what was written.", journal->failed_syncs);
    single(out, "journal_records_lost", "gauge",
           "Records that the start found missing or damaged.", journal->lost_records);
    single(out, "journal_files_set_aside", "gauge",
           "Files that the start could not read.", journal->bad_files);
}

static uint64_t checkpoint_age_s(const struct page_facts *facts)
{
    uint64_t time_ns = facts->engine->checkpoint.time_ns;

    if (time_ns == 0)
        time_ns = facts->started_ns;
    return facts->now_ns > time_ns ? (facts->now_ns - time_ns) / 1000000000 : 0;
}

static void put_checkpoint(struct buffer *out, const struct page_facts *facts)
{
    const struct saver_status *checkpoint = &facts->engine->checkpoint;

    single(out, "checkpoint_lsn", "gauge", "Journal record up to which one is in force.",
           checkpoint->lsn);
    single(out, "checkpoint_age_seconds", "gauge",
           "Since the last one, or since the start.", checkpoint_age_s(facts));
    single(out, "checkpoint_bytes", "gauge", "Size of the last one.", checkpoint->bytes);
    single(out, "checkpoints_total", "counter", "Checkpoints that came into force.",
           checkpoint->saved);
    single(out, "checkpoint_failures_total", "counter", "Checkpoints that failed.",
           checkpoint->failed);
    single(out, "checkpoints_set_aside", "gauge",
           "Checkpoints that the start could not use.",
           facts->engine->recovery.bad_checkpoints);
    single(out, "recovered_records", "gauge", "Records that the start replayed.",
           facts->engine->recovery.records);
    single(out, "recovery_milliseconds", "gauge", "How long the start took to recover.",
           facts->engine->recovery.duration_ns / 1000000);
    single(out, "disk_reserve", "gauge",
           "0 while the reserve is given up because the disk is short.",
           facts->has_reserve);
}

static void put_outbox_file(struct buffer *out, const struct outbox_counts *outbox)
{
    single(out, "outbox_commits_total", "counter", "Transactions of the outbox's file.",
           outbox->commits);
    single(out, "outbox_commit_failures_total", "counter", "Transactions that failed.",
           outbox->failed_commits);
    single(out, "outbox_committed_lsn", "gauge",
           "Journal record of the newest tick that the outbox's file has.",
           outbox->committed_lsn);
    single(out, "outbox_files_set_aside", "gauge", "Files that the start could not read.",
           outbox->bad_files);
    single(out, "outbox_rows_set_aside", "gauge", "Rows that could not be read.",
           outbox->bad_rows);
}

static uint64_t age_s(const struct page_facts *facts)
{
    uint64_t now_s = facts->now_ns / 1000000000,
             oldest_s = facts->outbox->oldest_minute_s;

    return oldest_s && now_s > oldest_s ? now_s - oldest_s : 0;
}

void page_metrics(const struct page_facts *facts, struct buffer *out)
{
    head(out, "build_info", "gauge", "The version that runs.");
    labelled(out, "build_info", "version", facts->version, 1);
    single(out, "start_timestamp_seconds", "gauge", "Unix time of the start.",
           facts->started_ns / 1000000000);
    single(out, "resident_memory_bytes", "gauge", "Resident memory of the process.",
           facts->resident_bytes);
    /* Not known while the state is being read: zero would look like a counter that began anew. */
    if (facts->engine->is_recovered)
        put_points(out, &facts->engine->ledger);
    put_values(out, facts->values);
    put_engine(out, facts->engine);
    put_refused(out, facts->engine);
    if (facts->engine->journal.is_on_disk) {
        put_journal(out, &facts->engine->journal);
        put_checkpoint(out, facts);
    }
    single(out, "outbox_rows", "gauge", "Minutes of destinations that wait.",
           facts->outbox->rows);
    single(out, "outbox_bytes", "gauge", "Memory of what waits.", facts->outbox->bytes);
    single(out, "outbox_oldest_seconds", "gauge", "Age of the oldest minute that waits.",
           age_s(facts));
    if (facts->outbox->is_on_disk)
        put_outbox_file(out, facts->outbox);
    put_delivery(out, facts->delivery);
    put_graphs(out, &facts->graphs);
    put_receiver(out, facts->receiver);
}
