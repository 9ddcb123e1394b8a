/* The outbox on a disk that is full, fails, is slow, or is somebody else's. */

#include "base/log.h"
#include "tests/exporter/fault_vfs.h"
#include "tests/exporter/outbox_file_rig.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct outbox *open_on_faults(const char *path, size_t loaded_max_bytes)
{
    return rig_open_with(&(struct outbox_options){
        .path = path, .vfs = "fault", .loaded_max_bytes = loaded_max_bytes});
}

static enum error_kind commit_fails(struct outbox *outbox)
{
    struct error err = {0};

    assert_false(outbox_commit(outbox, &err));
    assert_true(err.text[0] != '\0');
    return err.kind;
}

static void put_many(struct outbox *outbox, uint64_t minute_s, int names)
{
    char name[64];

    for (int i = 0; i < names; i++) {
        snprintf(name, sizeof(name), "a.metric.with.a.name.of.usual.length.%d", i);
        rig_queue(outbox, &shop, minute_s, name, i);
    }
}

static void a_full_disk_loses_nothing(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox = open_on_faults(path, 0);
    struct outbox_batch batch = {0};

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    faults->is_full = true;
    put_many(outbox, MINUTE_S + 60, 500);
    assert_int_equal(commit_fails(outbox), ERROR_BUSY);
    assert_int_equal(commit_fails(outbox), ERROR_BUSY);
    assert_int_equal(outbox_committed_lsn(outbox), 1);
    assert_int_equal(rig_counts(outbox).failed_commits, 2);
    assert_true(strstr(rig_counts(outbox).last_error, "full"));
    assert_int_equal(rig_books(outbox).queued, 501);
    /* What was committed before goes out all the same, what was not does not. */
    assert_int_equal(rig_take(outbox, 1, MINUTE_S + 80, &batch), 1);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    put_many(outbox, MINUTE_S + 120, 1);
    assert_int_equal(commit_fails(outbox), ERROR_BUSY);
    faults->is_full = false;
    rig_commit(outbox);
    assert_int_equal(outbox_committed_lsn(outbox), 502);
    assert_true(rig_counts(outbox).last_error[0] == '\0');
    assert_int_equal(rig_take(outbox, 1, MINUTE_S + 200, &batch), 501);
    rig_settle(outbox, &batch, OUTBOX_RETURNED, MINUTE_S + 201);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 501);
    assert_int_equal(rig_books(outbox).delivered, 1);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    outbox_free(outbox);
}

static void a_disk_that_is_full_again_and_again_changes_no_value(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox = open_on_faults(path, 1);
    struct outbox_batch batch = {0};
    unsigned failures = 0;
    uint64_t delivered = 0;

    (void)state;
    for (uint64_t i = 0; i < 60; i++) {
        struct error err;

        faults->is_full = i % 3 != 0;
        put_many(outbox, MINUTE_S + 60 * i, 100);
        failures += !outbox_commit(outbox, &err);
        delivered += rig_take(outbox, 1, MINUTE_S + 60 * i + 80, &batch);
        rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 60 * i + 81);
        assert_int_equal(rig_books(outbox).delivered, delivered);
        assert_int_equal(rig_books(outbox).closed, 100 * (i + 1));
    }
    assert_true(failures > 10);
    faults->is_full = false;
    rig_commit(outbox);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).closed, 6000);
    assert_int_equal(rig_books(outbox).delivered, delivered);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    outbox_free(outbox);
}

static void failing_writes_and_syncs_are_tried_again(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox = open_on_faults(path, 0);

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    rig_queue(outbox, &shop, MINUTE_S, "b", 2);
    faults->fails_sync = true;
    assert_int_equal(commit_fails(outbox), ERROR_INTERNAL);
    assert_int_equal(outbox_committed_lsn(outbox), 1);
    faults->fails_sync = false;
    faults->fails_write = true;
    rig_queue(outbox, &web, MINUTE_S, "custom.c", 3);
    assert_int_equal(commit_fails(outbox), ERROR_INTERNAL);
    faults->fails_write = false;
    rig_commit(outbox);
    assert_int_equal(outbox_committed_lsn(outbox), 3);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 3);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    outbox_free(outbox);
}

static void a_read_that_fails_once_costs_nothing(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox;
    struct outbox_batch batch = {0};

    (void)state;
    outbox = open_on_faults(path, 1);
    /* More than SQLite keeps in its cache. */
    for (uint64_t i = 0; i < 60; i++) {
        put_many(outbox, MINUTE_S + 60 * i, 1000);
        rig_commit(outbox);
    }
    outbox_free(outbox);
    outbox = open_on_faults(path, 1);
    faults->fails_read = true;
    assert_int_equal(outbox_take(outbox,
                                 &(struct outbox_query){
                                     .destination = 1,
                                     .lane = MACKEREL_BACKFILL,
                                     .pick = OUTBOX_ALL,
                                     .now_s = MINUTE_S + 7200,
                                     .max_values = 1000,
                                 },
                                 &batch),
                     0);
    faults->fails_read = false;
    assert_int_equal(outbox_take(outbox,
                                 &(struct outbox_query){
                                     .destination = 1,
                                     .lane = MACKEREL_BACKFILL,
                                     .pick = OUTBOX_ALL,
                                     .now_s = MINUTE_S + 7200,
                                     .max_values = 1000,
                                 },
                                 &batch),
                     1000);
    assert_int_equal(batch.items[0].minute_s, MINUTE_S);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 7201);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).queued, 59000);
    outbox_free(outbox);
}

static const struct outbox_query backlog = {
    .destination = 1,
    .lane = MACKEREL_BACKFILL,
    .pick = OUTBOX_ALL,
    .now_s = MINUTE_S + 7200,
    .max_values = 1000,
};

/* An hour of 1,000 values, of which SQLite has little in its cache. */
static struct outbox *open_with_an_hour(const char *path)
{
    struct outbox *outbox = open_on_faults(path, 1);

    for (uint64_t i = 0; i < 60; i++) {
        put_many(outbox, MINUTE_S + 60 * i, 1000);
        rig_commit(outbox);
    }
    outbox_free(outbox);
    return open_on_faults(path, 1);
}

static void memory_stays_within_its_budget_through_a_long_backlog(void **state)
{
    enum {
        BUDGET = 256 * 1024
    };

    const char *path = rig_new_path();
    struct outbox *outbox = rig_open_with(
        &(struct outbox_options){.path = path, .loaded_max_bytes = BUDGET});
    struct outbox_batch batch = {0};
    uint64_t delivered = 0, now_s = MINUTE_S + 60 * 200;

    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        put_many(outbox, MINUTE_S + 60 * i, 50);
        rig_commit(outbox);
        assert_true(rig_counts(outbox).loaded_bytes <= BUDGET);
    }
    outbox_free(outbox);
    outbox = rig_open_with(
        &(struct outbox_options){.path = path, .loaded_max_bytes = BUDGET});
    assert_int_equal(rig_counts(outbox).loaded_bytes, 0);
    assert_int_equal(rig_counts(outbox).values, 10000);
    for (int lane = MACKEREL_LIVE; lane <= MACKEREL_BACKFILL; lane++) {
        struct outbox_query query = {
            .destination = 1,
            .lane = (enum mackerel_lane)lane,
            .pick = OUTBOX_ALL,
            .now_s = now_s,
            .max_values = 100,
        };
        size_t taken;

        while ((taken = outbox_take(outbox, &query, &batch)) > 0) {
            for (size_t i = 0; i < taken; i++)
                assert_true(batch.items[i].value == (double)((delivered + i) % 50));
            delivered += taken;
            rig_settle(outbox, &batch, OUTBOX_DELIVERED, now_s);
            rig_commit(outbox);
            assert_true(rig_counts(outbox).loaded_bytes <= BUDGET);
        }
    }
    assert_int_equal(delivered, 10000);
    assert_int_equal(rig_books(outbox).delivered, 10000);
    assert_int_equal(rig_counts(outbox).rows, 0);
    outbox_free(outbox);
}

static void a_file_gives_its_room_back_after_a_backlog(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox;
    struct stat full, empty;

    (void)state;
    fault_vfs_reset();
    outbox = open_with_an_hour(path);
    assert_int_equal(stat(path, &full), 0);
    assert_true(full.st_size > 3 << 20);
    assert_int_equal(outbox_drop(outbox,
                                 &(struct outbox_selection){.until_minute_s = UINT64_MAX,
                                                            .pick = OUTBOX_ALL},
                                 &(struct outbox_verdict){.end = OUTBOX_EXPIRED}),
                     60000);
    for (uint64_t i = 0; i < 3; i++) {
        rig_put(outbox, &shop, MINUTE_S + 6000 + 60 * i, "a", 1);
    }
    outbox_free(outbox);
    assert_int_equal(stat(path, &empty), 0);
    assert_true(empty.st_size < full.st_size / 2);
}

/* ---- a slow disk ------------------------------------------------------------------------- */

struct slow {
    struct outbox *outbox;
    sem_t has_begun, may_end;
    bool has_waited;
};

static void wait_in_sync(void *self)
{
    struct slow *slow = self;

    if (slow->has_waited)
        return;
    slow->has_waited = true;
    sem_post(&slow->has_begun);
    sem_wait(&slow->may_end);
}

static void *commit_slowly(void *self)
{
    struct slow *slow = self;
    struct error err;

    return outbox_commit(slow->outbox, &err) ? self : NULL;
}

static void who_puts_and_who_reads_the_books_never_waits_for_a_disk(void **state)
{
    struct fault_vfs *faults = fault_vfs_reset();
    struct slow slow = {.outbox = open_on_faults(rig_new_path(), 0)};
    pthread_t thread;
    void *result;

    (void)state;
    sem_init(&slow.has_begun, 0, 0);
    sem_init(&slow.may_end, 0, 0);
    rig_queue(slow.outbox, &shop, MINUTE_S, "a", 1);
    faults->self = &slow;
    faults->on_sync = wait_in_sync;
    assert_int_equal(pthread_create(&thread, NULL, commit_slowly, &slow), 0);
    sem_wait(&slow.has_begun);
    /* Were one of these to wait, the test would never end. */
    assert_int_equal(rig_books(slow.outbox).queued, 1);
    rig_queue(slow.outbox, &shop, MINUTE_S, "b", 2);
    assert_int_equal(rig_books(slow.outbox).queued, 2);
    assert_int_equal(rig_counts(slow.outbox).values, 2);
    assert_int_equal(outbox_committed_lsn(slow.outbox), 0);
    sem_post(&slow.may_end);
    pthread_join(thread, &result);
    assert_non_null(result);
    assert_int_equal(outbox_committed_lsn(slow.outbox), 1);
    rig_commit(slow.outbox);
    assert_int_equal(outbox_committed_lsn(slow.outbox), 2);
    outbox_free(slow.outbox);
    sem_destroy(&slow.has_begun);
    sem_destroy(&slow.may_end);
}

/* ---- threads ------------------------------------------------------------------------------ */

struct busy {
    struct outbox *outbox;
    atomic_bool is_over;
};

enum {
    BUSY_PUTS = 2000
};

static void *put_all_the_time(void *self)
{
    struct busy *busy = self;

    for (uint64_t i = 0; i < BUSY_PUTS; i++)
        rig_queue(busy->outbox, i % 3 ? &shop : &web, MINUTE_S + 60 * (i % 7), "custom.a",
                  (double)i);
    atomic_store(&busy->is_over, true);
    return NULL;
}

static void *read_all_the_time(void *self)
{
    struct busy *busy = self;
    uint64_t closed = 0;

    while (!atomic_load(&busy->is_over)) {
        struct value_ledger ledger;

        outbox_read_ledger(busy->outbox, &ledger);
        if (!value_ledger_balances(&ledger) || ledger.closed < closed)
            return NULL;
        closed = ledger.closed;
    }
    return self;
}

static void deliver_some(struct outbox *outbox)
{
    struct outbox_batch batch = {0};

    for (uint64_t id = 1; id <= 2; id++)
        rig_take(outbox, id, MINUTE_S + 80, &batch);
    rig_commit(outbox);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    rig_commit(outbox);
}

static void the_books_balance_while_everybody_is_busy(void **state)
{
    struct busy busy = {.outbox = rig_open(rig_new_path())};
    pthread_t putter, reader;
    void *result;

    (void)state;
    assert_int_equal(pthread_create(&reader, NULL, read_all_the_time, &busy), 0);
    assert_int_equal(pthread_create(&putter, NULL, put_all_the_time, &busy), 0);
    while (!atomic_load(&busy.is_over))
        deliver_some(busy.outbox);
    pthread_join(putter, NULL);
    pthread_join(reader, &result);
    assert_non_null(result);
    rig_commit(busy.outbox); /* what was put last */
    deliver_some(busy.outbox);
    assert_int_equal(rig_books(busy.outbox).closed, BUSY_PUTS);
    assert_int_equal(rig_books(busy.outbox).queued, 0);
    outbox_free(busy.outbox);
}

/* ---- somebody else's --------------------------------------------------------------------- */

static void a_database_that_another_has_open_is_left_alone(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);
    struct error err;
    char bad[256];

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    assert_null(outbox_open(&(struct outbox_options){.path = path}, &err));
    assert_int_equal(err.kind, ERROR_INVALID);
    assert_non_null(strstr(err.text, "another process"));
    snprintf(bad, sizeof(bad), "%s.bad", path);
    assert_int_not_equal(access(bad, F_OK), 0);
    rig_put(outbox, &shop, MINUTE_S, "b", 2);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 2);
    outbox_free(outbox);
}

static void a_file_that_may_not_be_written_is_set_aside(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox = open_on_faults(path, 0);
    char bad[256];

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    outbox_free(outbox);
    faults->read_only_opens = 2; /* the second looks for what can be saved */
    outbox = open_on_faults(path, 0);
    assert_int_equal(rig_counts(outbox).bad_files, 1);
    assert_non_null(strstr(rig_counts(outbox).last_bad, "may not be written"));
    snprintf(bad, sizeof(bad), "%s.bad", path);
    assert_int_equal(access(bad, F_OK), 0);
    rig_put(outbox, &shop, MINUTE_S, "b", 2);
    assert_int_equal(rig_books(outbox).queued, 1);
    outbox_free(outbox);
}

static void where_no_file_can_be_made_the_error_says_so(void **state)
{
    struct fault_vfs *faults = fault_vfs_reset();
    struct error err;

    (void)state;
    faults->is_full = true;
    assert_null(outbox_open(
        &(struct outbox_options){.path = rig_new_path(), .vfs = "fault"}, &err));
    assert_int_equal(err.kind, ERROR_BUSY);
    assert_null(outbox_open(
        &(struct outbox_options){.path = "/proc/no/such/directory/outbox.db"}, &err));
    assert_int_equal(err.kind, ERROR_NOT_FOUND);
}

/* ---- damage that is met while running ---------------------------------------------------- */

static void what_was_read_wrong_but_is_right_on_the_disk_is_kept(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox = open_with_an_hour(path);
    struct outbox_batch batch = {0};

    (void)state;
    faults->reads_garbage = true;
    assert_int_equal(outbox_take(outbox, &backlog, &batch), 0);
    faults->reads_garbage = false;
    rig_put(outbox, &shop, MINUTE_S + 6000, "a", 1);
    assert_int_equal(rig_books(outbox).queued, 60001);
    assert_int_equal(rig_counts(outbox).bad_files, 1);
    assert_int_equal(outbox_take(outbox, &backlog, &batch), 1000);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 7201);
    rig_commit(outbox);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 59001);
    assert_int_equal(outbox_committed_lsn(outbox), 60001);
    assert_int_equal(rig_counts(outbox).bad_files, 0);
    outbox_free(outbox);
}

static void damage_on_the_disk_costs_the_rows_that_it_hits(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox;
    struct outbox_batch batch = {0};
    struct value_ledger ledger;
    uint64_t taken = 0, now;

    (void)state;
    fault_vfs_reset();
    outbox = open_with_an_hour(path);
    for (long offset = 128 * 1024; offset < 3 << 20; offset += 512 * 1024)
        rig_overwrite(path, offset, 0xA5, 4096); /* of some 4 MB; a row takes 60 KB */
    while ((now = outbox_take(outbox, &backlog, &batch)) > 0) {
        taken += now;
        rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 7201);
    }
    rig_commit(outbox);
    while ((now = outbox_take(outbox, &backlog, &batch)) > 0) {
        taken += now;
        rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 7201);
    }
    rig_commit(outbox);
    ledger = rig_books(outbox);
    assert_int_equal(ledger.closed, 60000);
    assert_int_equal(ledger.delivered, taken);
    assert_int_equal(ledger.withheld[WITHHELD_UNREADABLE].count, 60000 - taken);
    assert_in_range(taken, 30000, 59999);
    outbox_free(outbox);
}

static void a_file_that_is_removed_while_running_is_made_anew(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox;

    (void)state;
    fault_vfs_reset();
    outbox = open_with_an_hour(path);
    assert_int_equal(unlink(path), 0);
    rig_put(outbox, &shop, MINUTE_S + 6000, "a", 1);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 60001);
    outbox_free(outbox);
}

static void what_is_put_after_the_directory_is_gone_can_be_posted(void **state)
{
    char path[128], directory[128], away[256];
    struct outbox *outbox;
    struct outbox_batch batch = {0};

    (void)state;
    snprintf(path, sizeof(path), "%s", rig_new_path());
    snprintf(directory, sizeof(directory), "%s", path);
    *strrchr(directory, '/') = '\0';
    snprintf(away, sizeof(away), "%s.away", directory);
    outbox = rig_open(path);
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    assert_int_equal(rename(directory, away), 0);
    rig_put(outbox, &shop, MINUTE_S + 60, "a", 2);
    assert_int_equal(rig_take(outbox, 1, MINUTE_S + 80, &batch), 2);
    rig_settle(outbox, &batch, OUTBOX_DELIVERED, MINUTE_S + 81);
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).delivered, 2);
    outbox_free(outbox);
}

/* Less than SQLite keeps in its log before it writes it into the database. */
static void the_log_of_a_removed_file_does_not_come_back(void **state)
{
    const char *path = rig_new_path();
    struct outbox *outbox = rig_open(path);

    (void)state;
    rig_put(outbox, &shop, MINUTE_S, "a", 1);
    assert_int_equal(unlink(path), 0);
    rig_put(outbox, &shop, MINUTE_S + 60, "a", 2);
    outbox_free(outbox);
    outbox = rig_open(path);
    assert_int_equal(rig_books(outbox).queued, 2);
    assert_int_equal(outbox_committed_lsn(outbox), 2);
    outbox_free(outbox);
}

static void a_full_disk_puts_the_mending_off(void **state)
{
    const char *path = rig_new_path();
    struct fault_vfs *faults = fault_vfs_reset();
    struct outbox *outbox = open_with_an_hour(path);
    struct outbox_batch batch = {0};

    (void)state;
    faults->reads_garbage = true;
    assert_int_equal(outbox_take(outbox, &backlog, &batch), 0);
    faults->reads_garbage = false;
    faults->is_full = true;
    rig_queue(outbox, &shop, MINUTE_S + 6000, "a", 1);
    assert_int_equal(commit_fails(outbox), ERROR_BUSY);
    assert_int_equal(commit_fails(outbox), ERROR_BUSY);
    assert_int_equal(rig_books(outbox).queued, 60001);
    faults->is_full = false;
    rig_commit(outbox);
    assert_int_equal(rig_books(outbox).queued, 60001);
    assert_int_equal(outbox_committed_lsn(outbox), 60001);
    outbox_free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_after_the_directory_is_gone_can_be_posted),
        cmocka_unit_test(a_full_disk_loses_nothing),
        cmocka_unit_test(a_disk_that_is_full_again_and_again_changes_no_value),
        cmocka_unit_test(failing_writes_and_syncs_are_tried_again),
        cmocka_unit_test(a_read_that_fails_once_costs_nothing),
        cmocka_unit_test(memory_stays_within_its_budget_through_a_long_backlog),
        cmocka_unit_test(a_file_gives_its_room_back_after_a_backlog),
        cmocka_unit_test(the_books_balance_while_everybody_is_busy),
        cmocka_unit_test(who_puts_and_who_reads_the_books_never_waits_for_a_disk),
        cmocka_unit_test(a_database_that_another_has_open_is_left_alone),
        cmocka_unit_test(a_file_that_may_not_be_written_is_set_aside),
        cmocka_unit_test(where_no_file_can_be_made_the_error_says_so),
        cmocka_unit_test(what_was_read_wrong_but_is_right_on_the_disk_is_kept),
        cmocka_unit_test(damage_on_the_disk_costs_the_rows_that_it_hits),
        cmocka_unit_test(a_file_that_is_removed_while_running_is_made_anew),
        cmocka_unit_test(the_log_of_a_removed_file_does_not_come_back),
        cmocka_unit_test(a_full_disk_puts_the_mending_off),
    };
    int failed = cmocka_run_group_tests_name("outbox in trouble", tests, NULL, NULL);

    rig_clean_up();
    return failed;
}
