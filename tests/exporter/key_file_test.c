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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blanks_around_the_key_are_ignored),
        cmocka_unit_test(an_empty_file_holds_no_key),
        cmocka_unit_test(a_missing_file_is_named),
    };

    return cmocka_run_group_tests_name("key_file", tests, NULL, NULL);
}
