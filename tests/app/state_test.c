#include "app/state.h"

#include "tests/base/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t RESERVE_BYTES = 1 << 20;

static uint64_t size_of(const struct scratch *scratch, const char *name)
{
    char path[512];
    struct stat status;

    if (stat(scratch_path(scratch, name, path, sizeof(path)), &status) != 0)
        return UINT64_MAX;
    return (uint64_t)status.st_size;
}

static struct state *open_in(const char *directory, struct error *err)
{
    return state_open(
        &(struct state_options){.directory = directory, .reserve_bytes = RESERVE_BYTES},
        err);
}

static void directory_that_was_moved_away_is_not_there_until_it_is_back(void **state)
{
    struct scratch scratch;
    struct error err;
    char path[512], away[512];

    (void)state;
    scratch_make(&scratch);
    scratch_path(&scratch, "here", path, sizeof(path));
    scratch_path(&scratch, "away", away, sizeof(away));

    struct state *opened = open_in(path, &err);

    assert_non_null(opened);
    assert_true(state_is_there(opened));
    assert_int_equal(rename(path, away), 0);
    assert_false(state_is_there(opened));
    assert_int_equal(rename(away, path), 0);
    assert_true(state_is_there(opened));
    state_free(opened);
    scratch_remove(&scratch);
}

static void directory_is_made_for_its_owner_alone(void **state)
{
    struct scratch scratch;
    struct error err;
    struct stat status;
    char path[512];

    (void)state;
    scratch_make(&scratch);
    scratch_path(&scratch, "new", path, sizeof(path));

    struct state *opened = open_in(path, &err);

    assert_non_null(opened);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    assert_string_equal(state_directory(opened), path);
    state_free(opened);
    scratch_remove(&scratch);
}

static void second_user_is_refused_with_the_number_of_the_first(void **state)
{
    struct scratch scratch;
    struct error err;
    char number[32];

    (void)state;
    scratch_make(&scratch);

    struct state *first = open_in(scratch.path, &err);

    assert_non_null(first);
    assert_null(open_in(scratch.path, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    snprintf(number, sizeof(number), "(%ld)", (long)getpid());
    assert_non_null(strstr(err.text, number));
    assert_non_null(strstr(err.text, scratch.path));
    state_free(first);
    first = open_in(scratch.path, &err);
    assert_non_null(first);
    state_free(first);
    scratch_remove(&scratch);
}

static void what_is_no_directory_cannot_be_used(void **state)
{
    struct scratch scratch;
    struct error err;
    char path[512];

    (void)state;
    scratch_make(&scratch);
    scratch_path(&scratch, "file", path, sizeof(path));
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    assert_null(open_in(path, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_non_null(strstr(err.text, path));
    scratch_remove(&scratch);
}

static void something_else_in_the_place_of_the_lock_is_set_aside(void **state)
{
    struct scratch scratch;
    struct error err;
    char path[512];

    (void)state;
    scratch_make(&scratch);
    assert_int_equal(mkdir(scratch_path(&scratch, "lock", path, sizeof(path)), 0700), 0);

    struct state *opened = open_in(scratch.path, &err);

    assert_non_null(opened);
    assert_null(open_in(scratch.path, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    assert_int_not_equal(size_of(&scratch, "lock.bad"), UINT64_MAX);
    state_free(opened);
    assert_int_equal(rmdir(scratch_path(&scratch, "lock.bad", path, sizeof(path))), 0);
    scratch_remove(&scratch);
}

static void reserve_is_given_up_once_and_taken_back(void **state)
{
    struct scratch scratch;
    struct error err;

    (void)state;
    scratch_make(&scratch);

    struct state *opened = open_in(scratch.path, &err);

    assert_true(state_has_reserve(opened));
    assert_int_equal(size_of(&scratch, "reserve"), RESERVE_BYTES);
    assert_true(state_make_room(opened));
    assert_false(state_make_room(opened));
    assert_false(state_has_reserve(opened));
    assert_int_equal(size_of(&scratch, "reserve"), 0);
    state_restore_reserve(opened, UINT64_C(1) << 60); /* no disk has as much to spare */
    assert_false(state_has_reserve(opened));
    state_restore_reserve(opened, 0);
    assert_true(state_has_reserve(opened));
    assert_int_equal(size_of(&scratch, "reserve"), RESERVE_BYTES);
    state_free(opened);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(directory_is_made_for_its_owner_alone),
        cmocka_unit_test(directory_that_was_moved_away_is_not_there_until_it_is_back),
        cmocka_unit_test(second_user_is_refused_with_the_number_of_the_first),
        cmocka_unit_test(what_is_no_directory_cannot_be_used),
        cmocka_unit_test(something_else_in_the_place_of_the_lock_is_set_aside),
        cmocka_unit_test(reserve_is_given_up_once_and_taken_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
