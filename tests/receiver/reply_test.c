#include "receiver/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The value of a field, or an empty slice. */
static struct slice value_of(const struct reply *reply, const char *name)
{
    for (size_t i = 0; i < reply->field_count; i++)
        if (strcmp(reply->fields[i].name, name) == 0)
            return reply_value(reply, i);
    return (struct slice){NULL, 0};
}

static bool has(const struct reply *reply, const char *name, const char *value)
{
    return slice_is(value_of(reply, name), value);
}

static void grpc_success_is_a_message_and_trailers(void **state)
{
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_GRPC};

    (void)state;
    reply_render(&reply, &route, &(struct outcome){.kind = ERROR_NONE});
    assert_int_equal(reply.status, 200);
    assert_true(reply.grpc_trailers);
    assert_true(has(&reply, "content-type", "application/grpc"));
    assert_true(value_of(&reply, "grpc-status").len == 0);
    assert_int_equal(reply.body.len, 5);
    assert_memory_equal(reply.body.ptr, "\0\0\0\0\0", 5);
    reply_release(&reply);
}

/* ExportMetricsServiceResponse{partial_success{rejected_data_points: 300, error_message: "why"}},
 * encoded by hand from the protobuf encoding specification. */
#define PARTIAL "\x0a\x08\x08\xac\x02\x12\x03why"

static void partial_success_is_in_the_message(void **state)
{
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_GRPC};
    struct outcome outcome = {.rejected = 300, .warning = SLICE("why")};

    (void)state;
    reply_render(&reply, &route, &outcome);
    assert_int_equal(reply.body.len, 15);
    assert_memory_equal(reply.body.ptr, "\0\0\0\0\x0a" PARTIAL, 15);
    route.transport = RECEIVER_HTTP;
    reply_render(&reply, &route, &outcome);
    assert_int_equal(reply.body.len, 10);
    assert_memory_equal(reply.body.ptr, PARTIAL, 10);
    assert_true(has(&reply, "content-length", "10"));
    reply_release(&reply);
}

/* The vector of a Status with code 14, message "overloaded" and a RetryInfo of 5 s. */
static void busy_grpc_carries_retry_info(void **state)
{
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_GRPC};
    struct outcome outcome = {.kind = ERROR_BUSY, .text = "overloaded", .retry_s = 5};

    (void)state;
    reply_render(&reply, &route, &outcome);
    assert_false(reply.grpc_trailers);
    assert_int_equal(reply.body.len, 0);
    assert_true(has(&reply, "grpc-status", "14"));
    assert_true(has(&reply, "grpc-message", "overloaded"));
    assert_true(
        has(&reply, "grpc-status-details-bin",
            "CA4SCm92ZXJsb2FkZWQaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5m"
            "bxIECgIIBQ"));
    reply_release(&reply);
}

static void busy_http_carries_retry_after(void **state)
{
    static const char status[] =
        "\x08\x0e\x12\x0aoverloaded\x1a\x30\x0a\x28type.googleapis.com/google.rpc.RetryInfo"
        "\x12\x04\x0a\x02\x08\x05";
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_HTTP, .protobuf = true};
    struct outcome outcome = {.kind = ERROR_BUSY, .text = "overloaded", .retry_s = 5};

    (void)state;
    reply_render(&reply, &route, &outcome);
    assert_int_equal(reply.status, 503);
    assert_true(has(&reply, "retry-after", "5"));
    assert_true(has(&reply, "content-type", "application/x-protobuf"));
    assert_int_equal(reply.body.len, sizeof(status) - 1);
    assert_memory_equal(reply.body.ptr, status, sizeof(status) - 1);
    reply_release(&reply);
}

static void permanent_errors_carry_no_delay(void **state)
{
    struct reply reply = {0};
    struct route grpc = {.transport = RECEIVER_GRPC}, http = {.transport = RECEIVER_HTTP};
    struct outcome outcome = {.kind = ERROR_TOO_LARGE, .text = "large", .retry_s = 5};

    (void)state;
    reply_render(&reply, &grpc, &outcome);
    assert_true(has(&reply, "grpc-status", "8"));
    assert_true(value_of(&reply, "grpc-status-details-bin").len == 0);
    reply_render(&reply, &http, &outcome);
    assert_int_equal(reply.status, 413);
    assert_true(value_of(&reply, "retry-after").len == 0);
    reply_release(&reply);
}

static void http_error_is_json_where_the_type_is_unknown(void **state)
{
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_HTTP};
    struct outcome outcome = {.kind = ERROR_NOT_FOUND, .text = "a \"b\""};

    (void)state;
    reply_render(&reply, &route, &outcome);
    assert_int_equal(reply.status, 404);
    assert_true(has(&reply, "content-type", "application/json"));
    assert_true(
        slice_is(buffer_slice(&reply.body), "{\"code\":12,\"message\":\"a \\\"b\\\"\"}"));
    reply_release(&reply);
}

static void refusals_say_what_would_be_accepted(void **state)
{
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_HTTP};

    (void)state;
    reply_render(&reply, &route, &(struct outcome){.kind = ERROR_METHOD, .text = "x"});
    assert_true(has(&reply, "allow", "POST"));
    reply_render(&reply, &route, &(struct outcome){.kind = ERROR_CODING, .text = "x"});
    assert_true(has(&reply, "accept-encoding", "gzip, identity"));
    reply_release(&reply);
}

static void largest_message_stays_below_the_smallest_limit_of_clients(void **state)
{
    struct reply reply = {0};
    struct route route = {.transport = RECEIVER_GRPC};
    char text[ERROR_TEXT_MAX];
    size_t total = 0;

    (void)state;
    memset(text, '\n', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    reply_render(&reply, &route,
                 &(struct outcome){.kind = ERROR_BUSY, .text = text, .retry_s = 1});
    for (size_t i = 0; i < reply.field_count; i++)
        total += strlen(reply.fields[i].name) + reply.fields[i].len + 32;
    /* The block without details must fit the 8 KiB of gRPC C-core; with them 4 KiB is our aim. */
    assert_in_range(total, 1, 4096);
    reply_release(&reply);
}

static void every_status_has_a_reason_phrase(void **state)
{
    (void)state;
    for (int kind = ERROR_NONE; kind <= ERROR_INTERNAL; kind++)
        assert_true(*reply_reason(error_http_status((enum error_kind)kind)) != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grpc_success_is_a_message_and_trailers),
        cmocka_unit_test(partial_success_is_in_the_message),
        cmocka_unit_test(busy_grpc_carries_retry_info),
        cmocka_unit_test(busy_http_carries_retry_after),
        cmocka_unit_test(permanent_errors_carry_no_delay),
        cmocka_unit_test(http_error_is_json_where_the_type_is_unknown),
        cmocka_unit_test(refusals_say_what_would_be_accepted),
        cmocka_unit_test(largest_message_stays_below_the_smallest_limit_of_clients),
        cmocka_unit_test(every_status_has_a_reason_phrase),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
