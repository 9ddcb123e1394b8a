#include "app/storage.h"

#include "tests/base/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t MIB = 1 << 20;

/* With nothing set but where, the sizes as the table has them. */
static struct config make_config(char *directory, char *durability)
{
    return (struct config){
        .state_directory = directory,
        .durability = durability,
        .journal_max_size = 64 * MIB,
    };
}

static void state_is_on_disk_where_it_can_be(void **state)
{
    struct scratch scratch;
    struct storage storage;
    struct error err;
    char unset[] = "";

    (void)state;
    scratch_make(&scratch);

    struct config config = make_config(scratch.path, unset);

    assert_int_equal(storage_open(&storage, &config, &err), EXIT_FINE);
    assert_string_equal(storage.durability, "process");
    assert_int_equal(storage.journal, JOURNAL_PROCESS);
    assert_non_null(storage.state);
    assert_int_equal(storage.outbox_max_bytes, 1024 * MIB);
    assert_int_equal(scratch_count(&scratch, "outbox.db"), 1);
    storage_release(&storage);
    scratch_remove(&scratch);
}

static void durability_is_as_demanded(void **state)
{
    struct scratch scratch;
    struct storage storage;
    struct error err;
    char fsync[] = "fsync", memory[] = "memory";

    (void)state;
    scratch_make(&scratch);

    struct config config = make_config(scratch.path, memory);

    assert_int_equal(storage_open(&storage, &config, &err), EXIT_FINE);
    assert_string_equal(storage.durability, "memory");
    assert_null(storage.state);
    assert_int_equal(storage.outbox_max_bytes, 256 * MIB);
    assert_int_equal(scratch_count(&scratch, "outbox.db"), 0);
    storage_release(&storage);

    config.durability = fsync;
    config.outbox_max_size = 3 * MIB;
    assert_int_equal(storage_open(&storage, &config, &err), EXIT_FINE);
    assert_string_equal(storage.durability, "fsync");
    assert_int_equal(storage.journal, JOURNAL_FSYNC);
    assert_int_equal(storage.outbox_max_bytes, 3 * MIB);
    storage_release(&storage);
    scratch_remove(&scratch);
}

static void unusable_directory_is_an_error_only_where_it_was_demanded(void **state)
{
    struct scratch scratch;
    struct storage storage;
    struct error err;
    char unset[] = "", process[] = "process", path[512];

    (void)state;
    scratch_make(&scratch);
    scratch_path(&scratch, "file", path, sizeof(path));
    close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));

    struct config config = make_config(path, unset);

    assert_int_equal(storage_open(&storage, &config, &err), EXIT_FINE);
    assert_string_equal(storage.durability, "memory");
    storage_release(&storage);
    config.durability = process;
    assert_int_equal(storage_open(&storage, &config, &err), EXIT_CONFIG);
    assert_non_null(strstr(err.text, path));
    storage_release(&storage);
    scratch_remove(&scratch);
}

static void directory_in_use_is_an_error_in_any_case(void **state)
{
    struct scratch scratch;
    struct storage first, second;
    struct error err;
    char unset[] = "";

    (void)state;
    scratch_make(&scratch);

    struct config config = make_config(scratch.path, unset);

    assert_int_equal(storage_open(&first, &config, &err), EXIT_FINE);
    assert_int_equal(storage_open(&second, &config, &err), EXIT_UNAVAILABLE);
    storage_release(&second);
    storage_release(&first);
    scratch_remove(&scratch);
}

static void a_preview_leaves_alone_what_another_run_is_to_post(void **state)
{
    static const struct mackerel_value value = {SLICE("orders.rate"), 1, false};
    const struct mackerel_row row = {
        .destination = {.kind = MACKEREL_SERVICE, .name = SLICE("shop")},
        .minute_s = 60,
        .values = &value,
        .count = 1};
    struct scratch scratch;
    struct storage storage;
    struct error err;
    char unset[] = "", key[] = "key";

    (void)state;
    scratch_make(&scratch);

    struct config config = make_config(scratch.path, unset);

    config.apikey = key;
    config.apikey_file = unset;
    assert_int_equal(storage_open(&storage, &config, &err), EXIT_FINE);
    outbox_put(storage.outbox, &row, 1, 1);
    assert_true(outbox_commit(storage.outbox, &err));
    storage_release(&storage);
    config.apikey = unset;
    assert_int_equal(storage_open(&storage, &config, &err), EXIT_CONFIG);
    assert_non_null(strstr(err.text, "1 values in"));
    storage_release(&storage);
    config.apikey = key;
    assert_int_equal(storage_open(&storage, &config, &err), EXIT_FINE);
    storage_release(&storage);
    scratch_remove(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_is_on_disk_where_it_can_be),
        cmocka_unit_test(durability_is_as_demanded),
        cmocka_unit_test(unusable_directory_is_an_error_only_where_it_was_demanded),
        cmocka_unit_test(directory_in_use_is_an_error_in_any_case),
        cmocka_unit_test(a_preview_leaves_alone_what_another_run_is_to_post),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
