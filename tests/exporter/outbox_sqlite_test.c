#include "tests/exporter/outbox_cases.h"
#include "tests/exporter/outbox_file_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct outbox *make(size_t max_bytes)
{
    return rig_open_with(
        &(struct outbox_options){.path = rig_new_path(), .max_bytes = max_bytes});
}

/* Every row leaves the memory as soon as it may. */
static struct outbox *make_forgetful(size_t max_bytes)
{
    return rig_open_with(&(struct outbox_options){
        .path = rig_new_path(), .max_bytes = max_bytes, .loaded_max_bytes = 1});
}

static struct outbox *reopen(struct outbox *outbox, const char *path)
{
    outbox_free(outbox);
    return rig_open(path);
}

/* ---- what is durable --------------------------------------------------------------------- */

static void what_was_committed_is_there_again(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_destination list[2];
    struct outbox_batch batch = {0};
    struct outbox_counts counts;

    (void)state;
    rig_put(outbox, &web, MINUTE_S, "custom.a", 1.5);
    rig_put(outbox, &web, MINUTE_S, "loadavg5", 2.5);
    rig_put(outbox, &shop, MINUTE_S + 60, "a", 3.5);
    outbox = reopen(outbox, path);
    counts = rig_counts(outbox);
    assert_int_equal(counts.destinations, 2);
    assert_int_equal(counts.rows, 2);
    assert_int_equal(counts.values, 3);
    assert_int_equal(counts.oldest_minute_s, MINUTE_S);
    assert_int_equal(counts.committed_lsn, 3);
    assert_int_equal(rig_books(outbox).closed, 3);
    assert_int_equal(outbox_list(outbox, 0, list, 2), 2);
    assert_true(mackerel_destination_equal(&list[0].destination, &web));
    assert_true(slice_is(list[0].destination.roles, "shop:web"));
    assert_true(mackerel_destination_equal(&list[1].destination, &shop));
    assert_int_equal(rig_take(outbox, list[0].id, MINUTE_S + 80, &batch), 2);
    assert_true(slice_is(batch.items[0].name, "custom.a"));
    assert_true(batch.items[0].value == 1.5 && !batch.items[0].native);
    assert_true(slice_is(batch.items[1].name, "loadavg5"));
    assert_true(batch.items[1].value == 2.5 && batch.items[1].native);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_free(outbox);
}

static void what_was_not_committed_is_not_taken_and_not_kept(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_queue(outbox, &shop, MINUTE_S + 60, "a", 2);
    assert_int_equal(rig_books(outbox).queued, 2);
    assert_int_equal(rig_counts(outbox).values, 2);
    assert_int_equal(rig_counts(outbox).last_lsn, 2);
    assert_int_equal(outbox_committed_lsn(outbox), 1);
    assert_int_equal(rig_take(outbox, 1, MINUTE_S + 80, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_RETURNED, MINUTE_S + 80);
    outbox = reopen(outbox, path);
    assert_int_equal(outbox_committed_lsn(outbox), 1);
    assert_int_equal(rig_books(outbox).queued, 1);
    outbox_free(outbox);
}

static void a_tick_that_was_committed_before_is_ignored(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    const struct mackerel_value value = {.name = SLICE("a"), .value = 9};
    const struct mackerel_row row = {
        .destination = shop, .minute_s = MINUTE_S, .values = &value, .count = 1};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_put(outbox, &shop, MINUTE_S, "a", 2);
    outbox = reopen(outbox, path);
    outbox_put(outbox, &row, 1, 2);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).closed, 2);
    outbox_put(outbox, &row, 1, 3);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).closed, 3);
    assert_int_equal(outbox_committed_lsn(outbox), 3);
    outbox_free(outbox);
}

static void a_settlement_is_durable_with_the_next_commit(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path), *killed;
    struct outbox_batch batch = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, MINUTE_S + 80, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    killed = rig_open(rig_copy(path));
    assert_int_equal(rig_books(killed).queued, 1);
    assert_int_equal(rig_books(killed).delivered, 0);
    outbox_free(killed);
    rig_commit(outbox);
    killed = rig_open(rig_copy(path));
    assert_int_equal(rig_books(killed).queued, 0);
    assert_int_equal(rig_books(killed).delivered, 1);
    assert_int_equal(rig_counts(killed).rows, 0);
    outbox_free(killed);
    outbox_free(outbox);
}

static void what_was_in_flight_is_confirmed_after_a_restart(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};
    uint64_t now_s = MINUTE_S + 80;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, now_s, &batch);
    rig_commit(outbox);
    outbox_batch_release(&batch);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_take(outbox, 1, now_s + 5, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 6);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).delivered, 0);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_take(outbox, 1, now_s + 89, &batch), 0);
    assert_int_equal(rig_take(outbox, 1, now_s + 90, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 91);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_books(outbox).delivered, 1);
    assert_int_equal(rig_counts(outbox).rows, 0);
    outbox_free(outbox);
}

static void an_ambiguous_attempt_is_remembered(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};
    uint64_t now_s = MINUTE_S + 80;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, now_s, &batch);
    rig_settle(outbox, &batch, OUTBOX_AMBIGUOUS, now_s + 10);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    rig_take(outbox, 1, now_s + 11, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 12);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_take(outbox, 1, now_s + 69, &batch), 0);
    assert_int_equal(rig_take(outbox, 1, now_s + 70, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s + 71);
    assert_int_equal(rig_books(outbox).delivered, 1);
    outbox_free(outbox);
}

static void an_older_value_in_flight_is_replaced_when_the_process_dies(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path), *killed;
    struct outbox_batch batch = {0}, again = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, MINUTE_S + 80, &batch);
    rig_put(outbox, &shop, MINUTE_S, "a", 2);
    assert_int_equal(rig_books(outbox).queued, 2);
    killed = rig_open(rig_copy(path));
    assert_int_equal(rig_books(killed).queued, 1);
    assert_int_equal(rig_books(killed).replaced, 1);
    assert_int_equal(rig_take(killed, 1, MINUTE_S + 90, &again), 1);
    assert_true(again.items[0].value == 2);
    rig_settle(killed, &again, OUTBOX_REJECTED, MINUTE_S + 91);
    outbox_free(killed);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_books(outbox).delivered, 1);
    assert_int_equal(rig_books(outbox).replaced, 0);
    outbox_free(outbox);
}

static void forget(void *self, uint64_t id)
{
    *(uint64_t *)self = id;
}

static void ids_of_destinations_never_come_back(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct outbox_batch batch = {0};
    struct outbox_destination list[2];
    uint64_t gone = 0;

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_take(outbox, 1, MINUTE_S + 80, &batch);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    outbox_prune(outbox, MINUTE_S + 60, forget, &gone);
    assert_int_equal(gone, 1);
    rig_commit(outbox);
    outbox = reopen(outbox, path);
    assert_int_equal(rig_counts(outbox).destinations, 0);
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    assert_int_equal(outbox_list(outbox, 0, list, 2), 1);
    assert_int_equal(list[0].id, 2);
    outbox_free(outbox);
}

/* ---- damage ------------------------------------------------------------------------------ */

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

static void what_is_no_database_is_set_aside(void **state)
{
    const char *path = rig_new_path();
    char bad[256];
    struct outbox *outbox;

    (void)state;
    write_bytes(path, "This is not a database at all, but a letter to one.", 50);
    outbox = rig_open(path);
    assert_int_equal(rig_counts(outbox).bad_files, 1);
    snprintf(bad, sizeof(bad), "%s.bad", path);
    assert_int_equal(access(bad, F_OK), 0);
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    outbox_free(outbox);
    write_bytes(path, "This is not a database at all, but a letter to one.", 50);
    outbox = rig_open(path);
    snprintf(bad, sizeof(bad), "%s.1.bad", path);
    assert_int_equal(access(bad, F_OK), 0);
    outbox_free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_committed_is_there_again),
        cmocka_unit_test(what_was_not_committed_is_not_taken_and_not_kept),
        cmocka_unit_test(a_tick_that_was_committed_before_is_ignored),
        cmocka_unit_test(a_settlement_is_durable_with_the_next_commit),
        cmocka_unit_test(what_was_in_flight_is_confirmed_after_a_restart),
        cmocka_unit_test(an_ambiguous_attempt_is_remembered),
        cmocka_unit_test(an_older_value_in_flight_is_replaced_when_the_process_dies),
        cmocka_unit_test(ids_of_destinations_never_come_back),
        cmocka_unit_test(what_is_no_database_is_set_aside),
    };
    struct outbox_rig on_disk = {make, .room_for_a_dozen = 4096, .games = 2};
    struct outbox_rig forgetful = {make_forgetful, .room_for_a_dozen = 4096, .games = 2};
    int failed = outbox_cases_run("outbox on disk", &on_disk);

    failed += outbox_cases_run("outbox on disk, little memory", &forgetful);
    failed += cmocka_run_group_tests_name("outbox's database", tests, NULL, NULL);
    rig_clean_up();
    return failed;
}
