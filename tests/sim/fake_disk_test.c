#include "tests/sim/fake_disk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct fake_disk *new_disk(uint64_t seed, uint64_t capacity)
{
    return fake_disk_new(&(struct fake_disk_options){
        .seed = seed,
        .capacity = capacity,
        .survives_in_part = true,
    });
}

static struct disk_file *open_file(const struct disk *disk, const char *name)
{
    struct error err;
    struct disk_file *file = disk->open(disk->self, name, DISK_WRITE, &err);

    assert_non_null(file);
    return file;
}

static bool put(const struct disk *disk, struct disk_file *file, uint64_t offset,
                const char *text)
{
    struct error err;
    struct slice part = slice_of(text);

    return disk->write(disk->self, file, offset, &part, 1, &err);
}

/* The whole file as text; NULL when there is no such file. */
static const char *content(const struct disk *disk, const char *name, char *text,
                           size_t size)
{
    struct error err;
    struct disk_file *file = disk->open(disk->self, name, DISK_READ, &err);
    size_t got;

    if (!file)
        return NULL;
    assert_true(disk->read(disk->self, file, 0, text, size - 1, &got, &err));
    text[got] = '\0';
    disk->close(disk->self, file);
    return text;
}

static void crash(struct fake_disk *disk)
{
    fake_disk_kill(disk);
    fake_disk_crash(disk);
    fake_disk_revive(disk);
}

static void a_killed_process_leaves_what_it_wrote(void **state)
{
    (void)state;
    struct fake_disk *fake = new_disk(1, 1 << 20);
    const struct disk *disk = fake_disk_handle(fake);
    struct disk_file *file = open_file(disk, "a");
    char text[64];

    assert_true(put(disk, file, 0, "hello"));
    fake_disk_kill(fake);
    assert_false(put(disk, file, 0, "HELLO"));
    disk->close(disk->self, file);
    fake_disk_revive(fake);
    assert_string_equal(content(disk, "a", text, sizeof(text)), "hello");
    fake_disk_free(fake);
}

static void what_was_synced_survives_the_machine(void **state)
{
    (void)state;

    for (uint64_t seed = 0; seed < 50; seed++) {
        struct fake_disk *fake = new_disk(seed, 1 << 20);
        const struct disk *disk = fake_disk_handle(fake);
        struct disk_file *file = open_file(disk, "a");
        struct error err;
        char text[64];

        assert_true(put(disk, file, 0, "synced"));
        assert_true(disk->sync(disk->self, file, &err));
        assert_true(disk->sync_names(disk->self, &err));
        assert_true(put(disk, file, 0, "SYN"));
        disk->close(disk->self, file);
        crash(fake);
        content(disk, "a", text, sizeof(text));
        assert_true(strcmp(text, "synced") == 0 || strcmp(text, "SYNced") == 0);
        fake_disk_free(fake);
    }
}

/* How often over many seeds is the name there, and how often is the text whole? */
static void count_outcomes(bool syncs_file, bool syncs_names, unsigned *names,
                           unsigned *whole)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct fake_disk *fake = new_disk(seed, 1 << 20);
        const struct disk *disk = fake_disk_handle(fake);
        struct disk_file *file = open_file(disk, "a");
        struct error err;
        char text[64];

        assert_true(put(disk, file, 0, "text"));
        if (syncs_file)
            assert_true(disk->sync(disk->self, file, &err));
        if (syncs_names)
            assert_true(disk->sync_names(disk->self, &err));
        disk->close(disk->self, file);
        crash(fake);
        if (content(disk, "a", text, sizeof(text))) {
            ++*names;
            *whole += strcmp(text, "text") == 0;
        }
        fake_disk_free(fake);
    }
}

static void what_was_not_synced_is_sometimes_lost(void **state)
{
    (void)state;
    unsigned names = 0, whole = 0;

    count_outcomes(false, true, &names, &whole);
    assert_int_equal(names, 200);
    assert_in_range(whole, 20, 180);
    names = whole = 0;
    count_outcomes(true, false, &names, &whole);
    assert_in_range(names, 20, 180);
    assert_int_equal(whole, names);
}

static void sectors_are_lost_one_by_one(void **state)
{
    (void)state;
    unsigned torn = 0;

    for (uint64_t seed = 0; seed < 200; seed++) {
        struct fake_disk *fake = new_disk(seed, 1 << 20);
        const struct disk *disk = fake_disk_handle(fake);
        struct disk_file *file = open_file(disk, "a");
        char text[4 * FAKE_DISK_SECTOR + 1], old[sizeof(text)] = {0},
                                             new[sizeof(text)] = {0};
        struct error err;

        memset(old, 'o', sizeof(old) - 1);
        memset(new, 'n', sizeof(new) - 1);
        assert_true(put(disk, file, 0, old));
        assert_true(disk->sync(disk->self, file, &err));
        assert_true(disk->sync_names(disk->self, &err));
        assert_true(put(disk, file, 0, new));
        disk->close(disk->self, file);
        crash(fake);
        assert_non_null(content(disk, "a", text, sizeof(text)));
        for (size_t i = 0; i + 1 < sizeof(text); i++)
            assert_int_equal(text[i], text[i - i % FAKE_DISK_SECTOR]);
        torn += strcmp(text, old) != 0 && strcmp(text, new) != 0;
        fake_disk_free(fake);
    }
    assert_in_range(torn, 10, 190);
}

static void a_full_disk_takes_a_part_and_recovers(void **state)
{
    (void)state;
    struct fake_disk *fake = new_disk(1, 100);
    const struct disk *disk = fake_disk_handle(fake);
    struct disk_file *file = open_file(disk, "a");
    struct error err;
    struct slice part = SLICE("0123456789");

    fake_disk_take_space(fake, 95);
    assert_int_equal(disk->free_bytes(disk->self), 5);
    assert_false(disk->write(disk->self, file, 0, &part, 1, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    assert_int_equal(disk->size(disk->self, file), 5);
    fake_disk_take_space(fake, 0);
    assert_true(disk->write(disk->self, file, 0, &part, 1, &err));
    assert_int_equal(disk->free_bytes(disk->self), 90);
    assert_true(disk->allocate(disk->self, file, 60, &err));
    assert_int_equal(disk->free_bytes(disk->self), 40);
    assert_false(disk->allocate(disk->self, file, 101, &err));
    disk->close(disk->self, file);
    assert_true(disk->remove(disk->self, "a", &err));
    assert_int_equal(disk->free_bytes(disk->self), 100);
    fake_disk_free(fake);
}

static void bytes_of_a_failed_sync_may_never_arrive(void **state)
{
    (void)state;
    unsigned lost = 0;

    for (uint64_t seed = 0; seed < 100; seed++) {
        struct fake_disk *fake = new_disk(seed, 1 << 20);
        const struct disk *disk = fake_disk_handle(fake);
        struct disk_file *file = open_file(disk, "a");
        struct error err;
        char text[64];

        assert_true(disk->sync_names(disk->self, &err));
        assert_true(put(disk, file, 0, "x"));
        fake_disk_fail_at(fake, 1);
        assert_false(disk->sync(disk->self, file, &err));
        assert_true(disk->sync(disk->self, file, &err));
        assert_string_equal(content(disk, "a", text, sizeof(text)), "x");
        disk->close(disk->self, file);
        crash(fake);
        lost += strcmp(content(disk, "a", text, sizeof(text)), "x") != 0;
        fake_disk_free(fake);
    }
    assert_in_range(lost, 10, 90);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_killed_process_leaves_what_it_wrote),
        cmocka_unit_test(what_was_synced_survives_the_machine),
        cmocka_unit_test(what_was_not_synced_is_sometimes_lost),
        cmocka_unit_test(sectors_are_lost_one_by_one),
        cmocka_unit_test(a_full_disk_takes_a_part_and_recovers),
        cmocka_unit_test(bytes_of_a_failed_sync_may_never_arrive),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
