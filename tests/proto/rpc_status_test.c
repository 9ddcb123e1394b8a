/*
 * Expected bytes were made with protoc from google/rpc/status.proto and error_details.proto.
 */
#include "proto/rpc_status.h"

#include "proto/export_response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct buffer *out, const char *wanted)
{
    buffer_append_char(out, '\0');
    assert_string_equal(out->ptr, wanted);
    buffer_release(out);
}

static void assert_hex(struct buffer *bytes, const char *wanted)
{
    struct buffer hex = {0};

    for (size_t i = 0; i < bytes->len; i++)
        buffer_printf(&hex, "%02x", (unsigned char)bytes->ptr[i]);
    buffer_release(bytes);
    assert_text(&hex, wanted);
}

static void a_status_with_retry_info_has_these_bytes(void **state)
{
    (void)state;
    struct buffer out = {0};

    rpc_status_encode(14, slice_of("overloaded"), 5000, &out);
    assert_hex(
        &out,
        "080e120a6f7665726c6f616465641a300a28747970652e676f6f676c65617069732e636f6d2f"
        "676f6f676c652e7270632e5265747279496e666f12040a020805");
}

static void base64_has_no_padding(void **state)
{
    (void)state;
    struct buffer out = {0};

    rpc_status_base64(14, slice_of("overloaded"), 5000, &out);
    assert_text(
        &out,
        "CA4SCm92ZXJsb2FkZWQaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5m"
        "bxIECgIIBQ");
}

static void parts_of_a_second_are_nanoseconds(void **state)
{
    (void)state;
    struct buffer out = {0};

    rpc_status_base64(8, slice_of("quota"), 1500, &out);
    assert_text(
        &out,
        "CAgSBXF1b3RhGjYKKHR5cGUuZ29vZ2xlYXBpcy5jb20vZ29vZ2xlLnJwYy5SZXRyeUluZm8SCgoI"
        "CAEQgMq17gE");
}

static void without_a_delay_there_are_no_details(void **state)
{
    (void)state;
    struct buffer out = {0};

    rpc_status_encode(3, slice_of("bad"), 0, &out);
    assert_hex(&out, "08031203626164");
}

static void invalid_utf8_is_replaced(void **state)
{
    (void)state;
    struct buffer out = {0};

    rpc_status_encode(3, slice_of("\xff"), 0, &out);
    assert_hex(&out, "08031203efbfbd");
}

static void json_says_the_same(void **state)
{
    (void)state;
    struct buffer out = {0};

    rpc_status_json(14, slice_of("over\"loaded"), 5000, &out);
    assert_text(&out,
                "{\"code\":14,\"message\":\"over\\\"loaded\",\"details\":[{\"@type\":"
                "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"5s\"}]}");
    rpc_status_json(8, slice_of("q"), 1500, &out);
    assert_text(
        &out,
        "{\"code\":8,\"message\":\"q\",\"details\":[{\"@type\":"
        "\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"1.500s\"}]}");
    rpc_status_json(3, slice_of(""), 0, &out);
    assert_text(&out, "{\"code\":3,\"message\":\"\"}");
}

static void full_success_is_an_empty_message(void **state)
{
    (void)state;
    struct buffer out = {0};

    export_response_encode(0, (struct slice){0}, &out);
    assert_int_equal(out.len, 0);
}

static void partial_success_says_how_many_and_why(void **state)
{
    (void)state;
    struct buffer out = {0};

    export_response_encode(300, slice_of("why"), &out);
    assert_hex(&out, "0a0808ac021203776879");
    export_response_encode(0, slice_of("warning"), &out);
    assert_hex(&out, "0a0912077761726e696e67");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_with_retry_info_has_these_bytes),
        cmocka_unit_test(base64_has_no_padding),
        cmocka_unit_test(parts_of_a_second_are_nanoseconds),
        cmocka_unit_test(without_a_delay_there_are_no_details),
        cmocka_unit_test(invalid_utf8_is_replaced),
        cmocka_unit_test(json_says_the_same),
        cmocka_unit_test(full_success_is_an_empty_message),
        cmocka_unit_test(partial_success_says_how_many_and_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
