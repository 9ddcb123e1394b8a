#include "base/log.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

/* 2026-01-02T03:04:05.006Z: 20455 days after the epoch. */
static const uint64_t TIME_NS =
    (UINT64_C(20455) * 86400 + 3 * 3600 + 4 * 60 + 5) * 1000000000 + 6999999;

#define LOGFMT_HEAD "time=2026-01-02T03:04:05.006Z level=info msg="
#define JSON_HEAD   "{\"time\":\"2026-01-02T03:04:05.006Z\",\"level\":\"info\",\"msg\":"

static void check_line(enum log_format format, struct log_field field, const char *want)
{
    struct log_line line = {TIME_NS, LOG_INFO, "hello", &field, 1};
    struct buffer out = {0};

    log_render(&line, format, &out);
    buffer_append_char(&out, '\0');
    assert_string_equal(out.ptr, want);
    buffer_release(&out);
}

static void logfmt_quotes_only_what_needs_it(void **state)
{
    (void)state;
    check_line(LOG_LOGFMT, LOG_TEXT("k", "plain-1.2/x"),
               LOGFMT_HEAD "hello k=plain-1.2/x\n");
    check_line(LOG_LOGFMT, LOG_TEXT("k", "two words"),
               LOGFMT_HEAD "hello k=\"two words\"\n");
    check_line(LOG_LOGFMT, LOG_TEXT("k", ""), LOGFMT_HEAD "hello k=\"\"\n");
    check_line(LOG_LOGFMT, LOG_TEXT("k", "a=b"), LOGFMT_HEAD "hello k=\"a=b\"\n");
    check_line(LOG_LOGFMT, LOG_TEXT("k", "a\"b\\"),
               LOGFMT_HEAD "hello k=\"a\\\"b\\\\\"\n");
}

static void no_text_can_forge_a_line_or_steer_a_terminal(void **state)
{
    (void)state;
    check_line(LOG_LOGFMT, LOG_TEXT("k", "x\nlevel=error\x1B[2J\x7F"),
               LOGFMT_HEAD "hello k=\"x\\nlevel=error\\u001b[2J\\u007f\"\n");
    check_line(LOG_JSON, LOG_TEXT("k", "\xC2\x9B\xE2\x80\xA8\t"),
               JSON_HEAD "\"hello\",\"k\":\"\\u009b\\u2028\\t\"}\n");
}

static void malformed_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    check_line(LOG_JSON, LOG_TEXT("k", "\xE3\x81\x82\xFF"),
               JSON_HEAD "\"hello\",\"k\":\"\xE3\x81\x82\xEF\xBF\xBD\"}\n");
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char text[LOG_TEXT_MAX + 1];
    struct log_field field = LOG_TEXT("k", ((struct slice){text, sizeof(text)}));
    struct log_line line = {TIME_NS, LOG_INFO, "hello", &field, 1};
    struct buffer out = {0};

    memset(text, 'x', sizeof(text));
    log_render(&line, LOG_LOGFMT, &out);
    assert_int_equal(out.len,
                     strlen(LOGFMT_HEAD "hello k=\"") + LOG_TEXT_MAX + strlen("...\"\n"));
    buffer_release(&out);
}

static void numbers_and_booleans_keep_their_types(void **state)
{
    (void)state;
    check_line(LOG_JSON, LOG_UINT("k", UINT64_MAX),
               JSON_HEAD "\"hello\",\"k\":18446744073709551615}\n");
    check_line(LOG_JSON, LOG_INT("k", -5), JSON_HEAD "\"hello\",\"k\":-5}\n");
    check_line(LOG_JSON, LOG_DOUBLE("k", 0.5), JSON_HEAD "\"hello\",\"k\":0.5}\n");
    check_line(LOG_JSON, LOG_BOOL("k", true), JSON_HEAD "\"hello\",\"k\":true}\n");
    check_line(LOG_JSON, LOG_DOUBLE("k", 1e308 * 10),
               JSON_HEAD "\"hello\",\"k\":\"+Inf\"}\n");
    check_line(LOG_LOGFMT, LOG_UINT("k", 0), LOGFMT_HEAD "hello k=0\n");
}

static void names_of_levels_and_formats_are_understood(void **state)
{
    (void)state;
    enum log_level level = LOG_INFO;
    enum log_format format = LOG_LOGFMT;

    assert_true(log_level_parse(slice_of("debug"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_false(log_level_parse(slice_of("loud"), &level));
    assert_int_equal(level, LOG_DEBUG);
    assert_true(log_format_parse(slice_of("json"), &format));
    assert_int_equal(format, LOG_JSON);
    assert_true(log_format_parse(slice_of("auto"), &format));
    assert_int_equal(format, LOG_LOGFMT);
    assert_false(log_format_parse(slice_of("xml"), &format));
}

/* Runs `speak` with standard error in a file and returns what was written. */
static size_t capture(void (*speak)(void), char *text, size_t size)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);

    assert_non_null(file);
    dup2(fileno(file), STDERR_FILENO);
    speak();
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);

    size_t len = fread(text, 1, size - 1, file);

    text[len] = '\0';
    fclose(file);
    return len;
}

static void speak_at_all_levels(void)
{
    log_message(LOG_ERROR, "one");
    log_event(LOG_WARN, "two", LOG_UINT("n", 2), LOG_TEXT("t", "x"));
    log_message(LOG_INFO, "three");
    log_message(LOG_DEBUG, "four");
}

static void what_is_below_the_level_is_not_written(void **state)
{
    (void)state;
    char text[4096];

    log_set_level(LOG_WARN);
    assert_true(log_enabled(LOG_ERROR));
    assert_false(log_enabled(LOG_INFO));
    capture(speak_at_all_levels, text, sizeof(text));
    log_set_level(LOG_INFO);
    assert_non_null(strstr(text, " level=error msg=one\n"));
    assert_non_null(strstr(text, " level=warn msg=two n=2 t=x\n"));
    assert_null(strstr(text, "three"));
    assert_null(strstr(text, "four"));
}

enum {
    THREADS = 4,
    LINES = 200
};

static void *speak_often(void *self)
{
    for (int i = 0; i < LINES; i++)
        log_event(LOG_INFO, "line", LOG_TEXT("who", (const char *)self));
    return NULL;
}

static void speak_together(void)
{
    pthread_t threads[THREADS];
    static char names[THREADS][8] = {"aaaaaaa", "bbbbbbb", "ccccccc", "ddddddd"};

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, speak_often, names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static void lines_of_several_threads_do_not_mix(void **state)
{
    (void)state;
    static char text[THREADS * LINES * 128];
    size_t lines = 0;

    log_set_format(LOG_JSON);
    capture(speak_together, text, sizeof(text));
    log_set_format(LOG_LOGFMT);
    for (char *at = text, *end; (end = strchr(at, '\n')) != NULL; at = end + 1, lines++) {
        assert_memory_equal(at, "{\"time\":\"", 9);
        assert_memory_equal(end - 2, "\"}", 2);
    }
    assert_int_equal(lines, THREADS * LINES);
}

static void a_limit_lets_a_burst_pass_and_counts_the_rest(void **state)
{
    (void)state;
    struct log_limit limit = {.interval_ns = 100, .burst = 2};
    uint64_t suppressed = 99;

    assert_true(log_limit_allows(&limit, 1000, &suppressed));
    assert_int_equal(suppressed, 0);
    assert_true(log_limit_allows(&limit, 1001, &suppressed));
    for (int i = 0; i < 5; i++)
        assert_false(log_limit_allows(&limit, 1099, &suppressed));
    assert_true(log_limit_allows(&limit, 1100, &suppressed));
    assert_int_equal(suppressed, 5);
    assert_true(log_limit_allows(&limit, 1101, &suppressed));
    assert_int_equal(suppressed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logfmt_quotes_only_what_needs_it),
        cmocka_unit_test(no_text_can_forge_a_line_or_steer_a_terminal),
        cmocka_unit_test(malformed_utf8_becomes_the_replacement_character),
        cmocka_unit_test(a_long_text_is_cut),
        cmocka_unit_test(numbers_and_booleans_keep_their_types),
        cmocka_unit_test(names_of_levels_and_formats_are_understood),
        cmocka_unit_test(what_is_below_the_level_is_not_written),
        cmocka_unit_test(lines_of_several_threads_do_not_mix),
        cmocka_unit_test(a_limit_lets_a_burst_pass_and_counts_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
