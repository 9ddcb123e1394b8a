#include "base/disk.h"

#include "base/memory.h"
#include "tests/base/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct scratch scratch;
    struct disk *disk;
};

static int set_up(void **state)
{
    struct fixture *fixture = memory_new(1, sizeof(*fixture));

    scratch_make(&fixture->scratch);
    fixture->disk = disk_open_directory(fixture->scratch.path, NULL);
    assert_non_null(fixture->disk);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    disk_free_directory(fixture->disk);
    scratch_remove(&fixture->scratch);
    free(fixture);
    return 0;
}

static void put(const struct disk *disk, const char *name, const char *text)
{
    struct slice part = slice_of(text);
    struct disk_file *file = disk->open(disk->self, name, DISK_REPLACE, NULL);

    assert_non_null(file);
    assert_true(disk->write(disk->self, file, 0, &part, 1, NULL));
    disk->close(disk->self, file);
}

static void assert_content(const struct disk *disk, const char *name, const char *text)
{
    char bytes[64];
    size_t got = 0;
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, NULL);

    assert_non_null(file);
    assert_true(disk->read(disk->self, file, 0, bytes, sizeof(bytes), &got, NULL));
    assert_true(slice_is((struct slice){bytes, got}, text));
    disk->close(disk->self, file);
}

static void parts_are_written_one_after_the_other(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    struct disk_file *file = disk->open(disk->self, "f", DISK_WRITE, NULL);
    struct slice parts[20];

    /* More parts than one system call is given, empty ones among them. */
    for (size_t i = 0; i < 20; i++)
        parts[i] = (struct slice){&"abcdefghijklmnopqrst"[i], i % 4 != 3};
    assert_true(disk->write(disk->self, file, 3, parts, 20, NULL));
    assert_int_equal(disk->size(disk->self, file), 3 + 15);
    assert_true(disk->sync(disk->self, file, NULL));
    disk->close(disk->self, file);

    char bytes[32];
    size_t got = 0;

    file = disk->open(disk->self, "f", DISK_READ, NULL);
    assert_true(disk->read(disk->self, file, 0, bytes, sizeof(bytes), &got, NULL));
    assert_true(slice_equal((struct slice){bytes, got},
                            (struct slice)SLICE("\0\0\0abcefgijkmnoqrs")));
    assert_true(disk->read(disk->self, file, 17, bytes, sizeof(bytes), &got, NULL));
    assert_int_equal(got, 1);
    assert_true(disk->read(disk->self, file, 99, bytes, sizeof(bytes), &got, NULL));
    assert_int_equal(got, 0);
    disk->close(disk->self, file);
}

static void a_missing_file_is_created_by_writers_only(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    struct error err = {0};

    assert_null(disk->open(disk->self, "f", DISK_READ, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_non_null(strstr(err.text, "f: open: "));
    put(disk, "f", "old text");

    struct disk_file *file = disk->open(disk->self, "f", DISK_WRITE, NULL);

    assert_int_equal(disk->size(disk->self, file), 8);
    disk->close(disk->self, file);
    put(disk, "f", "new");
    assert_content(disk, "f", "new");
}

static void files_are_for_their_owner_alone(void **state)
{
    const struct fixture *fixture = *state;
    struct stat status;
    char path[300], directory[300];
    struct disk *disk;

    put(fixture->disk, "f", "secret");
    assert_int_equal(
        stat(scratch_path(&fixture->scratch, "f", path, sizeof(path)), &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    scratch_path(&fixture->scratch, "state", directory, sizeof(directory));
    disk = disk_open_directory(directory, NULL);
    assert_non_null(disk);
    disk_free_directory(disk);
    assert_int_equal(stat(directory, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
}

static void allocating_gives_the_size_and_keeps_the_content(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    struct stat status;
    char path[300];

    put(disk, "f", "text");

    struct disk_file *file = disk->open(disk->self, "f", DISK_WRITE, NULL);

    assert_true(disk->allocate(disk->self, file, 1 << 20, NULL));
    assert_int_equal(disk->size(disk->self, file), 1 << 20);
    stat(scratch_path(&fixture->scratch, "f", path, sizeof(path)), &status);
    assert_true(status.st_blocks * 512 >= 1 << 20);
    assert_true(disk->allocate(disk->self, file, 4, NULL));
    disk->close(disk->self, file);
    assert_content(disk, "f", "text");
}

static void truncating_cuts_and_grows(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;

    put(disk, "f", "text");

    struct disk_file *file = disk->open(disk->self, "f", DISK_WRITE, NULL);

    assert_true(disk->truncate(disk->self, file, 2, NULL));
    assert_true(disk->truncate(disk->self, file, 3, NULL));
    assert_int_equal(disk->size(disk->self, file), 3);
    disk->close(disk->self, file);
    file = disk->open(disk->self, "f", DISK_READ, NULL);

    char bytes[8];
    size_t got = 0;

    assert_true(disk->read(disk->self, file, 0, bytes, sizeof(bytes), &got, NULL));
    assert_true(slice_equal((struct slice){bytes, got}, (struct slice)SLICE("te\0")));
    disk->close(disk->self, file);
}

static void count_name(void *self, const char *name)
{
    unsigned *seen = self;

    *seen += strcmp(name, "a") == 0 ? 1 : strcmp(name, "b") == 0 ? 16 : 256;
}

static void names_are_changed_and_listed(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    struct error err = {0};
    unsigned seen = 0;

    put(disk, "a", "1");
    put(disk, "c", "3");
    assert_true(disk->rename(disk->self, "c", "b", NULL));
    assert_true(disk->sync_names(disk->self, NULL));
    assert_true(disk->list(disk->self, count_name, &seen, NULL));
    assert_true(disk->list(disk->self, count_name, &seen, NULL));
    assert_int_equal(seen, 34);
    assert_true(disk->rename(disk->self, "a", "b", NULL));
    assert_content(disk, "b", "1");
    assert_false(disk->remove(disk->self, "a", &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    assert_true(disk->remove(disk->self, "b", NULL));
}

/* Waiting for the other end of a FIFO, or following a link, would be a trap at the start. */
static void what_is_no_file_is_not_opened(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    char path[300];
    struct error err = {0};

    assert_int_equal(
        mkfifo(scratch_path(&fixture->scratch, "fifo", path, sizeof(path)), 0600), 0);
    assert_int_equal(
        mkdir(scratch_path(&fixture->scratch, "folder", path, sizeof(path)), 0700), 0);
    put(disk, "f", "text");
    assert_int_equal(
        symlink("f", scratch_path(&fixture->scratch, "link", path, sizeof(path))), 0);
    for (int how = DISK_READ; how <= DISK_REPLACE; how++) {
        assert_null(disk->open(disk->self, "fifo", (enum disk_open)how, &err));
        assert_int_equal(err.kind, ERROR_INTERNAL);
        assert_null(disk->open(disk->self, "folder", (enum disk_open)how, &err));
        assert_null(disk->open(disk->self, "link", (enum disk_open)how, &err));
    }
    assert_content(disk, "f", "text");
}

static void setting_aside_never_replaces(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    struct error err = {0};

    for (const char *const *text = (const char *const[]){"1", "2", "3", NULL}; *text;
         text++) {
        put(disk, "f", *text);
        assert_true(disk_set_aside(disk, "f", NULL));
    }
    assert_content(disk, "f.bad", "1");
    assert_content(disk, "f.1.bad", "2");
    assert_content(disk, "f.2.bad", "3");
    assert_false(disk_set_aside(disk, "f", &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

static void free_space_is_known(void **state)
{
    const struct fixture *fixture = *state;
    uint64_t bytes = fixture->disk->free_bytes(fixture->disk->self);

    assert_true(bytes > 0 && bytes < UINT64_MAX);
}

static void what_fails_says_which_file_and_why(void **state)
{
    const struct fixture *fixture = *state;
    const struct disk *disk = fixture->disk;
    struct slice part = SLICE("text");
    struct error err = {0};

    put(disk, "f", "text");

    struct disk_file *file = disk->open(disk->self, "f", DISK_READ, NULL);

    assert_false(disk->write(disk->self, file, 0, &part, 1, &err));
    assert_int_equal(err.kind, ERROR_INTERNAL);
    assert_string_equal(err.text, "f: write: Bad file descriptor");
    disk->close(disk->self, file);
    file = disk->open(disk->self, "f", DISK_WRITE, NULL);
    /* No file system has files so long. */
    assert_false(disk->allocate(disk->self, file, INT64_MAX - 1, &err));
    assert_non_null(strstr(err.text, "f: allocate: "));
    disk->close(disk->self, file);
    assert_content(disk, "f", "text");
}

static void a_directory_that_cannot_be_is_refused(void **state)
{
    const struct fixture *fixture = *state;
    char path[300];
    struct error err = {0};

    assert_null(disk_open_directory("/nowhere/at/all", &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
    put(fixture->disk, "f", "text");
    assert_null(disk_open_directory(
        scratch_path(&fixture->scratch, "f", path, sizeof(path)), &err));
    assert_non_null(strstr(err.text, path));
    disk_free_directory(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parts_are_written_one_after_the_other),
        TEST(a_missing_file_is_created_by_writers_only),
        TEST(files_are_for_their_owner_alone),
        TEST(allocating_gives_the_size_and_keeps_the_content),
        TEST(truncating_cuts_and_grows),
        TEST(names_are_changed_and_listed),
        TEST(what_is_no_file_is_not_opened),
        TEST(setting_aside_never_replaces),
        TEST(free_space_is_known),
        TEST(what_fails_says_which_file_and_why),
        TEST(a_directory_that_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
