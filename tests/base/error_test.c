#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void failing_sets_kind_and_text_and_returns_false(void **state)
{
    (void)state;
    struct error err;

    assert_false(FAIL(&err, ERROR_BUSY, "%d of %d", 3, 4));
    assert_int_equal(err.kind, ERROR_BUSY);
    assert_string_equal(err.text, "3 of 4");
}

static void a_text_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char text[2 * ERROR_TEXT_MAX];
    struct error err;

    memset(text, 'x', sizeof(text));
    FAIL(&err, ERROR_INVALID, "%.*s", (int)sizeof(text), text);
    assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
}

static void nobody_needs_to_listen(void **state)
{
    (void)state;
    assert_false(FAIL(NULL, ERROR_INVALID, "unheard"));
}

/* OTLP 1.11: only UNAVAILABLE and 429, 502, 503, 504 ask a sender to try again (among ours). */
static void only_busy_asks_for_a_retry(void **state)
{
    (void)state;
    for (int kind = ERROR_NONE; kind <= ERROR_INTERNAL; kind++)
        assert_int_equal(error_is_retryable((enum error_kind)kind), kind == ERROR_BUSY);
    assert_int_equal(error_grpc_status(ERROR_BUSY), 14);
    assert_int_equal(error_http_status(ERROR_BUSY), 503);
    assert_int_equal(error_grpc_status(ERROR_NONE), 0);
    assert_int_equal(error_http_status(ERROR_INVALID), 400);
    assert_string_equal(error_name(ERROR_HEADERS_TOO_LARGE), "headers_too_large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_sets_kind_and_text_and_returns_false),
        cmocka_unit_test(a_text_that_is_too_long_is_cut),
        cmocka_unit_test(nobody_needs_to_listen),
        cmocka_unit_test(only_busy_asks_for_a_retry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
