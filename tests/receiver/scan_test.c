#include "receiver/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    PLENTY = 1000
};

static enum scan_verdict scan_text(const char *text, size_t *used)
{
    struct scan scan = {0};

    return scan_head(&scan, slice_of(text), PLENTY, used);
}

static void block_ends_after_its_empty_line(void **state)
{
    const char *text = "POST / HTTP/1.1\r\nHost: a\r\n\r\nbody";
    size_t used;

    (void)state;
    assert_int_equal(scan_text(text, &used), SCAN_COMPLETE);
    assert_int_equal(used, strlen(text) - strlen("body"));
}

static void empty_lines_before_the_request_are_passed_over(void **state)
{
    size_t used;

    (void)state;
    assert_int_equal(scan_text("\r\n\r\nGET / HTTP/1.1\r\n", &used), SCAN_MORE);
    assert_int_equal(scan_text("\r\n\r\nGET / HTTP/1.1\r\n\r\n", &used), SCAN_COMPLETE);
}

static void bytes_that_come_one_by_one_give_the_same_verdict(void **state)
{
    const char *text = "POST / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    struct scan scan = {0};
    size_t used;

    (void)state;
    for (size_t i = 0; i < strlen(text); i++) {
        enum scan_verdict want = i + 1 < strlen(text) ? SCAN_MORE : SCAN_COMPLETE;

        assert_int_equal(scan_head(&scan, (struct slice){text + i, 1}, PLENTY, &used),
                         want);
        assert_int_equal(used, 1);
    }
}

static void what_parsers_disagree_about_is_malformed(void **state)
{
    static const char *const texts[] = {
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
        "\rGET / HTTP/1.1\r\n\r\n",
    };
    size_t used;

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(scan_text(texts[i], &used), SCAN_MALFORMED);
}

static void nul_is_malformed(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n";
    struct scan scan = {0};
    size_t used;

    (void)state;
    assert_int_equal(
        scan_head(&scan, (struct slice){text, sizeof(text) - 1}, PLENTY, &used),
        SCAN_MALFORMED);
}

static void block_over_the_limit_is_too_large(void **state)
{
    const char *text = "GET / HTTP/1.1\r\n\r\n";
    size_t used;

    (void)state;
    for (size_t limit = 0; limit < strlen(text) + 2; limit++) {
        struct scan scan = {0};
        enum scan_verdict want = limit < strlen(text) ? SCAN_TOO_LARGE : SCAN_COMPLETE;

        assert_int_equal(scan_head(&scan, slice_of(text), limit, &used), want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block_ends_after_its_empty_line),
        cmocka_unit_test(empty_lines_before_the_request_are_passed_over),
        cmocka_unit_test(bytes_that_come_one_by_one_give_the_same_verdict),
        cmocka_unit_test(what_parsers_disagree_about_is_malformed),
        cmocka_unit_test(nul_is_malformed),
        cmocka_unit_test(block_over_the_limit_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
