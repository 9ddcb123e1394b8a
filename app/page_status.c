#include "app/page.h"
#include "proto/mackerel.h"

#include <inttypes.h>

/* Members are written with a comma behind; the closing bracket takes the last one back. */
static void close_bracket(struct buffer *out, char bracket)
{
    if (out->ptr[out->len - 1] == ',')
        out->len--;
    buffer_append_char(out, bracket);
    buffer_append_char(out, ',');
}

static void open_member(struct buffer *out, const char *name, char bracket)
{
    buffer_printf(out, "\"%s\":%c", name, bracket);
}

static void put_text(struct buffer *out, const char *name, const char *text)
{
    buffer_printf(out, "\"%s\":", name);
    mackerel_write_string(out, slice_of(text));
    buffer_append_char(out, ',');
}

static void put_number(struct buffer *out, const char *name, uint64_t number)
{
    buffer_printf(out, "\"%s\":%" PRIu64 ",", name, number);
}

static void put_bool(struct buffer *out, const char *name, bool is)
{
    buffer_printf(out, "\"%s\":%s,", name, is ? "true" : "false");
}

/* Unix seconds; null for never. */
static void put_time(struct buffer *out, const char *name, uint64_t time_ns)
{
    if (time_ns)
        put_number(out, name, time_ns / 1000000000);
    else
        buffer_printf(out, "\"%s\":null,", name);
}

static void put_points(struct buffer *out, const struct point_ledger *ledger)
{
    static const char *const classes[] = {
        [LEDGER_SKIPPED] = "skipped", [LEDGER_DROPPED] = "dropped"};

    open_member(out, "points", '{');
    put_number(out, "received", ledger->received);
    put_number(out, "merged", ledger->merged);
    put_number(out, "pending", ledger->pending);
    for (int class = LEDGER_SKIPPED; class <= LEDGER_DROPPED; class ++) {
        open_member(out, classes[class], '{');
        for (int reason = 0; reason <= REASON_LAST; reason++)
            if (ledger->reasons[reason].count &&
                (int)reason_class((enum reason)reason) == class)
                put_number(out, reason_name((enum reason)reason),
                           ledger->reasons[reason].count);
        close_bracket(out, '}');
    }
    close_bracket(out, '}');
}

static void put_values(struct buffer *out, const struct value_ledger *ledger)
{
    open_member(out, "values", '{');
    put_number(out, "closed", ledger->closed);
    put_number(out, "delivered", ledger->delivered);
    put_number(out, "replaced", ledger->replaced);
    put_number(out, "expired", ledger->expired);
    put_number(out, "rejected", ledger->rejected);
    put_number(out, "queued", ledger->queued);
    open_member(out, "withheld", '{');
    for (int reason = 0; reason <= WITHHELD_LAST; reason++)
        if (ledger->withheld[reason].count)
            put_number(out, withheld_name((enum withheld)reason),
                       ledger->withheld[reason].count);
    close_bracket(out, '}');
    close_bracket(out, '}');
}

static void put_example(struct buffer *out, const char *name, const char *help,
                        const struct ledger_reason *reason)
{
    if (reason->count == 0)
        return;
    open_member(out, name, '{');
    put_text(out, "meaning", help);
    put_text(out, "example", reason->example);
    put_time(out, "seen", reason->example_ns);
    close_bracket(out, '}');
}

static void put_examples(struct buffer *out, const struct page_facts *facts)
{
    open_member(out, "reasons", '{');
    for (int reason = 0; reason <= REASON_LAST; reason++)
        put_example(out, reason_name((enum reason)reason),
                    reason_help((enum reason)reason),
                    &facts->engine->ledger.reasons[reason]);
    for (int reason = 0; reason <= WITHHELD_LAST; reason++)
        put_example(out, withheld_name((enum withheld)reason),
                    withheld_help((enum withheld)reason),
                    &facts->values->withheld[reason]);
    close_bracket(out, '}');
}

static void put_destination(struct buffer *out,
                            const struct destination_status *destination)
{
    bool is_host = destination->kind == MACKEREL_HOST;

    buffer_append_char(out, '{');
    put_text(out, "kind", is_host ? "host" : "service");
    put_text(out, "name", destination->name);
    if (is_host) {
        put_text(out, "custom_identifier", destination->custom_identifier);
        put_text(out, "host_id",
                 *destination->mackerel_id ? destination->mackerel_id
                                           : destination->host_id);
        put_text(out, "native_metrics", destination->native ? destination->native : "");
    }
    put_number(out, "queued", destination->queued);
    put_time(out, "last_post", destination->last_post_ns);
    put_time(out, "last_error_time", destination->last_error_ns);
    put_text(out, "last_error", destination->last_error);
    close_bracket(out, '}');
}

static void put_unknown(struct buffer *out, const struct unknown_status *unknown)
{
    buffer_append_char(out, '{');
    put_text(out, "kind", unknown->kind == MACKEREL_HOST ? "host" : "service");
    put_text(out, "sought", unknown->sought);
    put_text(out, "problem", unknown->problem);
    put_text(out, "fix", unknown->hint);
    put_time(out, "since", unknown->since_ns);
    put_number(out, "waiting", unknown->waiting);
    close_bracket(out, '}');
}

static void put_delivery(struct buffer *out, const struct delivery_status *delivery)
{
    open_member(out, "delivery", '{');
    put_text(out, "state", delivery_state_name(delivery->state));
    put_text(out, "message", delivery->message);
    put_time(out, "last_post", delivery->last_post_ns);
    put_text(out, "last_rejected", delivery->last_rejected);
    close_bracket(out, '}');
    open_member(out, "destinations", '[');
    for (size_t i = 0; i < delivery->destination_count; i++)
        put_destination(out, &delivery->destinations[i]);
    close_bracket(out, ']');
    open_member(out, "unknown_hosts", '[');
    for (size_t i = 0; i < delivery->unknown_count; i++)
        put_unknown(out, &delivery->unknown[i]);
    close_bracket(out, ']');
}

static void put_graphs(struct buffer *out, const struct graph_counts *graphs)
{
    open_member(out, "graph_definitions", '{');
    put_number(out, "known", graphs->known);
    put_number(out, "waiting", graphs->waiting);
    put_number(out, "refused", graphs->refused);
    put_number(out, "not_taken", graphs->untaken);
    put_text(out, "last_error", graphs->last_error);
    close_bracket(out, '}');
}

static void put_outbox(struct buffer *out, const struct page_facts *facts)
{
    const struct outbox_counts *outbox = facts->outbox;

    open_member(out, "outbox", '{');
    put_number(out, "rows", outbox->rows);
    put_number(out, "values", outbox->values);
    put_number(out, "bytes", outbox->bytes);
    put_time(out, "oldest_minute", outbox->oldest_minute_s * 1000000000);
    if (outbox->is_on_disk) {
        put_number(out, "committed_lsn", outbox->committed_lsn);
        put_number(out, "failed_commits", outbox->failed_commits);
        put_number(out, "bad_files", outbox->bad_files);
        put_number(out, "bad_rows", outbox->bad_rows);
        put_text(out, "last_error", outbox->last_error);
        put_text(out, "last_bad", outbox->last_bad);
    }
    close_bracket(out, '}');
}

/* ---- state ------------------------------------------------------------------------------- */

static void put_journal(struct buffer *out, const struct journal_stats *journal)
{
    open_member(out, "journal", '{');
    put_bool(out, "refusing", journal->is_refusing);
    put_number(out, "bytes", journal->bytes);
    put_number(out, "max_bytes", journal->max_bytes);
    put_number(out, "first_lsn", journal->first_lsn);
    put_number(out, "last_lsn", journal->last_lsn);
    put_number(out, "appended", journal->appended);
    put_number(out, "failed_syncs", journal->failed_syncs);
    put_number(out, "bad_files", journal->bad_files);
    put_number(out, "lost_records", journal->lost_records);
    put_text(out, "last_error", journal->last_error);
    close_bracket(out, '}');
}

static void put_checkpoint(struct buffer *out, const struct saver_status *checkpoint)
{
    open_member(out, "checkpoint", '{');
    put_number(out, "lsn", checkpoint->lsn);
    put_time(out, "time", checkpoint->time_ns);
    put_number(out, "bytes", checkpoint->bytes);
    put_number(out, "write_ms", checkpoint->write_ns / 1000000);
    put_number(out, "sync_ms", checkpoint->sync_ns / 1000000);
    put_number(out, "failed", checkpoint->failed);
    put_text(out, "last_error", checkpoint->last_error);
    close_bracket(out, '}');
}

static void put_recovery(struct buffer *out, const struct engine_picture *engine)
{
    const struct recovery_report *recovery = &engine->recovery;

    open_member(out, "recovery", '{');
    put_bool(out, "done", engine->is_recovered);
    put_number(out, "checkpoint_lsn", recovery->checkpoint_lsn);
    put_number(out, "records", recovery->records);
    put_number(out, "bytes", recovery->bytes);
    put_number(out, "ms", recovery->duration_ns / 1000000);
    put_number(out, "bad_checkpoints", recovery->bad_checkpoints);
    put_text(out, "bad_checkpoint", recovery->bad_checkpoint);
    close_bracket(out, '}');
}

static void put_refused(struct buffer *out, const struct engine_picture *engine)
{
    open_member(out, "refused_requests", '{');
    put_number(out, "no_room_in_flight", engine->refused_room);
    put_number(out, "journal", engine->refused_journal);
    put_number(out, "not_accepting", engine->refused_closed);
    close_bracket(out, '}');
}

static void put_state(struct buffer *out, const struct page_facts *facts)
{
    bool is_on_disk = facts->engine->journal.is_on_disk;

    open_member(out, "state", '{');
    put_text(out, "durability", facts->durability);
    if (is_on_disk) {
        put_text(out, "directory", facts->state_directory);
        put_bool(out, "reserve", facts->has_reserve);
        put_journal(out, &facts->engine->journal);
        put_checkpoint(out, &facts->engine->checkpoint);
        put_recovery(out, facts->engine);
    }
    put_refused(out, facts->engine);
    close_bracket(out, '}');
}

/* ---- what a person should do something about --------------------------------------------- */

static void put_problem(struct buffer *out, const char *what, const char *why)
{
    struct buffer text = {0};

    buffer_printf(&text, "%s%s%s", what, *why ? ": " : "", why);
    mackerel_write_string(out, buffer_slice(&text));
    buffer_append_char(out, ',');
    buffer_release(&text);
}

static void put_problems(struct buffer *out, const struct page_facts *facts)
{
    const struct engine_picture *engine = facts->engine;

    open_member(out, "problems", '[');
    if (facts->is_state_gone)
        put_problem(
            out,
            "the state directory is gone, so senders are refused: put it back, or "
            "restart; what is not posted until then is lost",
            facts->state_directory);
    if (engine->journal.is_refusing)
        put_problem(out, "the journal refuses requests", engine->journal.last_error);
    if (*engine->checkpoint.last_error)
        put_problem(out, "the last checkpoint failed", engine->checkpoint.last_error);
    if (*facts->outbox->last_error)
        put_problem(out, "the outbox cannot be written", facts->outbox->last_error);
    if (*facts->outbox->last_bad)
        put_problem(out, "a part of the outbox was set aside", facts->outbox->last_bad);
    if (!facts->has_reserve)
        put_problem(out, "the disk is short: the reserve is given up", "");
    if (engine->recovery.clock_behind_ns)
        put_problem(out,
                    "the machine's clock was behind the state at the start; time runs "
                    "at half pace until it has caught up",
                    "");
    if (engine->recovery.bad_checkpoints)
        put_problem(out, "a checkpoint was set aside", engine->recovery.bad_checkpoint);
    if (engine->journal.bad_files)
        put_problem(out, "a part of the journal was set aside",
                    engine->journal.last_error);
    close_bracket(out, ']');
}

static void put_addresses(struct buffer *out, const struct page_facts *facts)
{
    open_member(out, "addresses", '{');
    put_text(out, "grpc", facts->grpc_address);
    put_text(out, "http", facts->http_address);
    put_text(out, "admin", facts->admin_address);
    close_bracket(out, '}');
}

static void put_near(struct buffer *out, const struct pipeline_near *near)
{
    if (near->budget == 0)
        return;
    buffer_append_char(out, '{');
    put_text(out, "kind", near->is_host ? "host" : "service");
    put_text(out, "name", near->destination);
    put_number(out, "names", near->names);
    put_number(out, "budget", near->budget);
    close_bracket(out, '}');
}

static void put_budgets(struct buffer *out, const struct engine_picture *engine)
{
    open_member(out, "budgets", '{');
    put_number(out, "hosts", engine->budget_use.hosts);
    put_number(out, "service_names", engine->budget_use.service_names);
    put_number(out, "collapsed_series", engine->counts.collapsed);
    put_number(out, "near_count", engine->budget_use.near_count);
    open_member(out, "near", '[');
    for (size_t i = 0; i < PIPELINE_NEAR; i++)
        put_near(out, &engine->budget_use.near[i]);
    close_bracket(out, ']');
    close_bracket(out, '}');
}

void page_status(const struct page_facts *facts, struct buffer *out)
{
    buffer_append_char(out, '{');
    put_text(out, "version", facts->version);
    put_time(out, "started", facts->started_ns);
    put_bool(out, "ready", facts->is_ready);
    put_bool(out, "preview", facts->delivery->is_preview);
    put_addresses(out, facts);
    put_problems(out, facts);
    put_delivery(out, facts->delivery);
    put_graphs(out, &facts->graphs);
    open_member(out, "ledger", '{');
    put_points(out, &facts->engine->ledger);
    put_values(out, facts->values);
    put_examples(out, facts);
    close_bracket(out, '}');
    put_number(out, "streams", facts->engine->counts.streams);
    put_number(out, "cells", facts->engine->counts.cells);
    put_number(out, "open_minutes", facts->engine->counts.open_minutes);
    put_budgets(out, facts->engine);
    put_number(out, "inflight_bytes", facts->engine->inflight_bytes);
    put_outbox(out, facts);
    put_state(out, facts);
    close_bracket(out, '}');
    out->ptr[out->len - 1] = '\n';
}
