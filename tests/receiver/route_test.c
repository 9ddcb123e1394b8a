#include "receiver/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXPORT   "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
#define TRACES   "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
#define PROTOBUF "application/x-protobuf"

static const struct receiver_options options = {
    .max_grpc_message_bytes = 1000,
    .max_http_body_bytes = 2000,
};

static void add(struct head *head, const char *name, const char *value)
{
    if (value)
        head_add(head, slice_of(name), slice_of(value));
}

/* One row of the table of decisions; what is NULL is not sent. */
struct row {
    const char *method, *path, *type;
    const char *coding; /* content-encoding, for gRPC grpc-encoding */
    const char *length, *timeout;
    int want; /* HTTP status, for gRPC the grpc-status */
};

static struct head http_head(const struct row *row)
{
    struct head head = {0};

    add(&head, ":method", row->method);
    add(&head, ":path", row->path);
    add(&head, "host", "a");
    add(&head, "content-type", row->type);
    add(&head, "content-encoding", row->coding);
    add(&head, "content-length", row->length);
    return head;
}

static struct head grpc_head(const struct row *row)
{
    struct head head = {.http2 = true};

    add(&head, ":method", row->method);
    add(&head, ":path", row->path);
    add(&head, ":authority", "a");
    add(&head, "content-type", row->type);
    add(&head, "grpc-encoding", row->coding);
    add(&head, "grpc-timeout", row->timeout);
    return head;
}

static int http_status(const struct head *head, struct route *route)
{
    struct error err = {.kind = ERROR_NONE};

    if (route_decide(head, RECEIVER_HTTP_PORT, &options, route, &err))
        return 200;
    assert_true(err.text[0] != '\0');
    return route->http_status ? route->http_status : error_http_status(err.kind);
}

static void http_requests_are_judged_by_their_head(void **state)
{
    static const struct row rows[] = {
        {"POST", "/v1/metrics", PROTOBUF, NULL, NULL, NULL, 200},
        {"POST", "/v1/metrics/", PROTOBUF, NULL, NULL, NULL, 200},
        {"POST", "/v1/metrics?x=1", PROTOBUF, NULL, NULL, NULL, 200},
        {"POST", "/v1/metrics", "application/protobuf", NULL, NULL, NULL, 200},
        {"POST", "/v1/metrics", "APPLICATION/X-PROTOBUF;a=b", NULL, NULL, NULL, 200},
        {"POST", "/v1/metrics", PROTOBUF, "gzip", NULL, NULL, 200},
        {"POST", "/v1/metrics", PROTOBUF, "identity", NULL, NULL, 200},
        {"POST", "/v1/metrics", PROTOBUF, "", NULL, NULL, 200},
        {"POST", "/v1/metrics", PROTOBUF, NULL, "0", NULL, 200},
        {"POST", "/v1/metrics", PROTOBUF, NULL, "2000", NULL, 200},
        {"POST", "/v1/metrics", PROTOBUF, NULL, "2001", NULL, 413},
        {"POST", "/v1/metrics", PROTOBUF, "gzip, gzip", NULL, NULL, 415},
        {"POST", "/v1/metrics", PROTOBUF, "zstd", NULL, NULL, 415},
        {"POST", "/v1/metrics", "application/json", NULL, NULL, NULL, 415},
        {"POST", "/v1/metrics", "text/plain", NULL, NULL, NULL, 415},
        {"POST", "/v1/metrics", NULL, NULL, NULL, NULL, 415},
        {"POST", "/v1/metrics", "application/grpc", NULL, NULL, NULL, 415},
        {"GET", "/v1/metrics", PROTOBUF, NULL, NULL, NULL, 405},
        {"OPTIONS", "/v1/metrics", NULL, NULL, NULL, NULL, 405},
        {"POST", "/", PROTOBUF, NULL, NULL, NULL, 404},
        {"POST", "/v1/metricsx", PROTOBUF, NULL, NULL, NULL, 404},
        {"POST", "/V1/metrics", PROTOBUF, NULL, NULL, NULL, 404},
        {"POST", "/v1/traces", PROTOBUF, NULL, NULL, NULL, 404},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head head = http_head(&rows[i]);
        struct route route;

        assert_int_equal(http_status(&head, &route), rows[i].want);
        assert_int_equal(route.transport, RECEIVER_HTTP);
    }
}

static void grpc_requests_are_judged_by_their_head(void **state)
{
    static const struct row rows[] = {
        {"POST", EXPORT, "application/grpc", NULL, NULL, NULL, 0},
        {"POST", EXPORT, "application/grpc+proto", NULL, NULL, NULL, 0},
        {"POST", EXPORT, "application/grpc; a=b", NULL, NULL, NULL, 0},
        {"POST", EXPORT, "application/grpc", "gzip", NULL, NULL, 0},
        {"POST", EXPORT, "application/grpc", "identity", NULL, NULL, 0},
        {"POST", EXPORT, "application/grpc", NULL, NULL, "10S", 0},
        {"POST", EXPORT, "application/grpc", NULL, NULL, "99999999H", 0},
        {"POST", EXPORT, "application/grpc", "snappy", NULL, NULL, 12},
        {"POST", EXPORT, "application/grpc", NULL, NULL, "0S", 4},
        {"POST", EXPORT, "application/grpc", NULL, NULL, "5s", 13},
        {"POST", EXPORT "x", "application/grpc", NULL, NULL, NULL, 12},
        {"POST", TRACES, "application/grpc", NULL, NULL, NULL, 12},
        {"POST", "x", "application/grpc", NULL, NULL, NULL, 12},
        {"POST", "", "application/grpc", NULL, NULL, NULL, 12},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head head = grpc_head(&rows[i]);
        struct route route;
        struct error err = {.kind = ERROR_NONE};
        bool wanted = route_decide(&head, RECEIVER_GRPC_PORT, &options, &route, &err);

        assert_int_equal(wanted, rows[i].want == 0);
        assert_int_equal(error_grpc_status(err.kind), rows[i].want);
        assert_int_equal(route.transport, RECEIVER_GRPC);
    }
}

static void what_is_no_grpc_on_http2_is_answered_in_http(void **state)
{
    static const struct row rows[] = {
        {"GET", EXPORT, "application/grpc", NULL, NULL, NULL, 405},
        {"POST", EXPORT, "application/grpc+json", NULL, NULL, NULL, 415},
        {"POST", EXPORT, "application/grpc-web", NULL, NULL, NULL, 415},
        {"POST", EXPORT, NULL, NULL, NULL, NULL, 415},
        {"POST", "/v1/metrics", PROTOBUF, NULL, NULL, NULL, 415},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct head head = grpc_head(&rows[i]);
        struct route route;
        struct error err = {.kind = ERROR_NONE};

        assert_false(route_decide(&head, RECEIVER_GRPC_PORT, &options, &route, &err));
        assert_int_equal(error_http_status(err.kind), rows[i].want);
        assert_int_equal(route.transport, RECEIVER_HTTP);
    }
}

static void both_ports_serve_grpc(void **state)
{
    struct row row = {"POST", EXPORT, "application/grpc", "gzip", NULL, NULL, 0};
    struct head head = grpc_head(&row);
    struct route route;
    struct error err;

    (void)state;
    assert_true(route_decide(&head, RECEIVER_HTTP_PORT, &options, &route, &err));
    assert_int_equal(route.transport, RECEIVER_GRPC);
    assert_int_equal(route.coding, OTLP_GZIP);
    assert_int_equal(route.max_bytes, 1000);
}

static void http1_needs_one_host_and_http10_none(void **state)
{
    struct row row = {"POST", "/v1/metrics", PROTOBUF, NULL, NULL, NULL, 200};
    struct head head = http_head(&row);
    struct route route;

    (void)state;
    head.host_count = 2;
    assert_int_equal(http_status(&head, &route), 400);
    head.host_count = 0;
    assert_int_equal(http_status(&head, &route), 400);
    head.http10 = true;
    assert_int_equal(http_status(&head, &route), 200);
}

static void only_the_known_expectation_is_met(void **state)
{
    struct row row = {"POST", "/v1/metrics", PROTOBUF, NULL, NULL, NULL, 200};
    struct head head = http_head(&row), other = head;
    struct route route;

    (void)state;
    add(&head, "expect", "100-Continue");
    assert_int_equal(http_status(&head, &route), 200);
    add(&other, "expect", "more");
    assert_int_equal(http_status(&other, &route), 417);
}

static void timeout_is_in_milliseconds_and_never_too_short(void **state)
{
    struct row row = {"POST", EXPORT, "application/grpc", NULL, NULL, "9972m", 0};
    struct head head = grpc_head(&row);
    struct route route;
    struct error err;

    (void)state;
    assert_true(route_decide(&head, RECEIVER_GRPC_PORT, &options, &route, &err));
    assert_in_range(route.timeout_ms, 9972, 9973);
    row.timeout = NULL;
    head = grpc_head(&row);
    assert_true(route_decide(&head, RECEIVER_GRPC_PORT, &options, &route, &err));
    assert_true(route.timeout_ms == UINT64_MAX);
}

static void other_signals_are_recognised(void **state)
{
    struct row traces = {"POST", TRACES, "application/grpc", NULL, NULL, NULL, 12};
    struct row logs = {"POST", "/v1/logs", PROTOBUF, NULL, NULL, NULL, 404};
    struct head head = grpc_head(&traces);
    struct route route;
    struct error err;

    (void)state;
    assert_false(route_decide(&head, RECEIVER_GRPC_PORT, &options, &route, &err));
    assert_true(route.other_signal);
    head = http_head(&logs);
    assert_int_equal(http_status(&head, &route), 404);
    assert_true(route.other_signal);
}

static void too_many_header_bytes_are_refused_in_the_form_of_the_request(void **state)
{
    struct row grpc = {"POST", EXPORT, "application/grpc", NULL, NULL, NULL, 8};
    struct row http = {"POST", "/v1/metrics", PROTOBUF, NULL, NULL, NULL, 431};
    struct head head = grpc_head(&grpc);
    struct route route;
    struct error err;

    (void)state;
    head.too_large = true;
    assert_false(route_decide(&head, RECEIVER_GRPC_PORT, &options, &route, &err));
    assert_int_equal(error_grpc_status(err.kind), 8);
    assert_int_equal(route.transport, RECEIVER_GRPC);
    head = http_head(&http);
    head.too_large = true;
    assert_int_equal(http_status(&head, &route), 431);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(http_requests_are_judged_by_their_head),
        cmocka_unit_test(grpc_requests_are_judged_by_their_head),
        cmocka_unit_test(what_is_no_grpc_on_http2_is_answered_in_http),
        cmocka_unit_test(both_ports_serve_grpc),
        cmocka_unit_test(http1_needs_one_host_and_http10_none),
        cmocka_unit_test(only_the_known_expectation_is_met),
        cmocka_unit_test(timeout_is_in_milliseconds_and_never_too_short),
        cmocka_unit_test(other_signals_are_recognised),
        cmocka_unit_test(too_many_header_bytes_are_refused_in_the_form_of_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
