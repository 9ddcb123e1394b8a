#include "exporter/key_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A file with this text; returns its name. */
static const char *write_file(const char *text)
{
    static char path[64];
    int file;

    snprintf(path, sizeof(path), P_tmpdir "/key_file_test.XXXXXX");
    file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    close(file);
    return path;
}

static void blanks_around_the_key_are_ignored(void **state)
{
    const char *path = write_file(" \n abc123\r\n\n");
    struct error err;
    char *key = key_file_read(path, &err);

    (void)state;
    assert_string_equal(key, "abc123");
    free(key);
    unlink(path);
}

static void an_empty_file_holds_no_key(void **state)
{
    const char *path = write_file("\n");
    struct error err;

    (void)state;
    assert_null(key_file_read(path, &err));
    assert_non_null(strstr(err.text, path));
    unlink(path);
}

static void a_missing_file_is_named(void **state)
{
    struct error err;

    (void)state;
    assert_null(key_file_read("/nonexistent/key", &err));
    assert_non_null(strstr(err.text, "/nonexistent/key"));
}

/* Each look happens long enough after the one before. */
static bool look(struct key_watch *watch, const char *path)
{
    return key_watch_look(watch, path, watch->due_ms);
}

static void a_file_that_is_written_again_has_changed(void **state)
{
    const char *path = write_file("first");
    struct key_watch watch = {0};
    FILE *file;

    (void)state;
    assert_true(look(&watch, path)); /* the first look */
    assert_false(look(&watch, path));
    file = fopen(path, "we");
    assert_non_null(file);
    fputs("second key", file);
    fclose(file);
    assert_true(look(&watch, path));
    assert_false(look(&watch, path));
    unlink(path);
}

/* As Kubernetes does: the name stays, what it leads to is another file. */
static void a_file_that_is_replaced_by_one_of_the_same_size_has_changed(void **state)
{
    char path[64], other[64];
    struct key_watch watch = {0};

    (void)state;
    snprintf(path, sizeof(path), "%s", write_file("first!"));
    snprintf(other, sizeof(other), "%s", write_file("second"));
    look(&watch, path);
    assert_int_equal(rename(other, path), 0);
    assert_true(look(&watch, path));
    unlink(path);
}

static void a_file_that_is_gone_for_a_moment_has_not_changed(void **state)
{
    char path[64], away[80];
    struct key_watch watch = {0};

    (void)state;
    snprintf(path, sizeof(path), "%s", write_file("first"));
    snprintf(away, sizeof(away), "%s.away", path);
    look(&watch, path);
    assert_int_equal(rename(path, away), 0);
    assert_false(look(&watch, path));
    assert_int_equal(rename(away, path), 0);
    assert_false(look(&watch, path));
    unlink(path);
}

static void looks_are_seconds_apart(void **state)
{
    const char *path = write_file("first");
    struct key_watch watch = {0};

    (void)state;
    assert_true(key_watch_look(&watch, path, 1000));
    unlink(path);
    path = write_file("second");
    assert_false(key_watch_look(&watch, path, 1000 + KEY_WATCH_MS - 1));
    assert_true(key_watch_look(&watch, path, 1000 + KEY_WATCH_MS));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_around_the_key_are_ignored),
        cmocka_unit_test(an_empty_file_holds_no_key),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(a_file_that_is_written_again_has_changed),
        cmocka_unit_test(a_file_that_is_replaced_by_one_of_the_same_size_has_changed),
        cmocka_unit_test(a_file_that_is_gone_for_a_moment_has_not_changed),
        cmocka_unit_test(looks_are_seconds_apart),
    };

    return cmocka_run_group_tests_name("key_file", tests, NULL, NULL);
}
