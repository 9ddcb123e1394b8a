#include "app/page.h"

#include "base/memory.h"
#include "proto/json_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A name as an attacker would choose it. */
static char nasty[] = "web-\"1\\\n\x01\xff";

struct fixture {
    struct engine_picture engine;
    struct outbox_counts outbox;
    struct value_ledger values;
    struct delivery_status delivery;
    struct receiver_stats receiver;
    struct destination_status destination;
    struct unknown_status unknown;
    struct api_count api;
    struct page_facts facts;
    struct buffer page;
};

static void fill_ledgers(struct fixture *fixture)
{
    fixture->engine.is_recovered = true;
    fixture->engine.ledger.received = 10;
    fixture->engine.ledger.merged = 6;
    fixture->engine.ledger.pending = 1;
    fixture->engine.ledger.reasons[REASON_BASELINE].count = 2;
    fixture->engine.ledger.reasons[REASON_LATE].count = 1;
    snprintf(fixture->engine.ledger.reasons[REASON_LATE].example, LEDGER_EXAMPLE_MAX,
             "shop \"orders\"");
    fixture->values.closed = 7;
    fixture->values.delivered = 4;
    fixture->values.queued = 3;
    fixture->outbox.values = 3;
    fixture->outbox.rows = 1;
    fixture->outbox.oldest_minute_s = 1800000000;
}

static void fill_delivery(struct fixture *fixture)
{
    fixture->destination = (struct destination_status){
        .kind = MACKEREL_HOST,
        .name = nasty,
        .host_id = nasty,
        .custom_identifier = nasty,
        .native = "wait",
        .queued = 3,
    };
    snprintf(fixture->unknown.sought, sizeof(fixture->unknown.sought), "name \"web-1\"");
    snprintf(fixture->unknown.hint, sizeof(fixture->unknown.hint), "register it");
    fixture->api = (struct api_count){.endpoint = API_HOSTS, .status = 503, .count = 9};
    fixture->delivery = (struct delivery_status){
        .destinations = &fixture->destination,
        .destination_count = 1,
        .unknown = &fixture->unknown,
        .unknown_count = 1,
        .api = &fixture->api,
        .api_count = 1,
    };
}

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(1, sizeof(*fixture));

    fill_ledgers(fixture);
    fill_delivery(fixture);
    fixture->receiver.requests[RECEIVER_GRPC][ERROR_NONE] = 5;
    fixture->facts = (struct page_facts){
        .version = "1.2.3",
        .started_ns = UINT64_C(1800000000) * 1000000000,
        .now_ns = UINT64_C(1800000090) * 1000000000,
        .grpc_address = "127.0.0.1:1",
        .http_address = "[::1]:2",
        .admin_address = "127.0.0.1:3",
        .is_ready = true,
        .durability = "process",
        .state_directory = "/var/lib/somewhere",
        .has_reserve = true,
        .engine = &fixture->engine,
        .outbox = &fixture->outbox,
        .values = &fixture->values,
        .delivery = &fixture->delivery,
        .receiver = &fixture->receiver,
        .resident_bytes = 4096,
    };
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buffer_release(&fixture->page);
    free(fixture);
    return 0;
}

/* ---- /status ----------------------------------------------------------------------------- */

static void the_status_is_json(void **state)
{
    struct fixture *fixture = *state;
    struct json_reader reader;

    page_status(&fixture->facts, &fixture->page);
    json_reader_init(&reader, buffer_slice(&fixture->page));
    assert_true(json_reader_skip(&reader));
    assert_true(json_reader_end(&reader));
}

static void the_status_of_an_idle_gateway_is_json(void **state)
{
    struct fixture *fixture = *state;
    struct json_reader reader;

    fixture->delivery = (struct delivery_status){0};
    fixture->engine = (struct engine_picture){0};
    page_status(&fixture->facts, &fixture->page);
    json_reader_init(&reader, buffer_slice(&fixture->page));
    assert_true(json_reader_skip(&reader));
    assert_true(json_reader_end(&reader));
}

static bool has(struct buffer *page, const char *text)
{
    buffer_append_char(page, '\0');
    page->len--;
    return strstr(page->ptr, text) != NULL;
}

static void the_status_says_what_a_person_looks_for(void **state)
{
    struct fixture *fixture = *state;
    struct buffer *page = &fixture->page;

    page_status(&fixture->facts, page);
    assert_true(has(page, "\"version\":\"1.2.3\""));
    assert_true(has(page, "\"grpc\":\"127.0.0.1:1\""));
    assert_true(has(page, "\"received\":10"));
    assert_true(has(page, "\"late\":1"));
    assert_true(has(page, "\"example\":\"shop \\\"orders\\\"\""));
    assert_true(has(page, "\"sought\":\"name \\\"web-1\\\"\""));
    assert_true(has(page, "\"fix\":\"register it\""));
}

static void state_in_memory_says_nothing_about_files(void **state)
{
    struct fixture *fixture = *state;
    struct buffer *page = &fixture->page;

    fixture->facts.durability = "memory";
    page_status(&fixture->facts, page);
    assert_true(has(page, "\"state\":{\"durability\":\"memory\""));
    assert_false(has(page, "\"journal\":{"));
    assert_true(has(page, "\"problems\":[]"));
    buffer_reset(page);
    page_metrics(&fixture->facts, page);
    assert_false(has(page, "journal_bytes"));
}

static void put_on_disk(struct fixture *fixture)
{
    fixture->engine.is_recovered = true;
    fixture->engine.journal = (struct journal_stats){
        .is_on_disk = true, .bytes = 123, .max_bytes = 1000, .appended = 7};
    fixture->engine.checkpoint = (struct saver_status){
        .lsn = 5, .time_ns = fixture->facts.now_ns - UINT64_C(30000000000)};
    fixture->engine.recovery = (struct recovery_report){.records = 3};
    fixture->engine.refused_journal = 4;
    fixture->outbox.is_on_disk = true;
    fixture->outbox.committed_lsn = 6;
}

static void state_on_disk_is_shown_and_in_order(void **state)
{
    struct fixture *fixture = *state;
    struct buffer *page = &fixture->page;

    put_on_disk(fixture);
    page_status(&fixture->facts, page);
    assert_true(has(page, "\"directory\":\"/var/lib/somewhere\""));
    assert_true(has(page, "\"problems\":[]"));
    assert_true(has(page, "\"committed_lsn\":6"));
    buffer_reset(page);
    page_metrics(&fixture->facts, page);
    assert_true(has(page, "\nmackerel_gateway_journal_bytes 123\n"));
    assert_true(has(page, "\nmackerel_gateway_journal_refusing 0\n"));
    assert_true(has(page, "\nmackerel_gateway_checkpoint_lsn 5\n"));
    assert_true(has(page, "\nmackerel_gateway_checkpoint_age_seconds 30\n"));
    assert_true(has(page, "\nmackerel_gateway_recovered_records 3\n"));
    assert_true(has(page, "\nmackerel_gateway_outbox_committed_lsn 6\n"));
    assert_true(
        has(page, "\nmackerel_gateway_requests_refused_total{reason=\"journal\"} 4\n"));
}

static void what_is_wrong_with_the_disk_is_a_problem_with_its_reason(void **state)
{
    struct fixture *fixture = *state;
    struct buffer *page = &fixture->page;
    struct json_reader reader;

    put_on_disk(fixture);
    fixture->engine.journal.is_refusing = true;
    snprintf(fixture->engine.journal.last_error,
             sizeof(fixture->engine.journal.last_error), "no space");
    snprintf(fixture->engine.checkpoint.last_error,
             sizeof(fixture->engine.checkpoint.last_error), "no \"space\" either");
    fixture->facts.is_state_gone = true;
    fixture->facts.has_reserve = false;
    page_status(&fixture->facts, page);
    json_reader_init(&reader, buffer_slice(page));
    assert_true(json_reader_skip(&reader));
    assert_true(has(page, "the journal refuses requests: no space"));
    assert_true(has(page, "the last checkpoint failed: no \\\"space\\\" either"));
    assert_true(has(page, "the reserve is given up"));
    assert_true(has(page, "the state directory is gone"));
}

/* ---- /metrics ---------------------------------------------------------------------------- */

/* Prometheus text format 0.0.4: comments, or name{labels} value. */
static bool is_sample(struct slice line)
{
    const char *space = memchr(line.ptr, ' ', line.len);

    return slice_starts_with(line, "mackerel_gateway_") && space &&
           space + 1 < line.ptr + line.len && space[1] >= '0' && space[1] <= '9';
}

static void every_line_of_the_metrics_is_a_comment_or_a_sample(void **state)
{
    struct fixture *fixture = *state;
    struct slice rest;

    page_metrics(&fixture->facts, &fixture->page);
    for (rest = buffer_slice(&fixture->page); rest.len;) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        struct slice line = {rest.ptr, end ? (size_t)(end - rest.ptr) : 0};

        assert_non_null(end);
        if (!slice_starts_with(line, "# HELP ") && !slice_starts_with(line, "# TYPE "))
            assert_true(is_sample(line));
        rest = (struct slice){end + 1, rest.len - line.len - 1};
    }
}

static void both_ledgers_are_in_the_metrics(void **state)
{
    struct fixture *fixture = *state;
    struct buffer *page = &fixture->page;

    page_metrics(&fixture->facts, page);
    assert_true(has(page, "\nmackerel_gateway_points_received_total 10\n"));
    assert_true(has(page, "\nmackerel_gateway_points_merged_total 6\n"));
    assert_true(has(page, "\nmackerel_gateway_points_pending 1\n"));
    assert_true(
        has(page, "\nmackerel_gateway_points_skipped_total{reason=\"baseline\"} 2\n"));
    assert_true(
        has(page, "\nmackerel_gateway_points_dropped_total{reason=\"late\"} 1\n"));
    assert_true(has(page, "\nmackerel_gateway_values_closed_total 7\n"));
    assert_true(has(page, "\nmackerel_gateway_values_delivered_total 4\n"));
    assert_true(has(page, "\nmackerel_gateway_values_queued 3\n"));
}

static void counts_that_are_still_being_read_back_are_left_out(void **state)
{
    struct fixture *fixture = *state;

    fixture->engine.is_recovered = false;
    page_metrics(&fixture->facts, &fixture->page);
    assert_false(has(&fixture->page, "mackerel_gateway_points_received_total"));
}

static void the_age_of_the_oldest_minute_is_in_seconds(void **state)
{
    struct fixture *fixture = *state;

    page_metrics(&fixture->facts, &fixture->page);
    assert_true(has(&fixture->page, "\nmackerel_gateway_outbox_oldest_seconds 90\n"));
}

static void requests_are_told_apart_by_transport_and_api_calls_by_status(void **state)
{
    struct fixture *fixture = *state;

    page_metrics(&fixture->facts, &fixture->page);
    assert_true(
        has(&fixture->page,
            "\nmackerel_gateway_requests_total{transport=\"grpc\",outcome=\"ok\"} 5\n"));
    assert_true(has(&fixture->page, "{endpoint=\"hosts\",status=\"503\"} 9\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_status_is_json),
        TEST(the_status_of_an_idle_gateway_is_json),
        TEST(the_status_says_what_a_person_looks_for),
        TEST(state_in_memory_says_nothing_about_files),
        TEST(state_on_disk_is_shown_and_in_order),
        TEST(what_is_wrong_with_the_disk_is_a_problem_with_its_reason),
        TEST(every_line_of_the_metrics_is_a_comment_or_a_sample),
        TEST(both_ledgers_are_in_the_metrics),
        TEST(counts_that_are_still_being_read_back_are_left_out),
        TEST(the_age_of_the_oldest_minute_is_in_seconds),
        TEST(requests_are_told_apart_by_transport_and_api_calls_by_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
